import type { ActingIdentity, Evaluation } from '../../model/access.ts'
import { evaluate } from './evaluate.ts'
import type { Names } from './words.ts'
import type { Rows } from './walk.ts'

/** Answers whether what stands at a path could be moved aside to put another thing at a path below it. */
export type Movable = (path: string) => boolean

/**
 * Can something else be put in the place of what stands at the path? Either there, or by moving a directory on the way
 * aside and making the path anew: `/v/o/c` is replaced by who may rename `/v/o`. Pure.
 */
export function evaluateReplacement(
  who: ActingIdentity,
  path: string,
  rows: Rows,
  names: Names,
  movable: Movable,
): Evaluation {
  const own = evaluate(who, 'replace', path, rows, names)
  const above = entriesAbove(own, path)
    .filter(movable)
    .map((entry) => evaluate(who, 'replace', entry, rows, names))
  const all = [own, ...above]
  return all.find(({ is }) => is === 'granted') ?? all.find(({ is }) => is === 'unknown') ?? own
}

/** The directories and links that the walk to the path came by, as the kernel knows them. */
function entriesAbove({ steps }: Evaluation, path: string): readonly string[] {
  const passed = steps.filter(({ needs }) => needs === 'search' || needs === 'to be followed')
  return [...new Set(passed.map((step) => step.path))].filter((each) => each !== '/' && each !== path)
}
