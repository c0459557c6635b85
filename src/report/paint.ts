import picocolors from 'picocolors'
import { escapeLine, escapeText } from './escape.ts'

/** What a piece of text means; how that looks is decided here only. */
export type Style = 'plain' | 'add' | 'change' | 'remove' | 'good' | 'bad' | 'warn' | 'dim' | 'strong'

/** Raw text with its meaning. Whoever makes a span need not escape: every sink does. */
export type Span = string | { readonly text: string; readonly style: Style }

/** One line of output, without its line break. */
export type Line = readonly Span[]

/** Marks text with its meaning. */
export function styled(style: Style, text: string): Span {
  return { text, style }
}

const colors = picocolors.createColors(true)

const looks: Readonly<Record<Style, (text: string) => string>> = {
  plain: (text) => text,
  add: colors.green,
  change: colors.yellow,
  remove: colors.red,
  good: colors.green,
  bad: colors.red,
  warn: colors.yellow,
  dim: colors.dim,
  strong: colors.bold,
}

function textOf(span: Span): string {
  return typeof span === 'string' ? span : span.text
}

/** The line as escaped text without colours. */
export function plainLine(line: Line): string {
  return escapeLine(line.map(textOf).join(''))
}

/** The line as escaped text with colours, for terminals (which know no workflow commands). */
export function colorLine(line: Line): string {
  return line
    .map((span) => (typeof span === 'string' ? escapeText(span) : looks[span.style](escapeText(span.text))))
    .join('')
}
