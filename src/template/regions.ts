import { tokenize, type Token } from './tokens.ts'

/** A piece of code in a template: one `{{ }}` or `{% %}`. */
export interface Region {
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

/** The code of a template; `other`: it has comments or raw blocks too. Undefined where it does not lex. */
export function findRegions(
  source: string,
): { readonly code: Region[]; readonly other: boolean } | undefined {
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
