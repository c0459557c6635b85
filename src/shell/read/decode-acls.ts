import type { PathState } from '../../model/facts.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'

/** `\040`, `\\`, `\n`, `\ ` as getfacl escapes names. */
function unescapeName(text: string): string {
  const letters: ReadonlyMap<string, number> = new Map([
    ['a', 7],
    ['b', 8],
    ['t', 9],
    ['n', 10],
    ['v', 11],
    ['f', 12],
    ['r', 13],
  ])
  const bytes: Buffer[] = []
  let last = 0
  for (const match of text.matchAll(/\\([0-7]{3}|[^])/g)) {
    const code = match[1] ?? ''
    bytes.push(Buffer.from(text.slice(last, match.index)))
    const byte = code.length === 3 ? Number.parseInt(code, 8) & 0xff : letters.get(code)
    bytes.push(byte === undefined ? Buffer.from(code) : Buffer.of(byte))
    last = match.index + match[0].length
  }
  return Buffer.concat([...bytes, Buffer.from(text.slice(last))]).toString('utf8')
}

const baseEntry = /^(user::|group::|other::|mask::|flags:)/

/** What `getfacl -pns` prints: only files with more than the mode, each under a `# file:` line. */
function extraEntries(section: Section): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const [how, text] of section.all('acls')) {
    if (how !== 'getfacl') continue
    let current: string[] = []
    for (const line of lines(text)) {
      if (line.startsWith('# file: ')) {
        current = []
        found.set(unescapeName(line.slice('# file: '.length)), current)
      } else if (!line.startsWith('#')) {
        const entry = line.split(/[\t ]/)[0] ?? ''
        if (!baseEntry.test(entry)) current.push(entry)
      }
    }
  }
  return found
}

/** ACLs beyond the mode, where the host has a way to tell. */
export interface Acls {
  of(path: string): PathState['acl']
  entries(path: string): readonly string[] | undefined
}

export function decodeAcls(section: Section): Acls {
  const entries = extraEntries(section)
  const answers = section.all('acls')
  const listed = answers.find(([how]) => how === 'ls')
  const plus = new Set(lines(listed?.[1]))
  const asked = answers.length > 0
  return {
    of: (path) => (!asked ? 'unknown' : plus.has(path) || entries.has(path) ? 'present' : 'none'),
    entries: (path) => entries.get(path),
  }
}
