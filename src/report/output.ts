import { escapeJson } from './escape.ts'
import { colorLine, plainLine, type Line, type Span } from './paint.ts'

/** The part of a Node stream that output needs. */
export interface TextStream {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

/** Takes known secret values out of a text. */
export type Redact = (text: string) => string

/** A sink for lines: redacts by value, escapes, and paints where the reader is a terminal. */
export interface Output {
  readonly terminal: boolean
  print(...lines: readonly Line[]): void
  /** A machine-readable document or record, as JSON on one line (or indented). */
  data(value: unknown, indent?: number): void
  /** A text that is escaped already, with secrets taken out. */
  text(text: string): void
  /** One line as this output would print it. */
  format(line: Line): string
}

export interface OutputOptions {
  readonly color: boolean
  readonly redact: Redact
}

export function createOutput(stream: TextStream, { color, redact }: OutputOptions): Output {
  const clean = (span: Span): Span =>
    typeof span === 'string' ? redact(span) : { style: span.style, text: redact(span.text) }
  const format = (line: Line): string => {
    const redacted = line.map(clean)
    return color ? colorLine(redacted) : plainLine(redacted)
  }
  return {
    terminal: stream.isTTY === true,
    format,
    print(...lines) {
      if (lines.length > 0) stream.write(lines.map((line) => `${format(line)}\n`).join(''))
    },
    text(text) {
      stream.write(redact(text))
    },
    data(value, indent) {
      // Redacted before it is serialised: a secret with a quote or a line break in it reads otherwise in JSON.
      const redacted = (_key: string, part: unknown): unknown =>
        typeof part === 'string' ? redact(part) : part
      stream.write(`${escapeJson(JSON.stringify(value, redacted, indent))}\n`)
    },
  }
}

/**
 * May colours be used on this stream? `NO_COLOR` (any value but the empty one, https://no-color.org) and
 * `--no-color` say no.
 */
export function wantsColor(
  stream: TextStream,
  environment: Readonly<Record<string, string | undefined>>,
  option: boolean,
): boolean {
  return option && stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb'
}
