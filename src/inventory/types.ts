import type { Place } from '../errors/place.ts'
import type { ConnectionSettings } from '../model/host.ts'

/** A variable with where it was set. */
export interface Variable {
  readonly value: unknown
  readonly origin: Place
}

/** Variables that were set at one place: by one mention of a group or host, or by one file. */
export interface Layer {
  /** In an operator's words: `group prod`, `group_vars/prod`, `host`, `host_vars/h1`. */
  readonly level: string
  readonly variables: ReadonlyMap<string, Variable>
}

/** A field of {@link ConnectionSettings}, or one of the jump host's. */
export type ConnectionField = keyof ConnectionSettings | 'jump.user' | 'jump.port'

/** One host of the inventory with its merged variables. */
export interface Host {
  readonly name: string
  /** The control plane it belongs to; required. */
  readonly cluster: string
  /** All groups it is in, `all` left out, outer groups before inner ones. */
  readonly groups: readonly string[]
  readonly variables: ReadonlyMap<string, Variable>
  readonly connection: ConnectionSettings
  /** What the inventory or the command line said; ssh's own configuration may fill in the rest. */
  readonly explicit: ReadonlySet<ConnectionField>
}

/** What stands directly below a group, as it was written. */
export interface GroupTree {
  readonly children: readonly string[]
  readonly hosts: readonly string[]
}

export interface Inventory {
  /** Folders whose `group_vars/` and `host_vars/` count. */
  readonly folders: readonly string[]
  /** In inventory order. */
  readonly hosts: readonly Host[]
  /** Group name to host names; `all` and `ungrouped` included. */
  readonly groups: ReadonlyMap<string, readonly string[]>
  /** Every group, `all` and `ungrouped` included. */
  readonly tree: ReadonlyMap<string, GroupTree>
  /** What was merged into a host's variables: a later layer wins over the ones before it. */
  layersOf(host: string): readonly Layer[]
}
