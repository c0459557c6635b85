import type { PathState } from '../../model/facts.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'
import { unescapeName } from './unescape.ts'

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
