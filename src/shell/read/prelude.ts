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

function load(name: string): string {
  return stripShell(readFileSync(new URL(name, import.meta.url), 'utf8'))
}

/** What frames that ask about processes define before they use it. */
export const processPrelude = load('./processes.sh')

/** What frames that ask about accesses define behind that. */
export const accessPrelude = load('./access.sh')

/** What the first frame of a session defines in the resident shell; does not end in a newline. */
export const readPrelude = load('./prelude.sh')

/** What a bridge to a socket defines, behind the other three. */
export const bridgePrelude = load('./bridge.sh')
