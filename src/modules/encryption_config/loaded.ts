import type { PathState } from '../../model/facts.ts'
import type { Planned, Resource, World } from '../../model/resource.ts'
import { known } from '../../model/value.ts'
import type { ReadAtom } from '../../model/wire.ts'
import type { ProcessState } from '../../model/process.ts'
import { flagOf, isOn } from '../../resources/api_server_pod/manifest.ts'
import { encryptionFlag } from '../../resources/api_server_pod/needs.ts'

/** Who runs the API server: a unit of the host, or the container of a static pod. */
export type RunBy =
  { readonly by: 'unit'; readonly unit: string } | { readonly by: 'container'; readonly container: string }

/** What must be asked to know what the API server runs with. */
export function loadedAtoms(path: string, runBy: RunBy): readonly ReadAtom[] {
  return [
    { atom: 'path', path },
    runBy.by === 'unit'
      ? { atom: 'unit', unit: runBy.unit }
      : {
          atom: 'process',
          key: processKey(path, runBy.container),
          of: { by: 'pod', namespace: 'kube-system', name: runBy.container, container: runBy.container },
          about: { sees: path },
        },
  ]
}

function processKey(path: string, container: string): string {
  return `${container} with ${path}`
}

/**
 * Does the API server run with its configuration as it is now? A check that only a restart of it answers, and nobody
 * restarts an API server by surprise.
 */
export function loadedCheck(path: string, runBy: RunBy): Resource {
  return {
    id: `loaded:${path}`,
    sameness: JSON.stringify({ path, runBy }),
    atoms: loadedAtoms(path, runBy),
    plan: (world) => {
      const found = notLoaded(path, runBy, world)
      if (found === undefined) return { is: 'same' }
      return unmet(runBy, path, found)
    },
  }
}

/** Why it cannot be shown that the API server runs with the file; undefined where it does. */
export function notLoaded(path: string, runBy: RunBy, world: World): string | undefined {
  const fact = world.path(path)
  if (fact.is !== 'present') return `nothing at ${path}`
  const written = writtenAt(fact.state)
  if (world.changed(`path:${path}`) || written === undefined) return 'it is written only now'
  return runBy.by === 'unit'
    ? notLoadedByUnit(path, runBy.unit, written, world)
    : notLoadedByContainer(path, runBy.container, { ...fact.state, written }, world)
}

/** A file that was moved here has an older time of modification, and that can be set by hand. */
function writtenAt({ modified, changed }: PathState): number | undefined {
  return modified === undefined ? undefined : Math.max(modified, changed ?? modified)
}

function notLoadedByUnit(path: string, unit: string, written: number, world: World): string | undefined {
  const state = world.unit(unit)
  if (state.is !== 'present' || state.state.active !== 'active') return `${unit} is not active`
  // Both to the second: of one that was written in the second of the start nothing can be said.
  return state.state.since > written ? undefined : `${unit} was started before ${path} was written`
}

function notLoadedByContainer(
  path: string,
  container: string,
  file: PathState & { readonly written: number },
  world: World,
): string | undefined {
  const fact = world.processes(processKey(path, container))
  if (fact.is === 'unreadable') return fact.problem.message
  const [process, other] = (fact.is === 'present' ? fact.state : []).flatMap(withFlag)
  if (process === undefined) {
    return `no process of a container ${container} in a static pod was started with ${encryptionFlag}`
  }
  if (other !== undefined) return `several processes of a container ${container} run with ${encryptionFlag}`
  const { flag, about } = process
  const name = `the process of ${container}`
  if (flag !== path) return `${name} runs with ${flag}`
  if (process.userNamespace === 'other')
    return `${name} is in a user namespace of its own, where nothing can be told`
  if (about.sees !== `${file.device ?? ''}:${file.inode ?? ''}`) {
    return `${name} sees another file at ${path} than the host has`
  }
  // Its start is rounded down to the second, and so is the clock's own beginning.
  if (about.since > file.written + 1) return undefined
  const late = `${name} was started before ${path} was written`
  // One that it refuses it drops without a word that could be read here, and goes on with what it had.
  return isOn(about.argv, `${encryptionFlag}-automatic-reload`)
    ? `${late}; that it reloaded it by itself cannot be shown`
    : late
}

/** One that was told of an encryption configuration. */
function withFlag({ userNamespace, about }: ProcessState) {
  const flag = about === undefined ? undefined : flagOf(about.argv, encryptionFlag)
  return about === undefined || flag === undefined ? [] : [{ userNamespace, about, flag }]
}

function unmet(runBy: RunBy, path: string, found: string): Planned {
  const who = runBy.by === 'unit' ? runBy.unit : runBy.container
  return {
    is: 'unmet',
    differences: [
      {
        attribute: 'loaded',
        from: known(found),
        to: known(`${who} started after ${path} was written: restart it`),
      },
    ],
    ops: [],
  }
}
