import { folderKey, type Fact, type FolderState } from '../../model/facts.ts'
import type { Questions } from './atoms.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'

/** Bytes that the prelude's `kf_folders_of` reads at most: as many came, and there may be more. */
const limit = 1_048_576

/**
 * Folders as asked. Where not all of their lines came, or cannot be told apart, none is known: what is missing could be
 * what decides.
 */
export function decodeFolders(
  questions: Questions,
  section: Section,
): ReadonlyMap<string, Fact<FolderState>> {
  const names = new Map(section.all('folder').map(([key, text]) => [key, lines(text)]))
  const [status = '0', text = ''] = section.all('texts')[0] ?? []
  // 1: no line in any of them
  const complete = (status === '0' || status === '1') && Buffer.byteLength(text) < limit
  const texts = textsOf(text)
  return new Map(
    questions.folders.map(({ path, ending }): [string, Fact<FolderState>] => {
      const key = folderKey(path, ending)
      const found = names.get(key)
      const unnamed = found?.some((name) => `${path}/${name}`.includes(':')) === true
      if (found === undefined || !complete || unnamed) {
        const problem =
          found === undefined
            ? 'no answer'
            : unnamed
              ? 'a name with a colon or a line break'
              : `exit status ${status} of grep, or more than 1 MiB`
        const message = `expected to read ${key}, found ${problem}`
        return [key, { is: 'unreadable', problem: { code: 'host.unreadable', message, subject: path } }]
      }
      const state = new Map(found.map((name) => [name, texts.get(`${path}/${name}`) ?? '']))
      return [key, { is: 'present', state }]
    }),
  )
}

/** Rows `path:line`, each file's together. A path with a `:` would be cut short. */
function textsOf(rows: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const row of rows.split('\n')) {
    const colon = row.indexOf(':')
    if (colon === -1) continue
    const path = row.slice(0, colon)
    texts.set(path, `${texts.get(path) ?? ''}${row.slice(colon + 1)}\n`)
  }
  return texts
}
