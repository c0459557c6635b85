import { structuredPatch } from 'diff'
import { styled, type Line, type Style } from './paint.ts'

/** Lines of a diff that are shown; a larger one says how much is left out. */
const longestDiff = 400

const styles: ReadonlyMap<string, Style> = new Map([
  ['+', 'add'],
  ['-', 'remove'],
  ['\\', 'dim'],
])

/** A unified diff of two whole texts, three lines of context, indented as part of a plan. */
export function textDiff(from: string, to: string, indent: string): readonly Line[] {
  const { hunks } = structuredPatch('', '', from, to, '', '', { context: 3 })
  const lines = hunks.flatMap((hunk): Line[] => [
    [
      indent,
      styled('dim', `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`),
    ],
    ...hunk.lines.map((line): Line => [indent, styled(styles.get(line.charAt(0)) ?? 'plain', line)]),
  ])
  if (lines.length <= longestDiff) return lines
  const left = lines.length - longestDiff
  return [
    ...lines.slice(0, longestDiff),
    [indent, styled('dim', `… ${String(left)} more lines of this diff`)],
  ]
}

/** `3,7`; as in diff(1) the count 1 is left out, and an empty range is named by the line before it. */
function range(start: number, lines: number): string {
  if (lines === 0) return `${String(start - 1)},0`
  return lines === 1 ? String(start) : `${String(start)},${String(lines)}`
}
