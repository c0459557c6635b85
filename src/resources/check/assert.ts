import { UnknownText } from '../../model/text.ts'
import type { Resource } from '../../model/resource.ts'
import { problem, refused } from '../common/result.ts'
import { difference } from '../common/show.ts'

/** One expression of an `assert` with what it came to. */
export interface Assertion {
  readonly expression: string
  readonly holds: boolean | UnknownText
}

/**
 * A check whose answers the template engine gave. No change can make a false one true, so it is refused, and
 * with it everything that would be done on this host: an assertion may guard what comes after it.
 *
 * @param key unique within the play and stable from run to run: the task's id
 * @param message what to say where an expression does not hold
 */
export function assertResource(key: string, assertions: readonly Assertion[], message?: string): Resource {
  return {
    id: `assert:${key}`,
    sameness: JSON.stringify({ assertions: assertions.map(({ expression }) => expression), message }),
    atoms: [],
    plan: () => {
      const failed = assertions.filter(({ holds }) => holds === false).map(({ expression }) => expression)
      if (failed.length > 0) {
        return refused(
          problem(
            'resource.assertion',
            key,
            `expected ${failed.join(' and ')} to hold, found false`,
            message,
          ),
        )
      }
      const after = assertions.flatMap(({ holds }) => (holds instanceof UnknownText ? holds.origins : []))
      return after.length > 0 ? { is: 'pending', ops: [], after } : { is: 'same' }
    },
    health: () =>
      assertions
        .filter(({ holds }) => holds === false)
        .map(({ expression }) => difference(expression, 'false', 'true')),
  }
}
