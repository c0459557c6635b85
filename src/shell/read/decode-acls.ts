import type { PathState } from '../../model/facts.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'
import { unescapeName } from './unescape.ts'

const baseEntry = /^(user::|group::|other::|mask::|flags:)/

/** What `getfacl -pns` prints: only files with more than the mode, each under a `# file:` line. */
function entriesByPath(section: Section): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const [how, text] of section.all('acls')) {
    if (how !== 'getfacl') continue
    let current: string[] = []
    for (const line of lines(text)) {
      if (line.startsWith('# file: ')) {
        current = []
        found.set(unescapeName(line.slice('# file: '.length)), current)
      } else if (!line.startsWith('#')) {
        // a tab and `#effective:` follow where the mask takes something away
        const entry = line.split(/[\t ]/)[0] ?? ''
        if (entry !== '') current.push(entry)
      }
    }
  }
  return found
}

/** ACLs beyond the mode, where the host has a way to tell. */
export interface Acls {
  of(path: string): PathState['acl']
  /** Undefined where there is no ACL, or no getfacl to show it. */
  entries(path: string): Required<Pick<PathState, 'aclEntries' | 'aclWhole'>> | undefined
}

export function decodeAcls(section: Section): Acls {
  const entries = entriesByPath(section)
  const answers = section.all('acls')
  const listed = answers.find(([how]) => how === 'ls')
  const plus = new Set(lines(listed?.[1]))
  const asked = answers.length > 0
  return {
    of: (path) => (!asked ? 'unknown' : plus.has(path) || entries.has(path) ? 'present' : 'none'),
    entries(path) {
      const whole = entries.get(path)
      return whole && { aclEntries: whole.filter((entry) => !baseEntry.test(entry)), aclWhole: whole }
    },
  }
}
