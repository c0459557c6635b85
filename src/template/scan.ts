import { tokenize, type Token } from './tokens.ts'

/** A use of a variable in a template: `name`, `name.key`, `name['key']`, `name[0]`, as far as it is written out. */
export interface Use {
  readonly root: string
  readonly steps: readonly (string | number)[]
  /** Offset in the template. */
  readonly offset: number
  /** `is defined` or `default` follows: the variable may be undefined. */
  readonly guarded: boolean
  /** Called as a function. */
  readonly called: boolean
}

/** A template taken apart: its text with the uses of variables cut out. */
export interface Scanned {
  /** Verbatim source between uses. */
  readonly pieces: readonly (string | Use)[]
  /** Names that the template itself binds (`set`, `for`, `macro`, `with`). */
  readonly locals: ReadonlySet<string>
  /** The whole is text and bare uses, so that the engine is not needed to render it. */
  readonly plain: readonly (string | Use)[] | undefined
  /** The whole is one `{{ expression }}`: the pieces of the expression. `spaced`: white space stands around it. */
  readonly bare: { readonly pieces: readonly (string | Use)[]; readonly spaced: boolean } | undefined
}

/** Words that are never variables: Jinja2's own, its functions, and `host`. */
const reserved: ReadonlySet<string> = new Set(
  (
    'and or not in is if else elif for recursive true false True False none None ' +
    'loop self super caller range dict namespace cycler joiner host'
  ).split(' '),
)

/** Is there anything to render in a text? */
export function hasTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%') || text.includes('{#')
}

interface Region {
  readonly tokens: readonly Token[]
  /** Statement tag, or undefined in an expression. */
  readonly tag: string | undefined
  /** Of the code between the marks, without the white space control. */
  readonly start: number
  readonly end: number
  /** Of the whole, marks included. */
  readonly outerStart: number
  readonly outerEnd: number
  readonly trimmed: boolean
}

const endRaw = /\{%[-+]?\s*endraw\s*[-+]?%\}/g

/** Takes a template apart. Undefined where it does not lex: the engine then tells what is wrong. */
export function scanTemplate(source: string): Scanned | undefined {
  const regions = findRegions(source)
  if (regions === undefined) return undefined
  const locals = new Set<string>()
  for (const region of regions.code) bindLocals(region, locals)
  const cut = (from: number, to: number, within: readonly Region[]): (string | Use)[] =>
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

function findRegions(source: string): { readonly code: Region[]; readonly other: boolean } | undefined {
  const code: Region[] = []
  let other = false
  let at = 0
  for (;;) {
    const open = source.indexOf('{', at)
    if (open < 0) return { code, other }
    const mark = source.slice(open, open + 2)
    if (mark === '{#') {
      const close = source.indexOf('#}', open + 2)
      if (close < 0) return undefined
      other = true
      at = close + 2
    } else if (mark === '{{' || mark === '{%') {
      const sign = source[open + 2]
      const signed = sign === '-' || sign === '+'
      const start = open + (signed ? 3 : 2)
      const lexed = tokenize(source, start, mark === '{{' ? '}}' : '%}')
      if (lexed === undefined) return undefined
      const first = lexed.tokens[0]
      at = lexed.end
      if (mark === '{%' && first?.text === 'raw') {
        endRaw.lastIndex = at
        if (endRaw.exec(source) === null) return undefined
        at = endRaw.lastIndex
        other = true
      } else {
        const tag = mark === '{%' ? (first?.text ?? '') : undefined
        const end = lexed.end - (lexed.trimmed ? 3 : 2)
        const trimmed = signed || lexed.trimmed
        code.push({ tokens: lexed.tokens, tag, start, end, outerStart: open, outerEnd: lexed.end, trimmed })
      }
    } else {
      at = open + 1
    }
  }
}

function bindLocals(region: Region, locals: Set<string>): void {
  const { tag, tokens } = region
  if (tag === undefined) return
  const add = (until: (token: Token, index: number) => boolean): void => {
    for (const [index, token] of tokens.entries()) {
      if (index === 0) continue
      if (until(token, index)) return
      if (token.kind === 'name') locals.add(token.text)
    }
  }
  if (tag === 'for') add((token) => token.text === 'in')
  if (tag === 'set') add((token) => token.text === '=' || token.text === '|')
  if (tag === 'macro' || tag === 'import' || tag === 'from') add(() => false)
  if (tag === 'call' && tokens[1]?.text === '(') add((token) => token.text === ')')
  if (tag === 'with') {
    for (const [index, token] of tokens.entries()) {
      if (token.kind === 'name' && tokens[index + 1]?.text === '=') locals.add(token.text)
    }
  }
}

interface Found {
  readonly use: Use
  readonly end: number
}

function findUses(region: Region, locals: ReadonlySet<string>): readonly Found[] {
  const { tag, tokens } = region
  if (tag !== undefined && (tag.startsWith('end') || tag === 'block')) return []
  const found: Found[] = []
  const first = tag === undefined ? 0 : tag === 'filter' ? 2 : 1
  for (let index = first; index < tokens.length; index += 1) {
    const token = tokens[index]
    if (token?.kind !== 'name' || reserved.has(token.text) || locals.has(token.text)) continue
    const before = tokens[index - 1]?.text
    const isTest = before === 'is' || (before === 'not' && tokens[index - 2]?.text === 'is')
    if (before === '.' || before === '|' || isTest || tokens[index + 1]?.text === '=') continue
    const chain = readChain(tokens, index)
    const use = {
      root: token.text,
      steps: chain.steps,
      offset: token.start,
      guarded: isGuarded(tokens, chain.next),
      called: tokens[chain.next]?.text === '(',
    }
    found.push({ use, end: tokens[chain.next - 1]?.end ?? token.end })
    index = chain.next - 1
  }
  return found
}

function readChain(tokens: readonly Token[], root: number): { steps: (string | number)[]; next: number } {
  const steps: (string | number)[] = []
  let next = root + 1
  for (;;) {
    const [mark, key, close] = tokens.slice(next, next + 3)
    if (mark?.text === '.' && (key?.kind === 'name' || key?.kind === 'number')) {
      // `name.key(`: a method of the value.
      if (close?.text === '(') break
      steps.push(key.kind === 'number' ? Number(key.text) : key.text)
      next += 2
    } else if (
      mark?.text === '[' &&
      close?.text === ']' &&
      key?.kind === 'string' &&
      !key.text.includes('\\')
    ) {
      steps.push(key.text.slice(1, -1))
      next += 3
    } else if (
      mark?.text === '[' &&
      close?.text === ']' &&
      key?.kind === 'number' &&
      /^\d+$/.test(key.text)
    ) {
      steps.push(Number(key.text))
      next += 3
    } else break
  }
  return { steps, next }
}

function isGuarded(tokens: readonly Token[], next: number): boolean {
  const [first, second, third] = tokens.slice(next, next + 3).map((token) => token.text)
  if (first === '|') return second === 'default' || second === 'd'
  if (first !== 'is') return false
  const test = second === 'not' ? third : second
  return test === 'defined' || test === 'undefined'
}

function cutUses(source: string, from: number, to: number, found: readonly Found[]): (string | Use)[] {
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
