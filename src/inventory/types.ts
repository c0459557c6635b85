import type { Place } from '../errors/place.ts'
import type { ConnectionSettings } from '../model/host.ts'

/** A variable with where it was set. */
export interface Variable {
  readonly value: unknown
  readonly origin: Place
}

/** One host of the inventory with its merged variables (all < groups < host; nearer group wins). */
export interface Host {
  readonly name: string
  /** The control plane it belongs to; required. */
  readonly cluster: string
  readonly groups: readonly string[]
  readonly variables: ReadonlyMap<string, Variable>
  readonly connection: ConnectionSettings
}

export interface Inventory {
  readonly file: string
  /** In inventory order. */
  readonly hosts: readonly Host[]
  /** Group name to host names; `all` and `ungrouped` included. */
  readonly groups: ReadonlyMap<string, readonly string[]>
}
