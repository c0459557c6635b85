/**
 * Everything that reaches a terminal, a log or a CI system passes through here: text from hosts, files and
 * operators is shown, never obeyed.
 */

/** Controls (C0, DEL, C1), format characters (bidi marks, zero widths, tags), line separators, lone surrogates. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** The same but for the line breaks and blanks that JSON itself is laid out with. */
const unprintableInJson = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Azure Pipelines and the older GitHub form are obeyed anywhere in a line, TeamCity's at its start. */
const bracketCommand = /#(?=#[A-Za-z]*\[)/g

/** GitHub skips leading blanks before it looks for `::`. */
const colonCommand = /^(\s*):(?=:)/

const named: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

function visible(character: string): string {
  const short = named.get(character)
  if (short !== undefined) return short
  const point = character.codePointAt(0) ?? 0
  const hex = point.toString(16)
  if (point <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return point <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

/** One fragment of a line: every character in it is printable afterwards, and it holds no line break. */
export function escapeText(text: string): string {
  return text.replace(unprintable, visible)
}

/**
 * One whole line, still without colours: a CI workflow command in it is broken by a backslash. Needs the whole line,
 * since two harmless fragments may make up a command together.
 */
export function escapeLine(line: string): string {
  return escapeText(line).replace(bracketCommand, '#\\').replace(colonCommand, '$1:\\')
}

/** JSON text that means the same and is as harmless as an escaped line: only strings can hold what is replaced. */
export function escapeJson(json: string): string {
  const unit = (_: string, index: number, whole: string): string =>
    `\\u${whole.charCodeAt(index).toString(16).padStart(4, '0')}`
  return json
    .replace(unprintableInJson, (character) => character.replace(/[^]/g, unit))
    .replace(bracketCommand, '\\u0023')
}
