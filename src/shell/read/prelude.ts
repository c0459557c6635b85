import { readFileSync } from 'node:fs'

/**
 * Comments, blank lines and indentation need not travel. The prelude keeps multi-line quoted strings free of lines
 * that this would change.
 */
export function stripShell(source: string): string {
  return source
    .split('\n')
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n')
}

/** What frames that ask about processes and accesses define before they use it. */
export const accessPrelude = stripShell(readFileSync(new URL('./access.sh', import.meta.url), 'utf8'))

/** What the first frame of a session defines in the resident shell; does not end in a newline. */
export const readPrelude = stripShell(readFileSync(new URL('./prelude.sh', import.meta.url), 'utf8'))
