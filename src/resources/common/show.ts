import type { Difference } from '../../model/resource.ts'
import { known, type Value } from '../../model/value.ts'

/** A difference between two values that are both known. */
export function difference(attribute: string, from: string, to: string): Difference {
  return { attribute, from: known(from), to: known(to) }
}

/** Differences of something that does not exist yet: each attribute from `absent`. */
export function differencesOfNew(
  type: string,
  attributes: readonly (readonly [attribute: string, to: string | Value<string>])[],
): readonly Difference[] {
  return [
    difference('state', 'absent', type),
    ...attributes.map(([attribute, to]) => ({
      attribute,
      from: known('absent'),
      to: typeof to === 'string' ? known(to) : to,
    })),
  ]
}

/** A list as a person reads it; `none` where it is empty. */
export function showNames(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}

/** An argument list, with quotes only where they are needed to tell the arguments apart. */
export function showArgv(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w%+,./:=@{}-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')
}

/** An id's value for a difference, or that it is yet to be known. */
export function showId(id: Value<number>): Value<string> {
  return id.known ? known(String(id.value)) : id
}
