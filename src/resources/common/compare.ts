import type { Value } from '../../model/value.ts'

/** Are both known and equal, or both the same unknown? */
export function sameValue<T>(left: Value<T>, right: Value<T>): boolean {
  if (left.known) return right.known && left.value === right.value
  return !right.known && left.after === right.after && left.field === right.field
}
