/** A scalar as it was written. */
export interface ScalarSource {
  readonly text: string
  readonly quoted: boolean
}

/** One part of a parsed document: its value, and where it and its own parts stand in the text. */
export interface Part {
  /** A YAML value; dictionaries are objects without a prototype. */
  readonly value: unknown
  /** Offset of its first character. */
  readonly offset: number
  readonly source?: ScalarSource
  /** Of a dictionary by key, of a list by index written as a string. */
  readonly entries?: ReadonlyMap<string, Entry>
  /** Number of parts in it, itself included and aliases expanded. */
  readonly weight: number
}

export interface Entry {
  /** Offset of the key; of the element itself in a list. */
  readonly keyOffset: number
  readonly part: Part
}

/** The entry at the end of `path`, or the nearest one that exists; `exact` tells which. */
export function findPart(
  root: Part,
  path: readonly PropertyKey[],
): { readonly part: Part; readonly keyOffset: number; readonly exact: boolean } {
  let part = root
  let keyOffset = root.offset
  for (const key of path) {
    const entry = part.entries?.get(String(key))
    if (entry === undefined) return { part, keyOffset, exact: false }
    part = entry.part
    keyOffset = entry.keyOffset
  }
  return { part, keyOffset, exact: true }
}
