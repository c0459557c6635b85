/** One token of Jinja2 code; `start` and `end` are offsets into the whole template. */
export interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'operator'
  readonly text: string
  readonly start: number
  readonly end: number
}

export interface Code {
  readonly tokens: readonly Token[]
  /** Offset behind the closing mark, or behind the text where there is none to find. */
  readonly end: number
  /** The closing mark carries `-` or `+`. */
  readonly trimmed: boolean
}

const name = /[A-Za-z_][A-Za-z0-9_]*/y
const number = /\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const digits = /\d+/y
const string = /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/y
const operator = /==|!=|<=|>=|\/\/|\*\*|[\s\S]/y
const space = /\s+/y

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}

/**
 * Splits Jinja2 code into tokens, from `start` to the closing mark outside of brackets and strings, or to the
 * end of the text where `close` is undefined. Undefined where the code or a string
 * does not close: the engine then says why.
 */
export function tokenize(source: string, start: number, close: '}}' | '%}' | undefined): Code | undefined {
  const tokens: Token[] = []
  let depth = 0
  let at = start
  while (at < source.length) {
    at += match(space, source, at)?.length ?? 0
    if (at >= source.length) break
    if (close !== undefined && depth === 0) {
      if (source.startsWith(close, at)) return { tokens, end: at + close.length, trimmed: false }
      const sign = source[at]
      if ((sign === '-' || sign === '+') && source.startsWith(close, at + 1)) {
        return { tokens, end: at + 1 + close.length, trimmed: true }
      }
    }
    const token = next(source, at, tokens.at(-1)?.text === '.')
    if (token === undefined) return undefined
    if ('([{'.includes(token.text)) depth += 1
    if (')]}'.includes(token.text)) depth = Math.max(0, depth - 1)
    tokens.push(token)
    at = token.end
  }
  return close === undefined ? { tokens, end: source.length, trimmed: false } : undefined
}

/** Undefined at a string that does not end: to read on behind each such quote would take quadratic time. */
function next(source: string, at: number, afterDot: boolean): Token | undefined {
  const made = (kind: Token['kind'], text: string): Token => ({
    kind,
    text,
    start: at,
    end: at + text.length,
  })
  const asName = match(name, source, at)
  if (asName !== undefined) return made('name', asName)
  // `a.0.1` is two steps and not the number 0.1.
  const asNumber = match(afterDot ? digits : number, source, at)
  if (asNumber !== undefined) return made('number', asNumber)
  const asString = match(string, source, at)
  if (asString !== undefined) return made('string', asString)
  const text = match(operator, source, at) ?? ''
  return text === '"' || text === "'" ? undefined : made('operator', text)
}
