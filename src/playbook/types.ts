import type { Located } from '../document/located.ts'
import type { Place } from '../errors/place.ts'

/** A role on disk: `roles/NAME/{tasks,handlers,defaults,vars}/main.yml`, `templates/`, `files/`. */
export interface Role {
  readonly name: string
  readonly folder: string
  readonly defaults: ReadonlyMap<string, unknown>
  readonly vars: ReadonlyMap<string, unknown>
}

/** One task as written; templates are not yet rendered. */
export interface Task {
  /** Stable from run to run: `play/N` or `ROLE/N`. */
  readonly id: string
  readonly name: string
  readonly module: string
  /** Raw arguments of the module, with places. */
  readonly args: Located<Readonly<Record<string, unknown>>>
  /** Jinja2 expressions, all must hold. */
  readonly when: readonly string[]
  /** A list, or a template that gives one; each element is `item`. */
  readonly loop?: unknown
  /** Names of handlers, all known to exist. */
  readonly notify: readonly string[]
  readonly register?: string
  readonly tags: readonly string[]
  readonly role?: Role
  /** Folder that `files/` and `templates/` are looked up in: the role's, else the playbook's. */
  readonly folder: string
  readonly place: Place
  /** Place of a keyword's value, such as `['when', 0]`. */
  readonly placeOf: (path: readonly PropertyKey[]) => Place
}

/** Runs at the end of the play where something notified it, or where the host still owes it. */
export interface Handler extends Task {
  /** `[a-z0-9._-]+`, made from role and name; a file name on the host. */
  readonly handlerId: string
}

/** Where a secret's bytes come from. The path may be a template over the host's variables. */
export interface SecretReference {
  readonly name: string
  readonly source: 'file'
  readonly path: string
  readonly place: Place
}

export interface Play {
  readonly name: string
  /** Host pattern. */
  readonly hosts: string
  readonly tasks: readonly Task[]
  readonly handlers: readonly Handler[]
  readonly vars: ReadonlyMap<string, unknown>
  readonly secrets: readonly SecretReference[]
  /** Batch sizes; the last repeats. Numbers of hosts or `"30%"`. Empty: all at once. */
  readonly serial: readonly (number | `${number}%`)[]
  /** 0 to 100; undefined: no budget, a failed host stops nothing but itself. */
  readonly maxFailPercentage?: number
  readonly anyErrorsFatal: boolean
  readonly place: Place
}

export interface Playbook {
  readonly file: string
  readonly plays: readonly Play[]
}
