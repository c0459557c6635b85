import type { World } from '../../model/resource.ts'
import type { ReadAtom, TestAtom } from '../../model/wire.ts'

/** What runs the provider. */
export type RunBy =
  | { readonly by: 'unit'; readonly unit: string }
  /** `live` answers 200 as long as a process of the pod does. */
  | { readonly by: 'manifest'; readonly path: string; readonly live: string }

/** Does a provider run? Only what is certain is yes or no; `found` says what was seen. */
export interface Running {
  readonly is: 'running' | 'stopped' | 'unknown'
  readonly found: string
}

export function runAtoms(runBy: RunBy): readonly ReadAtom[] {
  if (runBy.by === 'unit') return [{ atom: 'unit', unit: runBy.unit }]
  return [{ atom: 'path', path: runBy.path }, liveTest(runBy.live)]
}

function liveTest(url: string): TestAtom {
  return { atom: 'http', key: `http:${url}`, url }
}

export function whetherRuns(runBy: RunBy, world: World): Running {
  return runBy.by === 'unit' ? unitRuns(runBy.unit, world) : podRuns(runBy, world)
}

function unitRuns(unit: string, world: World): Running {
  const fact = world.unit(unit)
  if (fact.is === 'unreadable') return { is: 'unknown', found: fact.problem.message }
  if (fact.is === 'absent') return { is: 'stopped', found: `no unit ${unit}` }
  const { active } = fact.state
  const found = `${unit} ${active}`
  if (active === 'inactive' || active === 'failed') return { is: 'stopped', found }
  // One that starts again and again is not down, and does no work.
  return { is: active === 'active' ? 'running' : 'unknown', found }
}

function podRuns({ path, live }: Extract<RunBy, { by: 'manifest' }>, world: World): Running {
  const manifest = world.path(path)
  if (manifest.is === 'unreadable') return { is: 'unknown', found: manifest.problem.message }
  const answer = world.test(liveTest(live).key)
  const answers = answer?.answer === 'yes'
  if (manifest.is === 'present') {
    const found = `the manifest ${path}, and ${answers ? 'an' : 'no'} answer at ${live}`
    return { is: answers ? 'running' : 'unknown', found }
  }
  if (answer?.answer === 'no') return { is: 'stopped', found: `no manifest ${path}` }
  if (answers) return { is: 'running', found: `an answer at ${live}` }
  return { is: 'unknown', found: answer?.detail ?? `no question to ${live}` }
}
