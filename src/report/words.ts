import type { Origin, Value } from '../model/value.ts'

/** `1 change`, `2 changes`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${String(number)} ${number === 1 ? noun : plural}`
}

/** A duration as people say it: `340 ms`, `2.1 s`, `3 min 4 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${String(Math.round(milliseconds))} ms`
  // 59,960 ms would round to `60.0 s`.
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1000)
  return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`
}

/** `the gid of group:openbao-kms-socket`, several joined by `and`, each once. */
export function origins(list: readonly Origin[]): string {
  return [...new Set(list.map((origin) => `the ${origin.field} of ${origin.after}`))].join(' and ')
}

/** Longest value that a line of a report holds; more is counted. */
const longestValue = 300

/** A value of a difference of a resource; unknown ones say what they wait for. */
export function showValue(value: Value<string>, resource?: string): string {
  if (!value.known && value.after === resource) return '(known once it is made)'
  if (!value.known) return `(known after ${value.after} gives its ${value.field})`
  if (value.value === '') return '""'
  if (value.value.length <= longestValue) return value.value
  return `${value.value.slice(0, longestValue)}… (${String(value.value.length - longestValue)} more characters)`
}
