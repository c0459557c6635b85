import type { Fact, GroupState, PathState, Snapshot, UserState } from '../../src/model/facts.ts'
import type { ProcessState } from '../../src/model/process.ts'
import { Secret } from '../../src/model/secret.ts'
import { ancestorsOf } from '../../src/resources/common/paths.ts'
import { known } from '../../src/model/value.ts'

/** What a host without anything says; tests put in what they are about. */
export function snapshotWith(parts: Partial<Snapshot> = {}): Snapshot {
  return {
    host: {
      ...{ kernel: '6.1', machine: 'x86_64', bootId: 'b', systemd: true, selinux: 'absent', uid: 0 },
      ...{ customLabels: new Set(), tools: new Set(), distribution: 'debian 12' },
    },
    ...{ paths: new Map(), users: new Map(), groups: new Map(), units: new Map(), tests: new Map() },
    ...{
      folders: new Map(),
      policyLabels: new Map(),
      pairs: new Map(),
      processes: new Map(),
    },
    ...{ attempts: new Map(), held: new Map(), said: new Map(), entries: new Map(), owed: new Set() },
    ...parts,
  }
}

export const user = (uid: number, gid: number): Fact<UserState> => ({
  is: 'present',
  state: {
    ...{ uid: known(uid), gid: known(gid), gecos: '', home: '/', shell: '/usr/sbin/nologin' },
    ...{ password: 'locked', source: 'local' },
  },
})

export const group = (gid: number, ...members: readonly string[]): Fact<GroupState> => ({
  is: 'present',
  state: { gid: known(gid), members, primaryOf: [], source: 'local' },
})

/** A file that root alone writes, with this text. */
export const text = (content: string): Fact<PathState> => ({
  is: 'present',
  state: {
    ...{
      type: 'file',
      mode: 0o640,
      uid: known(0),
      gid: known(0),
      size: content.length,
      links: 1,
      acl: 'none',
    },
    bytes: new Secret('test', Buffer.from(content)),
  },
})

const ids = (each: number): ProcessState['uids'] => ({
  ...{ real: each, effective: each, saved: each, filesystem: each },
})

export const process = (
  uid: number,
  gid: number,
  groups: readonly number[],
  changes: Partial<ProcessState> = {},
): ProcessState => ({
  ...{ pid: 812, started: '1', uids: ids(uid), gids: ids(gid), groups, noNewPrivileges: true },
  capabilities: { effective: new Set(), permitted: new Set(), bounding: new Set(), ambient: new Set() },
  ...{ userNamespace: 'initial', mountNamespace: 'ours', exe: { inode: '1:2', path: '/usr/bin/x' } },
  ...changes,
})

export const unreadable = (message: string): Fact<never> => ({
  is: 'unreadable',
  problem: { code: 'host.unreadable', message, subject: 'it' },
})

/** These paths, and those that a frame tells of beside: directories of root on the way to each. */
export function withAncestors(paths: Readonly<Record<string, Fact<PathState>>>): Snapshot['paths'] {
  const directory: Fact<PathState> = {
    is: 'present',
    state: {
      ...{ type: 'directory', mode: 0o755, uid: known(0), gid: known(0), size: 1, links: 2, acl: 'none' },
    },
  }
  return new Map([
    ...Object.keys(paths)
      .flatMap(ancestorsOf)
      .map((path) => [path, directory] as const),
    ...Object.entries(paths),
  ])
}
