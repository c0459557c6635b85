import type { KeyLocated } from '../document/issues.ts'
import { partOf } from '../document/parse.ts'
import type { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import type { CodeReader } from './code/reader.ts'
import { readVariables, overlay } from './variable-sets.ts'
import type { Condition, Role, Task, Variables } from './types.ts'

/** What a list of tasks inherits from the play, the role, the blocks and the imports around it. */
export interface Inherited {
  readonly when: readonly Condition[]
  readonly tags: readonly string[]
  readonly notify: readonly Notified[]
  readonly vars: Variables
  readonly runOnce: boolean
  readonly throttle?: number
}

/** What the tasks of a play or role inherit where nothing stands around them. */
export const inheritsNothing: Inherited = { when: [], tags: [], notify: [], vars: new Map(), runOnce: false }

/** A name under `notify`, which a handler has or listens to. */
export interface Notified {
  readonly name: string
  readonly place: Place
}

/** Where a list of tasks stands, and what all of them share. */
export interface TaskContext {
  readonly kind: 'task' | 'handler'
  /** Start of the handlers' ids: `PLAYBOOK.PLAY`, or the name of the role. */
  readonly owner: string
  /** Start of the tasks' ids. */
  readonly ids: string
  readonly role?: Role
  /** `vars` of the blocks and imports around this use of the role. */
  readonly aroundRole?: Variables
  /** Folder that `files/` and `templates/` are looked up in. */
  readonly folder: string
  /** Folder of the file that the list stands in: imported files are named from there. */
  readonly fileFolder: string
  /** Files and roles that are being imported, outermost first. */
  readonly within: readonly string[]
  readonly inherited: Inherited
}

/** A task beside what is resolved once all handlers of the play are known. */
export interface ReadTask {
  readonly task: Task
  readonly notified: readonly Notified[]
  /** Topics of a handler. */
  readonly listen: readonly string[]
  readonly owner: string
}

/** A role as a play, a role's dependencies or a task names it. */
export interface RoleUse {
  readonly name: string
  readonly place: Place
  readonly params: Variables
  /** Another list of tasks than `tasks/main.yml`. */
  readonly tasksFrom?: string
  /** As often as it is named, even with the same parameters. */
  readonly always: boolean
}

/** What reading one play shares and gathers. */
export interface Reading {
  readonly modules: ReadonlySet<string>
  readonly errors: KmsfleetError[]
  /** Flushes of handlers so far. */
  section: number
  /** What stands in code. */
  readonly code: CodeReader
  /** Tasks of a role behind those of its dependencies; its handlers are kept for the play. */
  readonly useRole: (use: RoleUse, context: TaskContext) => readonly ReadTask[]
}

/** The keywords that blocks, imports and tasks have in common, as their schemas give them. */
interface Shared {
  readonly when?: readonly string[] | undefined
  readonly tags?: readonly string[] | undefined
  readonly notify?: readonly string[] | undefined
  readonly run_once?: boolean | undefined
  readonly throttle?: number | undefined
}

/** What a list inherits that stands below `part`; `vars` stay those from outside. */
export function inherit(outer: Inherited, keywords: Shared, part: KeyLocated): Inherited {
  const own = (keywords.when ?? []).map((expression, index) => ({
    expression,
    place: part.place(['when', index]),
  }))
  const notify = (keywords.notify ?? []).map((name, index) => ({
    name,
    place: part.place(['notify', index]),
  }))
  const throttle = keywords.throttle ?? outer.throttle
  return {
    when: [...outer.when, ...own],
    tags: [...new Set([...outer.tags, ...(keywords.tags ?? [])])],
    notify: [...outer.notify, ...notify],
    vars: outer.vars,
    runOnce: keywords.run_once ?? outer.runOnce,
    ...(throttle === undefined ? {} : { throttle }),
  }
}

/** The same where `vars` of `part` are handed down too. */
export function inheritAll(
  outer: Inherited,
  keywords: Shared,
  part: KeyLocated,
  errors: KmsfleetError[],
): Inherited {
  const vars = overlay(outer.vars, readVariables(partOf(part, ['vars']), errors))
  return { ...inherit(outer, keywords, part), vars }
}
