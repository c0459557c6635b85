/** A YAML dictionary as this folder makes it, or a plain object that a schema made of one. */
export type Dictionary = Readonly<Record<string, unknown>>

export function isDictionary(value: unknown): value is Dictionary {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** A dictionary that inherits nothing, so that no key can be mistaken for a method. */
export function emptyDictionary(): Record<string, unknown> {
  const dictionary: Record<string, unknown> = {}
  Object.setPrototypeOf(dictionary, null)
  return dictionary
}

/** Entries of a dictionary; of nothing at all where the value is empty. */
export function dictionaryEntries(value: unknown): readonly (readonly [string, unknown])[] {
  return isDictionary(value) ? Object.entries(value) : []
}
