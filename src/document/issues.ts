import * as z from 'zod'
import type { ErrorCode } from '../errors/codes.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { describeValue } from './describe.ts'
import { isDictionary } from './dictionary.ts'
import type { Located } from './located.ts'
import { suggestion } from './suggest.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** A {@link Located} that also knows where keys stand. */
export interface KeyLocated<T = unknown> extends Located<T> {
  /** Place of the key at the end of `path`; of the element itself in a list. */
  keyPlace(path: Path): Place
}

export interface IssueOptions {
  /** Code of errors about values; `document.invalid` if not said. Unknown keys have a code of their own. */
  readonly code?: ErrorCode
  /** A better hint for an unknown key than the near miss; undefined: the near miss. */
  readonly unknownKey?: (key: string, known: readonly string[]) => string | undefined
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a dictionary',
  record: 'a dictionary',
  null: 'nothing',
  undefined: 'nothing',
}

/**
 * zod's error map for all schemas of the project: only what was expected; what was found is added with the
 * place. For unknown keys it smuggles out the known ones, one a line, since the finished issue lacks them.
 */
export function explainIssue(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeWords[issue.expected] ?? issue.expected}`
    case 'too_small':
      return `expected ${amount(issue.origin, 'at least', issue.minimum, issue.inclusive !== false)}`
    case 'too_big':
      return `expected ${amount(issue.origin, 'at most', issue.maximum, issue.inclusive !== false)}`
    case 'invalid_format':
      return `expected text of the form ${issue.pattern ?? issue.format}`
    case 'not_multiple_of':
      return `expected a multiple of ${String(issue.divisor)}`
    case 'unrecognized_keys':
      return issue.inst instanceof z.ZodObject ? knownKeys(issue.inst.shape).join('\n') : ''
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    case 'invalid_key':
      return 'expected another key'
    case 'invalid_element':
      return 'expected another element'
    case 'invalid_union':
      return 'expected another form'
    case 'custom':
      return 'expected another value'
  }
}

/** Keys of a dictionary but those that it only knows in order to refuse them by name. */
function knownKeys(shape: Readonly<Record<string, z.core.$ZodType>>): readonly string[] {
  return Object.entries(shape).flatMap(([key, part]) =>
    part instanceof z.ZodOptional && part.unwrap() instanceof z.ZodNever ? [] : [key],
  )
}

function amount(origin: string, bound: string, limit: number | bigint, inclusive: boolean): string {
  const number = inclusive ? String(limit) : `${String(limit)} (excluded)`
  if (origin === 'string')
    return limit === 1 && bound === 'at least' ? 'text' : `${bound} ${number} characters`
  if (origin === 'array' || origin === 'set') return `a list of ${bound} ${number}`
  return `a number of ${bound} ${number}`
}

/** zod's issues as errors of the operator's file, in the order of the file; one error for each unknown key. */
export function issueErrors(
  issues: readonly Issue[],
  value: unknown,
  located: Located,
  options: IssueOptions = {},
): KmsfleetError[] {
  return issues.flatMap((issue) => errorsOf(issue, [], value, located, options)).sort(byPlace)
}

export function byPlace(left: KmsfleetError, right: KmsfleetError): number {
  if (left.place === undefined || right.place === undefined) return 0
  return left.place.line - right.place.line || left.place.column - right.place.column
}

function errorsOf(
  issue: Issue,
  parent: Path,
  root: unknown,
  located: Located,
  options: IssueOptions,
): KmsfleetError[] {
  const path = [...parent, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(key, issue.message, path, located, options))
  }
  if (issue.code === 'invalid_union') return unionErrors(issue, path, root, located, options)
  const code = options.code ?? 'document.invalid'
  if (issue.code === 'invalid_key') {
    const message = withFound(
      issue.issues[0]?.message ?? issue.message,
      path.slice(0, -1),
      String(path.at(-1)),
    )
    return [new KmsfleetError(code, message, { place: keyPlace(located, path) })]
  }
  const message = withFound(issue.message, path, valueAt(root, path))
  return [new KmsfleetError(code, message, { place: located.place(path) })]
}

function unknownKey(
  key: string,
  knownLines: string,
  path: Path,
  located: Located,
  options: IssueOptions,
): KmsfleetError {
  const known = knownLines.split('\n').filter((line) => line !== '')
  const hint = options.unknownKey?.(key, known) ?? suggestion(key, known)
  return new KmsfleetError('document.unknown-key', `expected a known key, found \`${key}\``, {
    place: keyPlace(located, [...path, key]),
    ...(hint === undefined ? {} : { hint }),
  })
}

function keyPlace(located: Located, path: Path): Place {
  return isKeyLocated(located) ? located.keyPlace(path) : located.place(path)
}

function isKeyLocated(located: Located): located is KeyLocated {
  return 'keyPlace' in located
}

/** Of a union only the branch that was meant is worth reading: the one whose outer form fits the value. */
function unionErrors(
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
  root: unknown,
  located: Located,
  options: IssueOptions,
): KmsfleetError[] {
  const fitting = issue.errors.filter((branch) => !branch.some((inner) => isOuter(inner)))
  const best = fitting.sort((left, right) => left.length - right.length)[0]
  if (best !== undefined) return best.flatMap((inner) => errorsOf(inner, path, root, located, options))
  const expectations = new Set(outerExpectations(issue))
  const words = expectations.size === 0 ? issue.message : `expected ${[...expectations].join(' or ')}`
  const message = withFound(words, path, valueAt(root, path))
  return [new KmsfleetError(options.code ?? 'document.invalid', message, { place: located.place(path) })]
}

/** What the outer form could have been, in unions within unions too. */
function outerExpectations(issue: Issue): string[] {
  if (issue.code !== 'invalid_union') return [issue.message.replace(/^expected /, '')]
  return issue.errors.flatMap((branch) => branch.filter((inner) => isOuter(inner)).flatMap(outerExpectations))
}

/** The branch was never meant: already the value as a whole is of another form. */
function isOuter(issue: Issue): boolean {
  return issue.path.length === 0 && issue.code !== 'unrecognized_keys'
}

/** Completes `expected X` with the key it is about and what was found; other messages are whole sentences. */
function withFound(message: string, path: Path, found: unknown): string {
  if (!message.startsWith('expected ') || message.includes(', found ')) return message
  const keys = path.filter((key) => typeof key === 'string')
  const key = keys.at(-1) ?? ''
  const subject = key === '' ? '' : typeof path.at(-1) === 'number' ? ` in \`${key}\`` : ` for \`${key}\``
  return `${message}${subject}, found ${describeValue(found, key)}`
}

/** The part of a value at a path; undefined where there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)]
    else if (isDictionary(value)) value = value[String(key)]
    else return undefined
  }
  return value
}
