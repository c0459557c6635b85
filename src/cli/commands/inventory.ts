import { suggestion } from '../../document/suggest.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { showPlace } from '../../errors/place.ts'
import { explainHost, type Explained, type Setting } from '../../inventory/explain.ts'
import { loadInventory } from '../../inventory/load.ts'
import { selectHosts } from '../../inventory/select.ts'
import type { Host, Inventory } from '../../inventory/types.ts'
import { exitCode } from '../../model/outcome.ts'
import { parseExtraVars } from '../../playbook/extra-vars.ts'
import { styled, type Line } from '../../report/paint.ts'
import type { InventoryCommandOptions } from '../options.ts'
import { openTerminal } from '../terminal.ts'

/*
 * `kmsfleet inventory`: what the inventory says, from its files alone. No host is contacted and no program is run, so
 * what ssh's own configuration would add is not shown.
 */

/** `inventory list`: the hosts of a pattern with cluster, address and groups. */
export function inventoryList(pattern: string | undefined, options: InventoryCommandOptions): number {
  const { result } = openTerminal(options)
  const { inventory } = load(options)
  const hosts = selectHosts(inventory, pattern ?? 'all')
  if (options.format === 'json') {
    result.data({ format: 'kmsfleet-inventory/1', hosts: hosts.map(hostDocument) }, 2)
    return exitCode.ok
  }
  const rows = hosts.map((host) => [host.name, host.cluster, address(host), host.groups.join(',')])
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  result.print(
    ...rows.map((row): Line => [
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    ]),
  )
  return exitCode.ok
}

/** `inventory graph`: groups, what they contain, and their hosts, as a tree. */
export function inventoryGraph(group: string | undefined, options: InventoryCommandOptions): number {
  const { result } = openTerminal(options)
  const { inventory } = load(options)
  const top = group ?? 'all'
  if (!inventory.tree.has(top)) {
    throw unknown('group', top, inventory.tree.keys())
  }
  if (options.format === 'json')
    result.data({ format: 'kmsfleet-inventory-graph/1', ...graphDocument(inventory, top) }, 2)
  else result.print(...graphLines(inventory, top, 0))
  return exitCode.ok
}

/** `inventory host`: every value of a host with its place, and what it won over. */
export function inventoryHost(name: string, options: InventoryCommandOptions): number {
  const { result } = openTerminal(options)
  const { inventory, extraVars } = load(options)
  const host = inventory.hosts.find((each) => each.name === name)
  if (host === undefined)
    throw unknown(
      'host',
      name,
      inventory.hosts.map((each) => each.name),
    )
  const variables = explainHost(inventory, host, extraVars)
  if (options.format === 'json') {
    result.data({ format: 'kmsfleet-inventory-host/1', ...hostDocument(host), variables }, 2)
    return exitCode.ok
  }
  result.print(
    [styled('strong', host.name), `  cluster ${host.cluster}, ${address(host)}`],
    [`groups: ${host.groups.length === 0 ? 'none' : host.groups.join(', ')}`],
    ...variables.flatMap(variableLines),
  )
  return exitCode.ok
}

function load(options: InventoryCommandOptions): {
  readonly inventory: Inventory
  readonly extraVars: ReadonlyMap<string, unknown>
} {
  const extraVars = parseExtraVars(options.extraVars ?? [])
  return { inventory: loadInventory(options.inventory, { extraVars }), extraVars }
}

function unknown(what: 'group' | 'host', name: string, known: Iterable<string>): KmsfleetError {
  const hint = suggestion(name, known)
  return new KmsfleetError(
    'inventory.pattern',
    `expected a ${what} of the inventory, found none named \`${name}\``,
    hint === undefined ? {} : { hint },
  )
}

function address({ connection }: Host): string {
  const name = connection.address.includes(':') ? `[${connection.address}]` : connection.address
  return connection.port === 22 ? name : `${name}:${String(connection.port)}`
}

function hostDocument({ name, cluster, groups, connection }: Host): object {
  return { host: name, cluster, address: connection.address, port: connection.port, groups }
}

interface GraphDocument {
  readonly group: string
  readonly children: readonly GraphDocument[]
  readonly hosts: readonly string[]
}

function graphDocument(inventory: Inventory, group: string): GraphDocument {
  const { children, hosts } = inventory.tree.get(group) ?? { children: [], hosts: [] }
  return { group, children: children.map((child) => graphDocument(inventory, child)), hosts }
}

function graphLines(inventory: Inventory, group: string, depth: number): readonly Line[] {
  const { children, hosts } = inventory.tree.get(group) ?? { children: [], hosts: [] }
  const at = (level: number, text: string): string => (level === 0 ? text : `${'  |'.repeat(level)}--${text}`)
  return [
    [styled('strong', at(depth, `@${group}:`))],
    ...children.flatMap((child) => graphLines(inventory, child, depth + 1)),
    ...hosts.map((host): Line => [at(depth + 1, host)]),
  ]
}

function variableLines({ name, overrode, ...setting }: Explained): readonly Line[] {
  return [
    [],
    [styled('strong', name), ' = ', shown(setting.value)],
    [styled('dim', `  ${origin(setting)}`)],
    ...overrode.map((loser): Line => [styled('dim', `  over ${shown(loser.value)} of ${origin(loser)}`)]),
  ]
}

function origin({ level, origin: place }: Setting): string {
  return place.file === level ? level : `${level}, ${showPlace(place)}`
}

const longestShown = 120

/** A value as JSON on one line; a long one, such as a certificate, is cut. */
function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= longestShown
    ? text
    : `${text.slice(0, longestShown)}… (${String(text.length)} characters)`
}
