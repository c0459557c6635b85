import { posix } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'

function bad(filter: string, expected: string, found: unknown): KmsfleetError {
  const kind =
    found === undefined
      ? 'nothing'
      : Array.isArray(found)
        ? 'a list'
        : found instanceof Map
          ? 'a dictionary'
          : JSON.stringify(found)
  return new KmsfleetError(
    'template.failed',
    `expected ${expected} for the filter \`${filter}\`, found ${kind}`,
  )
}

function text(filter: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  throw bad(filter, 'a string', value)
}

/** What JSON can hold, from what the engine hands to a filter: dictionaries are Maps, none is undefined. */
function plain(value: unknown): unknown {
  if (value instanceof Map)
    return Object.fromEntries([...value.entries()].map(([key, item]) => [String(key), plain(item)]))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'bigint') return Number(value)
  return value ?? null
}

/** JSON with a blank behind `,` and `:`, as Ansible's `to_json` writes it. */
function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}: ${spacedJson(item)}`)
      .join(', ')}}`
  }
  return JSON.stringify(value)
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on', '1', 'y', 't'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', '0', 'n', 'f'].map((word) => [word, false] as const),
])

/** Jinja2's own `bool` is truth, in which the string "false" is true: the meaning here is Ansible's. */
function bool(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  const known = truths.get(String(value).toLowerCase())
  if (known === undefined) throw bad('bool', 'a truth value (true, false, yes, no, on, off, 1, 0)', value)
  return known
}

function mandatory(value: unknown): unknown {
  if (value === undefined) throw bad('mandatory', 'a value', value)
  return value
}

function unpredictable(): never {
  throw new KmsfleetError('template.failed', 'expected a filter with one result, found `random`', {
    hint: 'a plan must be the same each time; write the value as a variable',
  })
}

/** Filters beside Jinja2's built-in ones. Each takes the value, positional arguments, and a Map of named ones. */
export const filters: ReadonlyMap<string, (value: unknown) => unknown> = new Map<
  string,
  (value: unknown) => unknown
>([
  ['to_json', (value) => spacedJson(plain(value))],
  ['to_nice_json', (value) => JSON.stringify(plain(value), undefined, 4)],
  ['b64encode', (value) => Buffer.from(text('b64encode', value), 'utf8').toString('base64')],
  ['basename', (value) => posix.basename(text('basename', value))],
  ['dirname', (value) => posix.dirname(text('dirname', value))],
  ['bool', bool],
  ['mandatory', mandatory],
  ['random', unpredictable],
])

/** What to use instead of a filter that Ansible has and that is not here. */
const instead: ReadonlyMap<string, string> = new Map([
  ['to_yaml', 'write `to_json`: JSON is YAML too'],
  ['to_nice_yaml', 'write `to_nice_json`: JSON is YAML too'],
  ['ternary', 'write `yes if condition else no`'],
  ['combine', 'set the whole dictionary as one variable'],
  ['regex_replace', 'use `replace`, or compute the value as a variable'],
  ['regex_search', 'use the test `in`, or compute the value as a variable'],
  ['quote', 'commands are lists of arguments and need no quoting'],
  ['format', 'join with `~`'],
  ['password_hash', 'read secrets from a source'],
  ['hash', 'a digest is compared by the modules themselves'],
  ['b64decode', 'decode the value before the run'],
  ['from_json', 'write the value as YAML'],
  ['from_yaml', 'write the value as YAML'],
])

export function filterHint(name: string): string {
  const other = instead.get(name)
  const here =
    "the filters are Jinja2's own and to_json, to_nice_json, b64encode, basename, dirname, bool, mandatory"
  return other === undefined ? here : `${other} (${here})`
}
