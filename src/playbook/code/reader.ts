import type { KeyLocated } from '../../document/issues.ts'
import type { Place } from '../../errors/place.ts'
import type { Module } from '../../modules/define.ts'

/** What code of a project gave once it had run, by the real path of the file. */
export interface RanCode {
  readonly lists: ReadonlyMap<string, KeyLocated>
  readonly modules: ReadonlyMap<string, Module>
}

/** Code that a playbook needs and that has not run. */
export interface UnreadCode {
  readonly file: string
  readonly holds: 'tasks' | 'module'
}

/** What a loader gets from code; it runs none itself. What has not run is remembered in `unread`. */
export interface CodeReader {
  /** The list of a file by its real path; empty where the code has not run. */
  list(path: string): KeyLocated
  /** May tasks of this module be planned? Not where it is the project's own and has not run. */
  knows(module: string): boolean
  /** Names of the project's own modules. */
  readonly names: ReadonlySet<string>
  /** Those that tasks asked for, by name. */
  readonly modules: ReadonlyMap<string, Module>
  readonly unread: readonly UnreadCode[]
}

/** Do the tasks of this file stand in code? */
export function isCode(path: string): boolean {
  return path.endsWith('.ts')
}

/** `own` are the files of the project's modules by their names. */
export function createCodeReader(ran: RanCode, own: ReadonlyMap<string, string>): CodeReader {
  const unread = new Map<string, UnreadCode>()
  const modules = new Map<string, Module>()
  return {
    list: (file) => {
      const list = ran.lists.get(file)
      if (list !== undefined) return list
      unread.set(file, { file, holds: 'tasks' })
      const start = (): Place => ({ file, line: 1, column: 1 })
      return { value: null, place: start, keyPlace: start, source: () => undefined }
    },
    knows: (name) => {
      const file = own.get(name)
      if (file === undefined) return true
      const module = ran.modules.get(file)
      if (module === undefined) unread.set(file, { file, holds: 'module' })
      else modules.set(name, module)
      return module !== undefined
    },
    names: new Set(own.keys()),
    modules,
    get unread() {
      return [...unread.values()]
    },
  }
}
