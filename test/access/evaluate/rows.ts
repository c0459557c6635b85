import type { Names } from '../../../src/access/evaluate/words.ts'
import type { Rows } from '../../../src/access/evaluate/walk.ts'
import type { ActingIdentity } from '../../../src/model/access.ts'
import type { Fact, PathState } from '../../../src/model/facts.ts'
import { known } from '../../../src/model/value.ts'

export const root = 0
export const kms = 990
export const kube = 991
export const kmsGroup = 990
export const socketGroup = 998

const users = new Map([
  [root, 'root'],
  [kms, 'openbao-kms'],
  [kube, 'kube-apiserver'],
])
const groups = new Map([
  [root, 'root'],
  [kmsGroup, 'openbao-kms'],
  [socketGroup, 'openbao-kms-socket'],
])

export const names: Names = { user: (uid) => users.get(uid), group: (gid) => groups.get(gid) }

/** Nobody's capabilities unless said: numbers of `linux/capability.h`. */
export function identity(
  uid: number,
  extra: readonly number[] = [],
  capabilities: readonly number[] = [],
): ActingIdentity {
  return { uid, gid: uid, groups: extra, capabilities: new Set(capabilities) }
}

interface Shape extends Partial<Omit<PathState, 'uid' | 'gid' | 'mode'>> {
  readonly acl?: PathState['acl']
}

/** `type owner:group mode`, and what else is to be there. */
export function row(
  type: PathState['type'],
  uid: number,
  gid: number,
  mode: number,
  more: Shape = {},
): Fact<PathState> {
  const owners = { uid: known(uid), gid: known(gid) }
  return { is: 'present', state: { type, mode, ...owners, size: 0, links: 1, acl: 'none', ...more } }
}

/** Root's `/`, `/run` and `/etc`, and what is given; `absent` below them what is not. */
export function rowsOf(given: Readonly<Record<string, Fact<PathState>>>): Rows {
  const all = new Map<string, Fact<PathState>>([
    ['/', row('directory', root, root, 0o755)],
    ['/run', row('directory', root, root, 0o755)],
    ['/etc', row('directory', root, root, 0o755)],
    ...Object.entries(given),
  ])
  return (path) => all.get(path)
}

/** An ACL of a row: its entries as `getfacl -n` prints them. */
export function acl(...entries: readonly string[]): Pick<PathState, 'acl' | 'aclWhole'> {
  return { acl: 'present', aclWhole: entries }
}
