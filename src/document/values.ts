import { isAlias, isMap, isScalar, isSeq } from 'yaml'
import type { Alias, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { emptyDictionary } from './dictionary.ts'
import type { PlaceOf, Syntax } from './syntax.ts'
import type { Entry, Part } from './tree.ts'

/** Parts that all aliases of a file together may add: a few hundred bytes of aliases can stand for billions. */
const aliasBudget = 100_000

/** Keys that reach an object's prototype in careless code further on. */
const refusedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

interface Reader {
  readonly placeOf: PlaceOf
  readonly errors: KmsfleetError[]
  /** Anchors seen so far; `open` while the anchored part itself is being read. */
  readonly anchors: Map<string, Part | 'open'>
  aliasWeight: number
}

/**
 * Syntax tree to values with the place of every part. What is wrong with single values is added to
 * `errors`; throws KmsfleetErrors only where aliases stand for too much.
 */
export function readValues(syntax: Syntax, errors: KmsfleetError[]): Part {
  const reader: Reader = { placeOf: syntax.placeOf, errors, anchors: new Map(), aliasWeight: 0 }
  return readNode(reader, syntax.contents, 0, '')
}

function readNode(reader: Reader, node: unknown, offset: number, key: string): Part {
  if (isAlias(node)) return readAlias(reader, node)
  if (!isScalar(node) && !isMap(node) && !isSeq(node)) return nothing(offset)
  const anchor = node.anchor
  if (anchor !== undefined) reader.anchors.set(anchor, 'open')
  const at = node.range?.[0] ?? offset
  const part = isScalar(node)
    ? readScalar(reader, node, at, offset, key)
    : isMap(node)
      ? readMap(reader, node, at)
      : readList(reader, node, at, key)
  if (anchor !== undefined) reader.anchors.set(anchor, part)
  return part
}

function nothing(offset: number): Part {
  return { value: null, offset, weight: 1 }
}

function fail(reader: Reader, offset: number, message: string, hint?: string): void {
  const place = reader.placeOf(offset)
  reader.errors.push(
    new KmsfleetError('document.syntax', message, { place, ...(hint === undefined ? {} : { hint }) }),
  )
}

function readAlias(reader: Reader, node: Alias): Part {
  const offset = node.range?.[0] ?? 0
  const target = reader.anchors.get(node.source)
  if (target === undefined || target === 'open') {
    const found = target === undefined ? 'one that is nowhere above' : 'one that would contain itself'
    fail(reader, offset, `expected an alias of a finished anchor, found ${found}: *${node.source}`)
    return nothing(offset)
  }
  reader.aliasWeight += target.weight
  if (reader.aliasWeight > aliasBudget) {
    fail(reader, offset, `expected aliases for at most ${String(aliasBudget)} parts, found more`)
    throw new KmsfleetErrors(reader.errors)
  }
  return target
}

function readScalar(reader: Reader, node: Scalar, at: number, offset: number, key: string): Part {
  const text = node.source ?? ''
  const quoted = node.type !== 'PLAIN'
  // An empty value has no place of its own; its key is what the reader of an error looks for.
  if (!quoted && text === '') return nothing(offset)
  if (!quoted && typeof node.value === 'number') checkNumber(reader, node.value, text, at, key)
  return { value: node.value, offset: at, source: { text, quoted }, weight: 1 }
}

/** YAML 1.2 reads `0644` as the decimal number 644, where YAML 1.1 reads 420: no number may look octal. */
function checkNumber(reader: Reader, value: number, text: string, at: number, key: string): void {
  if (/(^|_)mode$/.test(key) && /^0?o?\d{3,5}$/.test(text)) {
    const digits = text.replace(/\D/g, '').padStart(4, '0')
    fail(
      reader,
      at,
      `expected a quoted octal mode, found ${text} without quotes`,
      `quote it: ${key}: "${digits}"`,
    )
  } else if (/^[-+]?0\d+$/.test(text)) {
    fail(
      reader,
      at,
      `expected a number without leading zero, found ${text}, which YAML 1.2 reads as ${String(value)}`,
      `quote it: "${text}"`,
    )
  } else if (/^[-+]?\d+$/.test(text) && !Number.isSafeInteger(value)) {
    fail(reader, at, `expected a number of at most 2^53, found ${text}`, `quote it: "${text}"`)
  }
}

function readList(reader: Reader, node: YAMLSeq, at: number, key: string): Part {
  const entries = new Map<string, Entry>()
  const value: unknown[] = []
  let weight = 1
  for (const item of node.items) {
    const part = readNode(reader, item, at, key)
    entries.set(String(value.length), { keyOffset: part.offset, part })
    value.push(part.value)
    weight += part.weight
  }
  return { value, offset: at, entries, weight }
}

function readMap(reader: Reader, node: YAMLMap, at: number): Part {
  const entries = new Map<string, Entry>()
  const merged: Entry[] = []
  for (const pair of node.items) readPair(reader, pair, entries, merged)
  // YAML's merge: own keys win over merged ones, earlier sources over later ones.
  for (const source of merged) mergeInto(reader, source, entries)
  const value: Record<string, unknown> = emptyDictionary()
  let weight = 1
  for (const [key, entry] of entries) {
    value[key] = entry.part.value
    weight += entry.part.weight
  }
  return { value, offset: at, entries, weight }
}

function readPair(reader: Reader, pair: Pair, entries: Map<string, Entry>, merged: Entry[]): void {
  const node = pair.key
  if (!isScalar<string>(node)) return
  const key = node.value
  const keyOffset = node.range?.[0] ?? 0
  const part = readNode(reader, pair.value, keyOffset, key)
  if (key === '<<' && node.type === 'PLAIN') {
    merged.push({ keyOffset, part })
  } else if (refusedKeys.has(key)) {
    fail(
      reader,
      keyOffset,
      `expected an ordinary key, found \`${key}\``,
      'this name is refused everywhere; choose another',
    )
  } else if (entries.has(key)) {
    const first = reader.placeOf(entries.get(key)?.keyOffset ?? 0)
    fail(
      reader,
      keyOffset,
      `expected every key once, found \`${key}\` again`,
      `it stands first in line ${String(first.line)}`,
    )
  } else {
    entries.set(key, { keyOffset, part })
  }
}

function mergeInto(reader: Reader, source: Entry, entries: Map<string, Entry>): void {
  const parts = Array.isArray(source.part.value)
    ? [...(source.part.entries?.values() ?? [])].map((entry) => entry.part)
    : [source.part]
  for (const part of parts) {
    if (part.entries === undefined || Array.isArray(part.value)) {
      fail(
        reader,
        source.keyOffset,
        'expected a dictionary (or a list of them) to merge, found something else',
      )
      continue
    }
    for (const [key, entry] of part.entries) {
      if (!entries.has(key)) entries.set(key, entry)
    }
  }
}
