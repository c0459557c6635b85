import type {
  Fact,
  GroupState,
  HostState,
  PathState,
  Snapshot,
  TestState,
  UnitState,
  UserState,
} from '../../src/model/facts.ts'
import { folderKey, type FolderState } from '../../src/model/facts.ts'
import type { ProcessState } from '../../src/model/process.ts'
import type { Planned, Resource } from '../../src/model/resource.ts'
import { known } from '../../src/model/value.ts'
import { createWorld, type PlanningWorld } from '../../src/plan/world.ts'
import { ancestorsOf } from '../../src/resources/common/paths.ts'

/** What a test says of a host; everything it does not say is a plain Debian's. */
export interface WorldSpec {
  readonly host?: Partial<HostState>
  /** `null` or a missing key: absent. Ancestors of every path are plain root directories unless said. */
  readonly paths?: Readonly<Record<string, PathState | null>>
  readonly users?: Readonly<Record<string, UserState>>
  readonly groups?: Readonly<Record<string, GroupState>>
  readonly units?: Readonly<Record<string, UnitState>>
  readonly tests?: Readonly<Record<string, TestState>>
  /** Labels that the policy of the host gives. */
  readonly policyLabels?: Readonly<Record<string, string>>
  /** By the key of the atom. */
  readonly processes?: Readonly<Record<string, readonly ProcessState[]>>
  /** Texts of configuration files by path; each is in every folder that was asked of and that it stands in. */
  readonly configuration?: Readonly<Record<string, string>>
}

export type Paths = NonNullable<WorldSpec['paths']>
export type Units = NonNullable<WorldSpec['units']>

const tools = [
  'groupadd',
  'useradd',
  'usermod',
  'gpasswd',
  'systemctl',
  'systemd-sysusers',
  'systemd-tmpfiles',
]

/** A Debian with systemd and its tools. */
export const host: HostState = {
  kernel: '6.1.0',
  machine: 'x86_64',
  bootId: 'b',
  systemd: true,
  selinux: 'absent',
  customLabels: new Set(),
  uid: 0,
  tools: new Set(tools),
  distribution: 'debian 12',
}

/** A directory of root's, open to all readers; inodes come from the path. */
export function directory(state: Partial<PathState> = {}): PathState {
  return { type: 'directory', ...rootOwned, mode: 0o755, links: 2, ...state }
}

export function file(state: Partial<PathState> = {}): PathState {
  return { type: 'file', ...rootOwned, mode: 0o644, modified: 1000, ...state }
}

export function link(target: string): PathState {
  return { type: 'link', ...rootOwned, mode: 0o777, target }
}

const rootOwned = {
  uid: known(0),
  gid: known(0),
  size: 0,
  links: 1,
  acl: 'none',
  device: '1',
} as const

export function user(uid: number, state: Partial<UserState> = {}): UserState {
  return {
    uid: known(uid),
    gid: known(uid),
    gecos: '',
    home: '/',
    shell: '/usr/sbin/nologin',
    password: 'locked',
    source: 'local',
    ...state,
  }
}

export function group(gid: number, state: Partial<GroupState> = {}): GroupState {
  return { gid: known(gid), members: [], primaryOf: [], source: 'local', ...state }
}

export function unit(state: Partial<UnitState> = {}): UnitState {
  return {
    load: 'loaded',
    active: 'active',
    sub: 'running',
    result: 'success',
    enabled: 'enabled',
    needReload: false,
    conditionMet: true,
    mainPid: 42,
    restarts: 0,
    fragment: '/etc/systemd/system/x.service',
    dropIns: [],
    invocation: 'i',
    since: 2000,
    ...state,
  }
}

function filesIn(
  { path, ending }: { readonly path: string; readonly ending: string },
  texts: Readonly<Record<string, string>>,
): FolderState {
  return new Map(
    Object.entries(texts).flatMap(([file, text]) => {
      const name = file.slice(path.length + 1)
      return file.startsWith(`${path}/`) && name.endsWith(ending) && !name.includes('/') ? [[name, text]] : []
    }),
  )
}

