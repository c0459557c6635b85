import type { EntriesState } from '../../model/process.ts'
import type { Fact } from '../../model/facts.ts'
import type { Questions } from './atoms.ts'
import type { Section } from './section.ts'

/** Exit statuses of the prelude's `kf_entries`. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['40', 'it is reached over a symbolic link, or moved'],
  ['46', 'it is no directory that can be entered'],
  ['137', 'reading stalled for 10 s'],
])

/** Longest name of a file in bytes, with what `find` and we put around it. */
export const entryBytes = 258

/** Names as asked. Each stands in the text as `./NAME/`: no name has a slash, whatever else is in it. */
export function decodeEntries(
  questions: Questions,
  section: Section,
): ReadonlyMap<string, Fact<EntriesState>> {
  const answers = new Map(section.all('entries').map(([path, ...answer]) => [path, answer]))
  return new Map(
    questions.entries.map(({ path, limit }): [string, Fact<EntriesState>] => {
      const [status = '', text = ''] = answers.get(path) ?? []
      if (status === '45') return [path, { is: 'absent' }]
      const parts = text.split('/')
      const rest = parts.pop()
      if (status !== '0' || parts.some((part, index) => index % 2 === 0 && part !== '.')) {
        const found = reasons.get(status) ?? 'no answer'
        const message = `expected to read the names in ${path}, found ${found}`
        return [path, { is: 'unreadable', problem: { code: 'host.unreadable', message, subject: path } }]
      }
      const names = parts.filter((_, index) => index % 2 === 1)
      const more = rest !== '' || names.length > limit
      return [path, { is: 'present', state: { names: names.slice(0, limit), more } }]
    }),
  )
}
