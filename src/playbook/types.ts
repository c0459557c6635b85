import type { AccessKeywords } from './access-keywords.ts'
import type { RoleArguments } from './role-arguments.ts'
import type { Place } from '../errors/place.ts'
import type { Order } from './order.ts'
import type { KeyLocated } from '../document/issues.ts'
import type { Located } from '../document/located.ts'
import type { Variable } from '../inventory/types.ts'
import type { Module } from '../modules/define.ts'
import type { UnreadCode } from './code/reader.ts'
import type { SecretSource } from '../sources/types.ts'

/** Variables of one level, each with where it was set. */
export type Variables = ReadonlyMap<string, Variable>

/** A role as one play uses it: the same role with other parameters is another. */
export interface Role {
  readonly name: string
  readonly folder: string
  readonly defaults: Variables
  readonly vars: Variables
  /** What its user passes: `vars` of the entry under `roles`, of `import_role` or of a dependency. */
  readonly params: Variables
  /** Of `meta/arguments.yml`. */
  readonly declared?: RoleArguments
}

/** A bare Jinja2 expression where it was written: in the task itself, or in a block or import around it. */
export interface Condition {
  readonly expression: string
  readonly place: Place
}

/** A command is run again until what it gave is as it should be. */
export interface Until {
  /** All must hold; they see the result under the task's `register`. */
  readonly conditions: readonly Condition[]
  /** Runs behind the first one, at most. */
  readonly retries: number
  /** Seconds between two runs. */
  readonly delay: number
}

/** One task as written; templates are not yet rendered. Blocks and imports were resolved into it. */
export interface Task {
  /** Stable from run to run: `play/N` or `ROLE/N`; `play/N/M` within a block or an imported file. */
  readonly id: string
  readonly name: string
  readonly module: string
  /** Raw arguments of the module, with places. */
  readonly args: Located<Readonly<Record<string, unknown>>>
  /** All must hold; those of blocks and imports come first. */
  readonly when: readonly Condition[]
  /** A list, or a template that gives one; each element is `item`. */
  readonly loop?: unknown
  /** handlerIds of all handlers that a change notifies, by name or by the topic they listen to. */
  readonly notify: readonly string[]
  readonly register?: string
  readonly until?: Until
  /** Only the first host of each batch does it. */
  readonly runOnce: boolean
  /** So many hosts at most do it at once. */
  readonly throttle?: number
  /**
   * What does the task's changes in place of this play, in words; a template. Where it renders to something they are
   * told as due and not made.
   */
  readonly due?: string
  readonly tags: readonly string[]
  /** Its own and those of the blocks and imports around it. */
  readonly vars: Variables
  /** How often the play's handlers are flushed before it: 0 ≤ section ≤ `play.flushes.length`. */
  readonly section: number
  readonly role?: Role
  /** `vars` of the blocks and imports around this use of the role; its handlers, which are shared by all uses, have none. */
  readonly aroundRole?: Variables
  /** Folder that `files/` and `templates/` are looked up in: the role's, else the playbook's. */
  readonly folder: string
  readonly place: Place
  /** Place of a keyword's value, such as `['loop', 0]`. */
  readonly placeOf: (path: readonly PropertyKey[]) => Place
}

/** Runs where handlers are flushed, if something notified it or the host still owes it. */
export interface Handler extends Task {
  /** `[a-z0-9._-]+`, made from role and name; a file name on the host. */
  readonly handlerId: string
}

/** A role's part of the access matrix, as one play uses the role. */
export interface AccessUse {
  readonly role: Role
  /** It counts on hosts where all of these hold. */
  readonly when: readonly Condition[]
  /** Of the blocks and imports around the role. */
  readonly vars: Variables
  readonly document: KeyLocated<AccessKeywords>
}

/** Where a secret's bytes come from. Texts of the source may be templates over the operator's variables of a host. */
export interface SecretReference {
  readonly name: string
  readonly source: SecretSource
  readonly place: Place
}

export interface Play {
  readonly name: string
  /** Host pattern. */
  readonly hosts: string
  readonly tasks: readonly Task[]
  /** As they run at the end of the play. */
  readonly handlers: readonly Handler[]
  /** The same handlers as they run before the end, once for each flush: tasks of their own, with ids of their own. */
  readonly flushes: readonly (readonly Handler[])[]
  readonly vars: Variables
  /** Of all roles that the play uses. */
  readonly access: readonly AccessUse[]
  readonly secrets: readonly SecretReference[]
  /** Batch sizes; the last repeats. Numbers of hosts or `"30%"`. Empty: all at once. */
  readonly serial: readonly (number | `${number}%`)[]
  /** 0 to 100; undefined: no budget, a failed host stops nothing but itself. */
  readonly maxFailPercentage?: number
  readonly anyErrorsFatal: boolean
  readonly order: Order
  /** Seconds between two batches. */
  readonly pause: number
  /** Template over the operator's variables of a host: the host that gives it what only a peer has. */
  readonly seedFrom?: { readonly template: string; readonly place: Place }
  readonly place: Place
}

export interface Playbook {
  readonly file: string
  readonly plays: readonly Play[]
  /** Modules of the project's own that its tasks ask for, by name. */
  readonly modules: ReadonlyMap<string, Module>
  /** Code that has not run: its tasks, and those of its modules, are not in `plays`. */
  readonly unread: readonly UnreadCode[]
}
