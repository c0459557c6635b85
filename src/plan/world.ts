import {
  folderKey,
  type Fact,
  type FolderState,
  type PathState,
  type Snapshot,
  type TestState,
} from '../model/facts.ts'
import type { Effect, Subject, World } from '../model/resource.ts'
import type { Origin } from '../model/value.ts'

/** A world that a plan is made against: what one snapshot observed, overlaid by the effects of planned changes. */
export interface PlanningWorld extends World {
  /** Lays the effects of a planned change over what was observed. */
  apply(effects: readonly Effect[]): void
  /** Changes after which alone it is known what stands at the path. */
  doubts(path: string): readonly Origin[]
}

/** A world that predicts nothing yet. The snapshot is not changed by it. */
export function createWorld(snapshot: Snapshot): PlanningWorld {
  const paths = new Map(snapshot.paths)
  const users = new Map(snapshot.users)
  const groups = new Map(snapshot.groups)
  const units = new Map(snapshot.units)
  const tests = new Map(snapshot.tests)
  const changed = new Set<Subject>()
  const unsure: { readonly root: string; readonly origin: Origin }[] = []
  let acted = false
  return {
    host: snapshot.host,
    path: (path) => paths.get(path) ?? notAsked(path, paths),
    user: (name) => users.get(name) ?? absent,
    group: (name) => groups.get(name) ?? absent,
    unit: (unit) => units.get(unit) ?? absent,
    processes: (key) => snapshot.processes.get(key) ?? absent,
    folder: (path, ending) => predictedFolder(path, ending, snapshot, paths, changed),
    policyLabel: (path) => snapshot.policyLabels.get(path),
    pair: (path) => snapshot.pairs.get(path) ?? absent,
    test: (key): TestState | undefined => tests.get(key),
    users: () => users,
    groups: () => groups,
    changed: (subject) => changed.has(subject),
    changedBelow: (folder) =>
      [...changed]
        .filter((subject) => subject.startsWith(`path:${folder}/`))
        .map((subject) => subject.slice('path:'.length)),
    get anyChange() {
      return acted
    },
    doubts: (path) =>
      unsure.filter(({ root }) => path === root || path.startsWith(`${root}/`)).map(({ origin }) => origin),
    apply: (effects) => {
      acted = true
      for (const effect of effects) {
        switch (effect.set) {
          case 'path':
            paths.set(effect.key, effect.fact)
            break
          case 'user':
            users.set(effect.key, effect.fact)
            break
          case 'group':
            groups.set(effect.key, effect.fact)
            break
          case 'unit':
            units.set(effect.key, effect.fact)
            break
          case 'test':
            tests.set(effect.key, effect.state)
            continue
          case 'unsure':
            unsure.push({ root: firstAbsent(effect.key, paths), origin: effect.origin })
            continue
        }
        changed.add(`${effect.set}:${effect.key}`)
      }
    },
  }
}

const absent = { is: 'absent' } as const

/** A folder's files as observed, overlaid by what earlier changes of this plan put there or took away. */
function predictedFolder(
  path: string,
  ending: string,
  snapshot: Snapshot,
  paths: ReadonlyMap<string, Fact<PathState>>,
  changed: ReadonlySet<Subject>,
): Fact<FolderState> {
  const observed = snapshot.folders.get(folderKey(path, ending)) ?? absent
  if (observed.is === 'unreadable') return observed
  const files = new Map(observed.is === 'present' ? observed.state : [])
  for (const subject of changed) {
    const name = subject.startsWith(`path:${path}/`) ? subject.slice(`path:${path}/`.length) : ''
    if (!name.endsWith(ending) || name.startsWith('.') || name.includes('/')) continue
    const fact = paths.get(`${path}/${name}`)
    if (fact?.is === 'present') files.set(name, textOf(fact.state))
    else files.delete(name)
  }
  return { is: 'present', state: files }
}

function textOf({ bytes }: PathState): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes.reveal()).toString('utf8')
}

/**
 * A path that no atom asked for is known only where an ancestor is known to be absent. Anything else would be
 * a guess, and a plan must not rest on one.
 */
function notAsked(path: string, paths: ReadonlyMap<string, Fact<PathState>>): Fact<PathState> {
  for (let parent = parentOf(path); parent !== path; path = parent, parent = parentOf(path)) {
    if (paths.get(parent)?.is === 'absent') return absent
    if (parent === '/') break
  }
  return {
    is: 'unreadable',
    problem: { code: 'host.protocol', message: `${path} was not asked of the host`, subject: path },
  }
}

/** Who makes a path makes all of its folders that are missing: the topmost of them, or else the path itself. */
function firstAbsent(path: string, paths: ReadonlyMap<string, Fact<PathState>>): string {
  let first = path
  for (let at = parentOf(path); at !== '/'; at = parentOf(at)) {
    if (paths.get(at)?.is === 'absent') first = at
  }
  return first
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1))
}
