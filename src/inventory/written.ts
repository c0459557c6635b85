import * as z from 'zod'
import { collect } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { checkGroupName, checkHostName } from './names.ts'
import { expandRange } from './ranges.ts'
import type { Layer } from './types.ts'
import { readPriority, readVariables, VariablesForm } from './values.ts'
import type { VariablesDocument } from './values.ts'

/** A group as the sources have it; several mentions of one name add up. */
export interface WrittenGroup {
  readonly name: string
  readonly place: Place
  readonly children: Set<string>
  readonly hosts: Set<string>
  /** A layer a mention, in the order that Ansible reads them in. */
  readonly layers: Layer[]
  /** Of groups equally deep the one with the highest wins; 1 if nothing is said. */
  priority: number
}

/** A host as the sources have it. */
export interface WrittenHost {
  readonly name: string
  /** Where it is named first. */
  readonly place: Place
  readonly layers: Layer[]
}

/** Everything that the sources say, one after the other. */
export interface WrittenInventory {
  readonly groups: Map<string, WrittenGroup>
  readonly hosts: Map<string, WrittenHost>
}

interface GroupDocument {
  readonly hosts?: Readonly<Record<string, VariablesDocument>> | null | undefined
  readonly vars?: VariablesDocument | undefined
  readonly children?: Readonly<Record<string, GroupDocument | null>> | null | undefined
}

const GroupDocument: z.ZodType<GroupDocument> = z.strictObject({
  hosts: z.record(z.string(), VariablesForm).nullable().optional(),
  vars: VariablesForm.optional(),
  children: z
    .record(
      z.string(),
      z.lazy(() => GroupDocument.nullable()),
    )
    .nullable()
    .optional(),
})

/** The Ansible form of an inventory: group names to `hosts`, `vars` and `children`. */
export const InventoryDocument: z.ZodType<Readonly<Record<string, GroupDocument | null>>> = z.record(
  z.string(),
  GroupDocument.nullable(),
)

/** Before the first source is read. */
export function emptyInventory(file: string): WrittenInventory {
  const inventory: WrittenInventory = { groups: new Map(), hosts: new Map() }
  for (const name of ['all', 'ungrouped']) groupNamed(inventory, name, { file, line: 1, column: 1 })
  return inventory
}

/** Adds a YAML source; errors in single names are added to `errors` and the rest is read on. */
export function readWritten(
  inventory: WrittenInventory,
  document: KeyLocated<Readonly<Record<string, GroupDocument | null>>>,
  errors: KmsfleetError[],
): void {
  for (const [name, group] of Object.entries(document.value)) {
    readGroup(inventory, document, [name], name, group, errors)
  }
}

/** After the last source: groups that nothing contains are children of `all`, and names are told apart. */
export function finishInventory(inventory: WrittenInventory, errors: KmsfleetError[]): void {
  const contained = new Set([...inventory.groups.values()].flatMap((group) => [...group.children]))
  for (const name of inventory.groups.keys()) {
    if (name !== 'all' && !contained.has(name)) inventory.groups.get('all')?.children.add(name)
    const host = inventory.hosts.get(name)
    if (host === undefined) continue
    const message = `expected different names, found a host and a group \`${name}\``
    errors.push(new KmsfleetError('inventory.host-name', message, { place: host.place }))
  }
}

/** The group of that name, made where it is not there yet. */
export function groupNamed(inventory: WrittenInventory, name: string, place: Place): WrittenGroup {
  const known = inventory.groups.get(name)
  if (known !== undefined) return known
  const group = {
    name,
    place,
    children: new Set<string>(),
    hosts: new Set<string>(),
    layers: [],
    priority: 1,
  }
  inventory.groups.set(name, group)
  return group
}

/** The host of that name, made where it is not there yet. */
export function hostNamed(inventory: WrittenInventory, name: string, place: Place): WrittenHost {
  const known = inventory.hosts.get(name)
  if (known !== undefined) return known
  const host = { name, place, layers: [] }
  inventory.hosts.set(name, host)
  return host
}

/** A mention of a group: its name is checked, its variables make a layer of it. */
export function mentionGroup(
  inventory: WrittenInventory,
  document: KeyLocated,
  path: readonly string[],
  name: string,
  vars: VariablesDocument | undefined,
  errors: KmsfleetError[],
): WrittenGroup {
  const place = document.keyPlace(path)
  collect(errors, () => {
    checkGroupName(name, place)
  })
  const group = groupNamed(inventory, name, place)
  const at = [...path, 'vars']
  group.priority = readPriority(document, at, vars, errors) ?? group.priority
  const variables = readVariables(document, at, vars, 'group', errors)
  if (variables.size > 0) group.layers.push({ level: `group ${name}`, variables })
  return group
}

function readGroup(
  inventory: WrittenInventory,
  document: KeyLocated,
  path: readonly string[],
  name: string,
  written: GroupDocument | null,
  errors: KmsfleetError[],
): void {
  const group = mentionGroup(inventory, document, path, name, written?.vars, errors)
  const children = Object.entries(written?.children ?? {})
  if (name === 'ungrouped' && children.length > 0) {
    const message = 'expected no children in `ungrouped`, found some'
    errors.push(new KmsfleetError('inventory.group', message, { place: group.place }))
  }
  // Hosts stand in the order in which a reader meets them ...
  const mentions = Object.entries(written?.hosts ?? {}).map(([host, variables]) => {
    const place = document.keyPlace([...path, 'hosts', host])
    const names = collect(errors, () => hostNames(host, place)) ?? []
    return { host, variables, hosts: names.map((single) => hostNamed(inventory, single, place)) }
  })
  for (const [child, below] of children) {
    readGroup(inventory, document, [...path, 'children', child], child, below, errors)
    group.children.add(child)
  }
  // ... but like Ansible a group's own hosts come after those of its children: the later mention of a host wins.
  for (const { host, variables, hosts } of mentions) {
    const layer = {
      level: 'host',
      variables: readVariables(document, [...path, 'hosts', host], variables, 'host', errors),
    }
    for (const single of hosts) {
      group.hosts.add(single.name)
      if (layer.variables.size > 0) single.layers.push(layer)
    }
  }
}

function hostNames(written: string, place: Place): readonly string[] {
  const names = expandRange(written, place)
  for (const name of names) checkHostName(name, place)
  return names
}
