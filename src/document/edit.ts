import { isDeepStrictEqual } from 'node:util'
import { isMap, isNode, isPair, isScalar, isSeq } from 'yaml'
import type { YAMLMap, YAMLSeq } from 'yaml'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { isDictionary } from './dictionary.ts'
import { parseSyntax } from './syntax.ts'
import { readValues } from './values.ts'
import { yamlText } from './write.ts'

/** One more element for a list of a document; the dictionaries on the way to it, and itself, are made where missing. */
export interface Addition {
  readonly list: readonly (string | number)[]
  readonly item: unknown
}

/**
 * The text with the additions, every byte of it kept: lines are put in, none is written anew. Undefined where the text is
 * written so that this cannot be done; what comes out is read again and must say what was meant and nothing else.
 */
export function addItems(text: string, additions: readonly Addition[]): string | undefined {
  let next = text
  for (const addition of additions) {
    const edited = addItem(next, addition)
    const [before, after] = [valueOf(next), edited === undefined ? undefined : valueOf(edited)]
    if (edited === undefined || !isDeepStrictEqual(after, added(before, addition.list, addition.item))) {
      return undefined
    }
    next = edited
  }
  return next
}

/** The plain value of a text; undefined where it is no document. */
function valueOf(text: string): unknown {
  const errors: KmsfleetError[] = []
  try {
    const { value } = readValues(parseSyntax('text', text), errors)
    return errors.length > 0 ? undefined : structuredClone(value)
  } catch (error) {
    if (error instanceof KmsfleetErrors || error instanceof KmsfleetError) return undefined
    throw error
  }
}

/** What the value shall be. */
function added(value: unknown, [key, ...rest]: Addition['list'], item: unknown): unknown {
  if (key === undefined) return [...(Array.isArray(value) ? (value as readonly unknown[]) : []), item]
  if (Array.isArray(value)) {
    return value.map((each: unknown, index) => (index === key ? added(each, rest, item) : each))
  }
  const dictionary = isDictionary(value) ? value : {}
  return { ...dictionary, [key]: added(dictionary[key], rest, item) }
}

function addItem(text: string, { list, item }: Addition): string | undefined {
  let node: unknown = parseSyntax('text', text).contents
  for (const [depth, key] of list.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((one) => isScalar(one.key) && one.key.value === key)
      if (pair === undefined) return insert(text, node, nested(list.slice(depth), item))
      node = pair.value
    } else if (isSeq(node) && typeof key === 'number') node = node.items[key]
    else return undefined
  }
  return isSeq(node) ? insert(text, node, [item]) : undefined
}

/** `{ a: { b: [item] } }` for `a`, `b`. */
function nested(keys: Addition['list'], item: unknown): Readonly<Record<string, unknown>> {
  return keys.reduceRight<unknown>((value, key) => ({ [key]: value }), [item]) as Record<string, unknown>
}

/** Puts the entries of `more` behind the last one of a list or dictionary. */
function insert(text: string, node: YAMLMap | YAMLSeq, more: object): string | undefined {
  if (node.range === undefined || node.range === null) return undefined
  const [start, close] = node.range
  const end = endOf(node.items.at(-1))
  if (node.flow === true) {
    const inner = JSON.stringify(more).slice(1, -1)
    return end === undefined
      ? `${text.slice(0, close - 1)}${inner}${text.slice(close - 1)}`
      : `${text.slice(0, end)}, ${inner}${text.slice(end)}`
  }
  if (end === undefined) return undefined
  const indent = ' '.repeat(start - (text.lastIndexOf('\n', start - 1) + 1))
  const lines = yamlText(more).replace(/^(?=.)/gm, indent)
  const newline = text[end - 1] === '\n' ? end - 1 : text.indexOf('\n', end)
  return newline === -1
    ? `${text}\n${lines}`
    : `${text.slice(0, newline + 1)}${lines}${text.slice(newline + 1)}`
}

/** Offset behind the value of an entry. */
function endOf(entry: unknown): number | undefined {
  const node = isPair(entry) ? (entry.value ?? entry.key) : entry
  return isNode(node) ? node.range?.[1] : undefined
}
