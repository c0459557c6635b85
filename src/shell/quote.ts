import { KmsfleetError } from '../errors/error.ts'

/**
 * One word of POSIX sh that stands for `text`, whatever is in it. The only way values get into scripts.
 * NUL cannot be an argument of anything and is refused.
 */
export function quote(text: string): string {
  if (text.includes('\0')) {
    throw new KmsfleetError(
      'host.unsendable',
      `expected text without NUL bytes, found one at position ${String(text.indexOf('\0'))}`,
      { hint: 'no path, name or argument of a Unix host can hold a NUL byte' },
    )
  }
  return `'${text.replaceAll("'", `'\\''`)}'`
}
