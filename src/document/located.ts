import type { Place } from '../errors/place.ts'

/**
 * A value read from a file, with the place of each of its parts. Dictionaries are objects without a
 * prototype; `__proto__`, `constructor` and `prototype` were refused as keys.
 */
export interface Located<T = unknown> {
  readonly value: T
  /** Place of the part at `path` (keys and indexes); of the nearest enclosing part where it does not exist. */
  place(path?: readonly PropertyKey[]): Place
  /** The scalar as it was written, such as `0644`: tells `0644` from `"0644"`. Undefined for collections. */
  source(path: readonly PropertyKey[]): { readonly text: string; readonly quoted: boolean } | undefined
}
