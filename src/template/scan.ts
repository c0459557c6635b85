import { findRegions, type Region } from './regions.ts'
import { tokenize } from './tokens.ts'
import { bindLocals, findUses, type Found, type Use } from './uses.ts'

/** Text and the uses of variables in it, in turn. */
export type Pieces = readonly (string | Use)[]

/** A template taken apart: its text with the uses of variables cut out. */
export interface Scanned {
  /** Verbatim source between uses. */
  readonly pieces: Pieces
  /** Names that the template itself binds (`set`, `for`, `macro`, `with`). */
  readonly locals: ReadonlySet<string>
  /** The whole is text and bare uses, so that the engine is not needed to render it. */
  readonly plain: Pieces | undefined
  /** The whole is one `{{ expression }}`: the pieces of the expression. `spaced`: white space stands around it. */
  readonly bare: { readonly pieces: Pieces; readonly spaced: boolean } | undefined
}

/** Is there anything to render in a text? */
export function hasTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%') || text.includes('{#')
}

/** Takes a template apart. Undefined where it does not lex: the engine then tells what is wrong. */
export function scanTemplate(source: string): Scanned | undefined {
  const regions = findRegions(source)
  if (regions === undefined) return undefined
  const locals = new Set<string>()
  for (const region of regions.code) bindLocals(region, locals)
  const cut = (from: number, to: number, within: readonly Region[]): Pieces =>
    cutUses(
      source,
      from,
      to,
      within.flatMap((region) => findUses(region, locals)),
    )
  const sole = regions.code.length === 1 ? regions.code[0] : undefined
  const around = sole === undefined ? '' : source.slice(0, sole.outerStart) + source.slice(sole.outerEnd)
  const isBare = !regions.other && sole !== undefined && sole.tag === undefined && around.trim() === ''
  return {
    pieces: cut(0, source.length, regions.code),
    locals,
    plain: regions.other ? undefined : plainParts(source, regions.code),
    bare: isBare ? { pieces: cut(sole.start, sole.end, [sole]), spaced: around !== '' } : undefined,
  }
}

/** Takes a bare expression (`when`) apart. */
export function scanExpression(source: string): Scanned {
  const tokens = tokenize(source, 0, undefined)?.tokens ?? []
  const region = {
    tokens,
    tag: undefined,
    start: 0,
    end: source.length,
    outerStart: 0,
    outerEnd: source.length,
    trimmed: false,
  }
  const pieces = cutUses(source, 0, source.length, findUses(region, new Set()))
  return { pieces, locals: new Set(), plain: undefined, bare: { pieces, spaced: false } }
}

function cutUses(source: string, from: number, to: number, found: readonly Found[]): Pieces {
  const pieces: (string | Use)[] = []
  let at = from
  for (const { use, end } of found) {
    pieces.push(source.slice(at, use.offset), use)
    at = end
  }
  pieces.push(source.slice(at, to))
  return pieces
}

function plainParts(source: string, code: readonly Region[]): (string | Use)[] | undefined {
  const parts: (string | Use)[] = []
  let at = 0
  for (const region of code) {
    const [found, ...more] = findUses(region, new Set())
    const whole = found?.use.offset === region.tokens[0]?.start && found?.end === region.tokens.at(-1)?.end
    if (region.tag !== undefined || region.trimmed || found === undefined || more.length > 0 || !whole)
      return undefined
    parts.push(source.slice(at, region.outerStart), found.use)
    at = region.outerEnd
  }
  parts.push(source.slice(at))
  return parts
}
