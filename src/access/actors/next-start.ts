import type { Actor } from '../../model/access.ts'
import { folderKey, type Snapshot } from '../../model/facts.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { bootSettings, bootUnitAtoms } from '../../resources/next_boot/unit.ts'
import { ascending, type Accounts } from './accounts.ts'
import type { Credentials } from './identity.ts'
import { readPod, type Pod } from './pod.ts'

/** Who an actor will be when it is started next, by its unit with all drop-ins or by its pod's manifest. */
export type NextStart =
  | {
      readonly is: 'found'
      readonly from: string
      readonly credentials: Credentials
      /** Names of capabilities that it is given. */
      readonly capabilities: readonly string[]
    }
  | { readonly is: 'unknown'; readonly because: string }

/** Bytes of a manifest that are read at most. */
const manifestLimit = 256 * 1024

const unknown = (because: string): NextStart => ({ is: 'unknown', because })

/** What {@link nextStart} is read from. */
export function nextStartAtoms({ running }: Actor): readonly ReadAtom[] {
  if (running === undefined) return []
  return running.by === 'unit'
    ? bootUnitAtoms(running.unit)
    : [{ atom: 'path', path: running.manifest, bytesUpTo: manifestLimit }]
}

export function nextStart({ running }: Actor, snapshot: Snapshot, accounts: Accounts): NextStart {
  if (running === undefined) return unknown('the matrix does not say how it is started')
  if (running.by === 'unit') return ofUnit(running.unit, snapshot, accounts)
  const pod = podOf(running.manifest, running.container, snapshot)
  if (typeof pod === 'string') return unknown(pod)
  // Without runAsGroup the image's own passwd decides; container runtimes give 0 where it has no such user.
  const gid = pod.runAsGroup ?? 0
  return {
    is: 'found',
    from: running.manifest,
    credentials: { uid: pod.runAsUser, gid, groups: ascending([gid, ...pod.supplementalGroups]) },
    capabilities: pod.privileged ? ['all'] : pod.addedCapabilities,
  }
}

/** The pod of a manifest on the host, or why it cannot be told. */
export function podOf(manifest: string, container: string | undefined, { paths }: Snapshot): Pod | string {
  const fact = paths.get(manifest)
  if (fact?.is === 'absent') return `there is no ${manifest}`
  const bytes = fact?.is === 'present' ? fact.state.bytes : undefined
  if (bytes === undefined) return `${manifest} cannot be read, or others than root can write it`
  const pod = readPod(manifest, Buffer.from(bytes.reveal()).toString('utf8'), container)
  return pod ?? `${manifest} is no manifest of such a pod`
}

function ofUnit(unit: string, { folders }: Snapshot, accounts: Accounts): NextStart {
  const found = bootSettings(unit, (path, ending) => folders.get(folderKey(path, ending)) ?? { is: 'absent' })
  if (found.is === 'absent') return unknown(`there is no ${unit}`)
  if (found.is !== 'found') return unknown(`${unit} or a drop-in of it cannot be read`)
  const last = (key: string): string | undefined => found.settings.get(key)?.at(-1)?.value
  const words = (key: string): readonly string[] =>
    (found.settings.get(key) ?? []).flatMap(({ value }) => value.split(/\s+/))
  const user = last('User') ?? 'root'
  const uid = accounts.uid(user)
  if (uid === undefined) return unknown(`${unit} names user ${user}, whom the host does not have`)
  const own = accounts.groupsOf(user)
  const group = last('Group') ?? String(own?.primary ?? uid)
  const gid = accounts.gid(group)
  if (gid === undefined) return unknown(`${unit} names group ${group}, which the host does not have`)
  const added = words('SupplementaryGroups').map((name) => [name, accounts.gid(name)] as const)
  const [missing] = added.find(([, each]) => each === undefined) ?? []
  if (missing !== undefined) return unknown(`${unit} names group ${missing}, which the host does not have`)
  const numbers = added.flatMap(([, each]) => (each === undefined ? [] : [each]))
  return {
    is: 'found',
    from: unit,
    // systemd initialises the groups of the user's account, and adds those of the unit.
    credentials: { uid, gid, groups: ascending([gid, ...(own?.all ?? []), ...numbers]) },
    capabilities: words('AmbientCapabilities'),
  }
}
