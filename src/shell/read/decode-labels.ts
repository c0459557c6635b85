import type { Fact, PathState } from '../../model/facts.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'

/** What `stat` prints where there is no label, or where it cannot tell one, does not look like one. */
const label = /^[\w.-]+:[\w.-]+:[\w.-]+(:[\w.,:-]+)?$/

/** SELinux labels of what is there, by path. */
export function decodeLabels(section: Section): ReadonlyMap<string, string> {
  const rows = section.all('labels').flatMap(([text]) => lines(text))
  return new Map(
    rows.flatMap((row): readonly (readonly [string, string])[] => {
      const slash = row.indexOf(' /')
      const found = row.slice(0, Math.max(slash, 0))
      return label.test(found) ? [[row.slice(slash + 1), found]] : []
    }),
  )
}

/** Labels that the policy gives; none of a path that has one which could not be read, for nothing can be compared then. */
export function decodePolicy(
  section: Section,
  paths: ReadonlyMap<string, Fact<PathState>>,
): ReadonlyMap<string, string> {
  const rows = section.all('policy').flatMap(([text]) => lines(text))
  return new Map(
    rows.flatMap((row): readonly (readonly [string, string])[] => {
      const tab = row.lastIndexOf('\t')
      const [path, given] = [row.slice(0, tab), row.slice(tab + 1)]
      const fact = paths.get(path)
      const readable = fact?.is === 'absent' || (fact?.is === 'present' && fact.state.label !== undefined)
      return readable && (given === '<<none>>' || label.test(given)) ? [[path, given]] : []
    }),
  )
}
