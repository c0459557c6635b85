import type { Place } from '../errors/place.ts'
import type { ConnectionSettings } from '../model/host.ts'

/** A variable with where it was set. */
export interface Variable {
  readonly value: unknown
  readonly origin: Place
}

/** A field of {@link ConnectionSettings}, or one of the jump host's. */
export type ConnectionField = keyof ConnectionSettings | 'jump.user' | 'jump.port'

/** One host of the inventory with its merged variables (all < groups < host; nearer group wins). */
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

export interface Inventory {
  readonly file: string
  /** In inventory order. */
  readonly hosts: readonly Host[]
  /** Group name to host names; `all` and `ungrouped` included. */
  readonly groups: ReadonlyMap<string, readonly string[]>
}
