import type { KeyLocated } from '../../document/issues.ts'
import type { Place } from '../../errors/place.ts'
import type { WrittenLists } from './run.ts'

/** Where a loader gets the lists of tasks that stand in code; it runs none itself. */
export interface CodeLists {
  /** The list of a file by its real path; empty, and remembered in `unread`, where the code was not run. */
  list(path: string): KeyLocated
  /** Files that nothing looked into. */
  readonly unread: ReadonlySet<string>
}

/** Do the tasks of this file stand in code? */
export function isCode(path: string): boolean {
  return path.endsWith('.ts')
}

export function createCodeLists(written: WrittenLists): CodeLists {
  const unread = new Set<string>()
  return {
    unread,
    list: (path) => {
      const list = written.get(path)
      if (list !== undefined) return list
      unread.add(path)
      const start = (): Place => ({ file: path, line: 1, column: 1 })
      return { value: null, place: start, keyPlace: start, source: () => undefined }
    },
  }
}
