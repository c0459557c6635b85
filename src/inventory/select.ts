import { isIPv6 } from 'node:net'
import { readText } from '../document/parse.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { failedHosts } from '../runs/outcomes.ts'
import { stateFolder } from '../runs/state-folder.ts'
import { expandRange, hasRange } from './ranges.ts'
import type { Host, Inventory } from './types.ts'

/** One part of a pattern: hosts added, kept (`&`) or left out (`!`). */
interface PatternPart {
  readonly how: 'add' | 'keep' | 'leave'
  readonly name: string
  /** As it was written, for errors. */
  readonly written: string
}

/**
 * The hosts of a pattern, in inventory order: `all`, groups, names, globs (`web*`, `h?`), ranges (`h[1:5]`),
 * several with `,` or `:`, `!x` to leave out, `&x` to keep only these, `@file` with a pattern a line, `@run:ID:failed`. As in
 * Ansible additions come first, then `&`, then `!`. A part, or a whole, that matches nothing is an error.
 * `place` is where the pattern stands, for errors.
 */
export function selectHosts(inventory: Inventory, pattern: string, place?: Place): Host[] {
  try {
    return select(inventory, pattern)
  } catch (error) {
    if (!(error instanceof KmsfleetError) || place === undefined) throw error
    throw new KmsfleetError(error.code, error.message, {
      place,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  }
}

function select(inventory: Inventory, pattern: string): Host[] {
  const parts = parsePattern(inventory, pattern)
  if (parts.length === 0) throw noMatch('expected a host or group, found an empty pattern')
  const matches = parts.map((part) => ({ how: part.how, names: matchPart(inventory, part, pattern) }))
  const added = matches.filter((match) => match.how === 'add')
  const chosen = new Set(
    added.length === 0 ? inventory.groups.get('all') : added.flatMap((match) => [...match.names]),
  )
  for (const { how, names } of matches) {
    if (how === 'add') continue
    for (const name of chosen) if (names.has(name) === (how === 'leave')) chosen.delete(name)
  }
  const hosts = inventory.hosts.filter((host) => chosen.has(host.name))
  if (hosts.length === 0) throw noMatch(`expected at least one host for \`${pattern}\`, found none`)
  return hosts
}

function noMatch(message: string, hint?: string): KmsfleetError {
  return new KmsfleetError('inventory.pattern', message, hint === undefined ? {} : { hint })
}

function parsePattern(inventory: Inventory, pattern: string): readonly PatternPart[] {
  const written = pattern.split(',').flatMap((text) => splitColons(inventory, text.trim()))
  return written
    .filter((text) => text !== '')
    .flatMap((text) => {
      if (text.startsWith('@')) return partsFrom(inventory, text)
      const how = text.startsWith('!') ? 'leave' : text.startsWith('&') ? 'keep' : 'add'
      return [{ how, name: how === 'add' ? text : text.slice(1), written: text } as const]
    })
}

/** Colons part a pattern too, but not those of a range, of a file's name or of an IPv6 address. */
function splitColons(inventory: Inventory, text: string): readonly string[] {
  const bare = text.replace(/^[!&]/, '')
  if (text.startsWith('@') || isIPv6(bare) || inventory.groups.get('all')?.includes(bare) === true)
    return [text]
  return text.split(/:(?![^[\]]*\])/).map((part) => part.trim())
}

/** By the part that names them: what files and runs say. */
const elsewhere = new WeakMap<Inventory, Map<string, readonly PatternPart[]>>()

/**
 * Read once for an inventory, and so once in a command, which asks for its hosts again and again: meanwhile its own
 * journal is the last one, and a pipe was read to its end.
 */
function partsFrom(inventory: Inventory, text: string): readonly PatternPart[] {
  const known = elsewhere.get(inventory) ?? new Map<string, readonly PatternPart[]>()
  elsewhere.set(inventory, known)
  const parts =
    known.get(text) ?? (text.startsWith('@run:') ? runParts(text) : fileParts(inventory, text.slice(1)))
  known.set(text, parts)
  return parts
}

/** `@run:ID:failed`: the hosts that a run of this workstation left failed, unreachable or never reached. */
function runParts(text: string): readonly PatternPart[] {
  const [, id = '', which = ''] = /^@run:([^:]+):(.*)$/.exec(text) ?? []
  if (which !== 'failed') {
    throw noMatch(`expected @run:ID:failed or @run:last:failed, found \`${text}\``)
  }
  return failedHosts(stateFolder(), id).map((name) => ({ how: 'add', name, written: name }))
}

function fileParts(inventory: Inventory, file: string): readonly PatternPart[] {
  const lines = readText(file, 'inventory.pattern')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const nested = lines.find((line) => line.startsWith('@'))
  if (nested !== undefined) throw noMatch(`expected host patterns in ${file}, found ${nested}`)
  if (lines.length === 0) throw noMatch(`expected at least one host in ${file}, found none`)
  return parsePattern(inventory, lines.join(','))
}

function matchPart(inventory: Inventory, part: PatternPart, pattern: string): ReadonlySet<string> {
  const { name } = part
  const all = inventory.groups.get('all') ?? []
  const group = inventory.groups.get(name)
  if (group !== undefined && group.length > 0) return new Set(group)
  if (name.startsWith('~')) {
    throw noMatch(
      `expected names, groups or globs, found the regular expression \`${name}\``,
      'write a glob: `web*`',
    )
  }
  if (hasRange(name)) return matchRange(inventory, part)
  if (all.includes(name)) return new Set([name])
  if (/[*?]/.test(name)) {
    const glob = globExpression(name)
    const groups = [...inventory.groups]
      .filter(([candidate]) => glob.test(candidate))
      .flatMap(([, names]) => names)
    const names = new Set([...all.filter((host) => glob.test(host)), ...groups])
    if (names.size > 0) return names
  }
  const whole = part.written === pattern ? '' : ` in \`${pattern}\``
  const found = group === undefined ? 'none of that name' : 'a group without hosts'
  throw noMatch(
    `expected a host or group for \`${part.written}\`${whole}, found ${found}`,
    suggestion(name, [...inventory.groups.keys(), ...all]),
  )
}

function matchRange(inventory: Inventory, part: PatternPart): ReadonlySet<string> {
  const names = expandRange(part.name)
  const known = new Set(inventory.groups.get('all'))
  const missing = names.find((name) => !known.has(name))
  if (missing === undefined) return new Set(names)
  if (inventory.groups.has(part.name.slice(0, part.name.indexOf('[')))) {
    throw noMatch(
      `expected only known hosts in \`${part.written}\`, found \`${missing}\``,
      'positions within a group cannot be named; name the hosts, or run batches with `serial`',
    )
  }
  throw noMatch(
    `expected only known hosts in \`${part.written}\`, found \`${missing}\``,
    suggestion(missing, known),
  )
}

function globExpression(glob: string): RegExp {
  // Runs of stars are one star: an expression of many in a row takes exponential time.
  const source = glob
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`)
}
