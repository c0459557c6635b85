import type { Fact, PathState } from '../../model/facts.ts'
import type { Problem } from '../../model/problem.ts'
import type { World } from '../../model/resource.ts'
import type { Expect } from '../../model/wire.ts'
import { problem } from './result.ts'

/** What a change relies on: the row that was observed, that nothing is there, or what this run made. */
export function expectOf(fact: Fact<PathState>): Expect {
  if (fact.is !== 'present') return { absent: true }
  return fact.token === undefined ? { madeHere: true } : { token: fact.token }
}

/** Why nothing at the path can be changed, or undefined. `parent` decides for what does not exist yet. */
export function cannotChange(
  path: string,
  parent: PathState | undefined,
  state: PathState | undefined,
): Problem | undefined {
  if (state?.readOnlyMount === true || parent?.readOnlyMount === true) {
    return problem(
      'resource.read-only',
      path,
      `expected ${path} to be writable, found its file system mounted read-only`,
      'Choose a destination on a writable file system.',
    )
  }
  const held = state?.immutable === true ? path : parent?.immutable === true ? 'its directory' : undefined
  if (held === undefined) return undefined
  return problem(
    'resource.immutable',
    path,
    `expected ${path} to be changeable, found the immutable or append-only attribute on ${held}`,
    'Find out who set it; `chattr -i -a` lifts it.',
  )
}

/**
 * Will an earlier change of this plan have put other bytes at the path? Mending owner or mode in place
 * keeps the time of modification, everything else drops it from the prediction.
 */
export function replacedHere(path: string, world: World): boolean {
  if (!world.changed(`path:${path}`)) return false
  const fact = world.path(path)
  return fact.is !== 'present' || fact.state.modified === undefined
}
