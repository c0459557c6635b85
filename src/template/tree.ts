import { KmsfleetError } from '../errors/error.ts'

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Keys that would reach a prototype in careless hands. */
const refusedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Entries of a Map or of a plain object; keys are strings in both. Undefined for anything else. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (value instanceof Map) return [...value.entries()].map(([key, item]) => [String(key), item] as const)
  return isRecord(value) ? Object.entries(value) : undefined
}

/** A dictionary without prototype; refuses the keys that would reach one. */
export function dictionaryOf<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const made: Record<string, T> = {}
  Object.setPrototypeOf(made, null)
  for (const [key, value] of entries) {
    if (refusedKeys.has(key)) {
      throw new KmsfleetError(
        'template.failed',
        `expected a dictionary of plain keys, found the key \`${key}\``,
        {
          hint: 'choose another name for the key',
        },
      )
    }
    made[key] = value
  }
  return made
}

/** The part of a value that one written-out step leads to. */
export function stepInto(value: unknown, step: string | number): { readonly found: unknown } | undefined {
  if (Array.isArray(value)) {
    return typeof step === 'number' && step < value.length ? { found: value[step] } : undefined
  }
  if (value instanceof Map) {
    if (value.has(step)) return { found: value.get(step) }
    return value.has(String(step)) ? { found: value.get(String(step)) } : undefined
  }
  return isRecord(value) && Object.hasOwn(value, step) ? { found: value[step] } : undefined
}
