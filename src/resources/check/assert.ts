import { UnknownText } from '../../model/text.ts'
import type { Resource } from '../../model/resource.ts'
import { difference } from '../common/show.ts'

/** One expression of an `assert` with what it came to. */
export interface Assertion {
  readonly expression: string
  readonly holds: boolean | UnknownText
}

/**
 * A check whose answers the template engine gave.
 *
 * @param key unique within the play and stable from run to run: the task's id
 * @param message what to say beside an expression that does not hold
 */
export function assertResource(key: string, assertions: readonly Assertion[], message?: string): Resource {
  return {
    id: `assert:${key}`,
    sameness: JSON.stringify({ assertions: assertions.map(({ expression }) => expression), message }),
    atoms: [],
    plan: () => {
      const failed = assertions.filter(({ holds }) => holds === false)
      if (failed.length > 0) {
        return {
          is: 'unmet',
          differences: failed.map(({ expression }) =>
            difference(expression, message === undefined ? 'false' : `false: ${message}`, 'true'),
          ),
          ops: [],
        }
      }
      return assertions.some(({ holds }) => holds instanceof UnknownText)
        ? { is: 'pending', ops: [] }
        : { is: 'same' }
    },
  }
}
