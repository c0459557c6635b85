import type { Place } from '../errors/place.ts'
import { commandLinePlace } from './connection.ts'
import type { Host, Inventory, Layer } from './types.ts'

/** A value that was set for a host, and where. */
export interface Setting {
  readonly value: unknown
  /** See {@link Layer}; `--extra-vars` for those of the command line. */
  readonly level: string
  readonly origin: Place
}

/** A host's value of a variable with everything that it won over, the nearest first. */
export interface Explained extends Setting {
  readonly name: string
  readonly overrode: readonly Setting[]
}

/** All variables that the inventory and `--extra-vars` give to a host, by name. Templates stand as they were written. */
export function explainHost(
  inventory: Inventory,
  host: Host,
  extraVars: ReadonlyMap<string, unknown>,
): readonly Explained[] {
  const settings = new Map<string, Setting[]>()
  for (const { level, variables } of [...inventory.layersOf(host.name), extraLayer(extraVars)]) {
    for (const [name, { value, origin }] of variables) {
      settings.set(name, [{ value, level, origin }, ...(settings.get(name) ?? [])])
    }
  }
  return [...settings]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, [winner, ...overrode]]) => (winner === undefined ? [] : [{ name, ...winner, overrode }]))
}

function extraLayer(extraVars: ReadonlyMap<string, unknown>): Layer {
  return {
    level: '--extra-vars',
    variables: new Map([...extraVars].map(([name, value]) => [name, { value, origin: commandLinePlace }])),
  }
}