/** What one frame would have observed for the resources, on a host as described. */
export function snapshot(spec: WorldSpec, resources: readonly Resource[]): Snapshot {
  const atoms = resources.flatMap((resource) => resource.atoms)
  const asked = atoms.flatMap((atom) => (atom.atom === 'path' ? [atom.path] : []))
  const told = Object.keys(spec.paths ?? {})
  const known = new Set([...asked, ...told].flatMap((path) => [...ancestorsOf(path), path]))
  return {
    host: { ...host, ...spec.host },
    paths: new Map([...known].map((path) => [path, pathFact(path, spec.paths ?? {}, told)])),
    users: facts({ root: user(0), ...spec.users }),
    groups: facts({ root: group(0, { primaryOf: ['root'] }), ...spec.groups }),
    units: facts(spec.units ?? {}),
    tests: new Map(Object.entries(spec.tests ?? {})),
    policyLabels: new Map(Object.entries(spec.policyLabels ?? {})),
    pairs: new Map(),
    processes: facts(spec.processes ?? {}),
    attempts: new Map(),
    held: new Map(),
    said: new Map(),
    entries: new Map(),
    folders: new Map(
      atoms.flatMap((atom) =>
        atom.atom === 'folder'
          ? [
              [
                folderKey(atom.path, atom.ending),
                { is: 'present', state: filesIn(atom, spec.configuration ?? {}) },
              ],
            ]
          : [],
      ),
    ),
    owed: new Set(),
  }
}

function pathFact(path: string, paths: Paths, told: readonly string[]): Fact<PathState> {
  const said = paths[path]
  if (said === null) return { is: 'absent' }
  if (said !== undefined) return present(path, said)
  const isAncestor = told.some((other) => ancestorsOf(other).includes(path) && paths[other] !== null)
  return isAncestor || ['/', '/etc', '/run', '/var', '/var/lib', '/usr', '/usr/bin'].includes(path)
    ? present(path, directory())
    : { is: 'absent' }
}

function present(path: string, state: PathState): Fact<PathState> {
  return { is: 'present', state: { inode: `i${path}`, ...state }, token: `row ${path}` }
}

function facts<T>(states: Readonly<Record<string, T>>): ReadonlyMap<string, Fact<T>> {
  return new Map(Object.entries(states).map(([name, state]) => [name, { is: 'present', state, token: name }]))
}

/** A world that answers what the resources ask. */
export function worldFor(spec: WorldSpec, ...resources: readonly Resource[]): PlanningWorld {
  return createWorld(snapshot(spec, resources))
}

/** Plans the resources in order, each on the world that those before it leave. */
export function planAll(spec: WorldSpec, ...resources: readonly Resource[]): readonly Planned[] {
  const world = worldFor(spec, ...resources)
  return resources.map((resource) => take(world, resource))
}

/** Plans one and lays its effects over the world. */
export function take(world: PlanningWorld, resource: Resource): Planned {
  const planned = resource.plan(world)
  if (planned.is === 'change') world.apply(planned.effects)
  return planned
}

/** A plan in one string a difference, a refusal as its message: what tables of cases compare. */
export function summary(planned: Planned): string | readonly string[] {
  switch (planned.is) {
    case 'same':
    case 'pending':
      return planned.is
    case 'refused':
      return `refused: ${planned.problem.message}`
    case 'change':
    case 'unmet':
      return planned.differences.map(
        ({ attribute, from, to }) =>
          `${attribute}: ${from.known ? from.value : '?'} → ${to.known ? to.value : `(known after ${to.after} ${to.field})`}`,
      )
  }
}

/** Names of the operations of a change. */
export function opNames(planned: Planned): readonly string[] {
  return 'ops' in planned ? planned.ops.map(({ op }) => op) : []
}
