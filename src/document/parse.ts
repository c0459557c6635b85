import type * as z from 'zod'
import type { ErrorCode } from '../errors/codes.ts'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { isDictionary } from './dictionary.ts'
import { byPlace, explainIssue, issueErrors, valueAt } from './issues.ts'
import type { IssueOptions, KeyLocated } from './issues.ts'
import type { Located } from './located.ts'
import { readRegularFile, showFailure } from './read.ts'
import { parseSyntax } from './syntax.ts'
import type { PlaceOf } from './syntax.ts'
import { findPart } from './tree.ts'
import type { Part } from './tree.ts'
import { readValues } from './values.ts'

/** Bytes of a playbook, an inventory or a variables file at most. */
export const documentLimit = 4 * 1024 * 1024

/** How a document is checked. */
export interface ParseOptions extends IssueOptions {
  /**
   * Takes errors about single values and keys, where the caller goes on to check the rest and then throws
   * them all. Not given: they are thrown.
   */
  readonly errors?: KmsfleetError[]
}

/**
 * Parses one YAML 1.2 document and checks it. Throws KmsfleetErrors with everything that is wrong, each
 * error at `file:line:column`.
 */
export function parseDocument<T>(
  file: string,
  text: string,
  schema: z.ZodType<T>,
  options: ParseOptions = {},
): KeyLocated<T> {
  if (Buffer.byteLength(text) > documentLimit) {
    throw tooLarge(file, `found ${String(Buffer.byteLength(text))} bytes`)
  }
  const syntax = parseSyntax(file, text)
  const errors: KmsfleetError[] = []
  const root = readValues(syntax, errors)
  const raw = locate(root, syntax.placeOf, root.value)
  const salvaged = salvageValue(schema, root.value, raw, errors, options)
  if (salvaged === undefined || (errors.length > 0 && options.errors === undefined)) {
    throw new KmsfleetErrors(errors.sort(byPlace))
  }
  options.errors?.push(...errors)
  return locate(root, syntax.placeOf, salvaged.value)
}

/** {@link parseDocument} of a file; `missing` is the code of the error where it cannot be read. */
export function readDocument<T>(
  file: string,
  schema: z.ZodType<T>,
  options: ParseOptions & { readonly missing?: ErrorCode } = {},
): KeyLocated<T> {
  return parseDocument(file, readText(file, options.missing ?? 'document.unreadable'), schema, options)
}

/**
 * Where a document of a host is wrong, such as `see line 3, 7`: no more may be said of one that not everybody may read,
 * since the errors themselves quote it.
 */
export function wrongLines({ errors }: KmsfleetErrors): string {
  const lines = errors.flatMap(({ place }) => (place === undefined ? [] : [String(place.line)]))
  return `see line ${[...new Set(lines)].join(', ')}`
}

function tooLarge(file: string, found: string): KmsfleetError {
  return new KmsfleetError(
    'document.unreadable',
    `expected a file of at most ${String(documentLimit)} bytes, ${found}`,
    { place: { file, line: 1, column: 1 } },
  )
}

/** A small text file of the operator's as UTF-8. */
export function readText(file: string, missing: ErrorCode): string {
  const read = readRegularFile(file, documentLimit)
  if (read.is !== 'read') {
    throw new KmsfleetError(missing, `expected a readable file ${file}, ${showFailure(read, documentLimit)}`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(read.bytes)
  } catch {
    throw new KmsfleetError('document.syntax', `expected UTF-8 text in ${file}, found other bytes`, {
      place: { file, line: 1, column: 1 },
    })
  }
}

/** The value that a schema makes of `value`; throws KmsfleetErrors with the places that `located` knows. */
export function checkValue<T>(
  schema: z.ZodType<T>,
  value: unknown,
  located: Located,
  options: IssueOptions = {},
): T {
  const result = schema.safeParse(value, { error: explainIssue })
  if (result.success) return result.data
  throw new KmsfleetErrors(issueErrors(result.error.issues, value, located, options))
}

/**
 * {@link checkValue} that goes on: errors are added, and the value is made of those keys of the dictionary
 * that are right, so that what they hold can be checked too. Undefined where too little is left.
 */
export function salvageValue<T>(
  schema: z.ZodType<T>,
  value: unknown,
  located: Located,
  errors: KmsfleetError[],
  options: IssueOptions = {},
): { readonly value: T } | undefined {
  const result = schema.safeParse(value, { error: explainIssue })
  if (result.success) return { value: result.data }
  errors.push(...issueErrors(result.error.issues, value, located, options))
  if (!isDictionary(value)) return undefined
  const wrong = new Set(
    result.error.issues.flatMap((issue) =>
      issue.path.length === 0 && issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])],
    ),
  )
  const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !wrong.has(key)))
  const again = schema.safeParse(rest, { error: explainIssue })
  return again.success ? { value: again.data } : undefined
}

/** The part of a document at `path`, with places of its own. */
export function partOf(document: KeyLocated, path: readonly PropertyKey[]): KeyLocated {
  return {
    value: valueAt(document.value, path),
    place: (below = []) => document.place([...path, ...below]),
    keyPlace: (below) => document.keyPlace([...path, ...below]),
    source: (below) => document.source([...path, ...below]),
  }
}

function locate<T>(root: Part, placeOf: PlaceOf, value: T): KeyLocated<T> {
  return {
    value,
    place: (path = []) => placeOf(findPart(root, path).part.offset),
    keyPlace: (path) => placeOf(findPart(root, path).keyOffset),
    source: (path) => {
      const found = findPart(root, path)
      return found.exact ? found.part.source : undefined
    },
  }
}
