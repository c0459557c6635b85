import * as z from 'zod'
import { collect } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { checkGroupName, checkHostName } from './names.ts'
import { expandRange, hasRange } from './ranges.ts'
import type { Variable } from './types.ts'

/** A group as the inventory file has it; several mentions of one name add up. */
export interface WrittenGroup {
  readonly name: string
  readonly place: Place
  readonly variables: Map<string, Variable>
  readonly children: Set<string>
  readonly hosts: Set<string>
}

/** A host with the variables written beside its name; `ranged` ones came from a range and yield to the others. */
export interface WrittenHost {
  readonly name: string
  readonly place: Place
  readonly ranged: Map<string, Variable>
  readonly variables: Map<string, Variable>
}

export interface WrittenInventory {
  readonly groups: Map<string, WrittenGroup>
  readonly hosts: Map<string, WrittenHost>
}

type VariablesDocument = Readonly<Record<string, unknown>> | null

interface GroupDocument {
  readonly hosts?: Readonly<Record<string, VariablesDocument>> | null | undefined
  readonly vars?: VariablesDocument | undefined
  readonly children?: Readonly<Record<string, GroupDocument | null>> | null | undefined
}

/** A variables file, or the `vars` of a group: a dictionary, or nothing. */
export const VariablesDocument: z.ZodType<VariablesDocument> = z.record(z.string(), z.unknown()).nullable()

const GroupDocument: z.ZodType<GroupDocument> = z.strictObject({
  hosts: z.record(z.string(), VariablesDocument).nullable().optional(),
  vars: VariablesDocument.optional(),
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

/** Reads the parsed file; errors in single names are added to `errors` and the rest is read on. */
export function readWritten(
  document: KeyLocated<Readonly<Record<string, GroupDocument | null>>>,
  errors: KmsfleetError[],
): WrittenInventory {
  const inventory: WrittenInventory = { groups: new Map(), hosts: new Map() }
  groupNamed(inventory, 'all', document.place())
  for (const [name, group] of Object.entries(document.value)) {
    readGroup(inventory, document, [name], name, group, errors)
    if (name !== 'all') inventory.groups.get('all')?.children.add(name)
  }
  for (const name of inventory.groups.keys()) {
    const host = inventory.hosts.get(name)
    if (host === undefined) continue
    errors.push(
      new KmsfleetError(
        'inventory.host-name',
        `expected different names, found a host and a group \`${name}\``,
        {
          place: host.place,
        },
      ),
    )
  }
  return inventory
}

function groupNamed(inventory: WrittenInventory, name: string, place: Place): WrittenGroup {
  const known = inventory.groups.get(name)
  if (known !== undefined) return known
  const group: WrittenGroup = { name, place, variables: new Map(), children: new Set(), hosts: new Set() }
  inventory.groups.set(name, group)
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
  const place = document.keyPlace(path)
  collect(errors, () => {
    checkGroupName(name, place)
  })
  if (name === 'ungrouped' && Object.keys(written?.children ?? {}).length > 0) {
    errors.push(
      new KmsfleetError('inventory.group', 'expected no children in `ungrouped`, found some', { place }),
    )
  }
  const group = groupNamed(inventory, name, place)
  for (const [key, value] of Object.entries(written?.vars ?? {})) {
    const variable = { value, origin: document.keyPlace([...path, 'vars', key]) }
    setOnce(group.variables, key, variable, `group \`${name}\``, errors)
  }
  for (const [host, variables] of Object.entries(written?.hosts ?? {})) {
    const hostPath = [...path, 'hosts', host]
    for (const single of collect(errors, () => hostNames(host, document.keyPlace(hostPath))) ?? []) {
      group.hosts.add(single)
      readHost(inventory, document, hostPath, single, hasRange(host), variables, errors)
    }
  }
  for (const [child, below] of Object.entries(written?.children ?? {})) {
    readGroup(inventory, document, [...path, 'children', child], child, below, errors)
    group.children.add(child)
  }
}

function hostNames(written: string, place: Place): readonly string[] {
  const names = expandRange(written, place)
  for (const name of names) checkHostName(name, place)
  return names
}

function readHost(
  inventory: WrittenInventory,
  document: KeyLocated,
  path: readonly string[],
  name: string,
  ranged: boolean,
  variables: VariablesDocument,
  errors: KmsfleetError[],
): void {
  let host = inventory.hosts.get(name)
  if (host === undefined) {
    host = { name, place: document.keyPlace(path), ranged: new Map(), variables: new Map() }
    inventory.hosts.set(name, host)
  }
  for (const [key, value] of Object.entries(variables ?? {})) {
    const variable = { value, origin: document.keyPlace([...path, key]) }
    setOnce(ranged ? host.ranged : host.variables, key, variable, `host \`${name}\``, errors)
  }
}

/** Sets a variable; a second, different value at the same level is an error, since neither is nearer. */
export function setOnce(
  variables: Map<string, Variable>,
  name: string,
  variable: Variable,
  owner: string,
  errors: KmsfleetError[],
): void {
  const before = variables.get(name)
  if (before !== undefined && !sameValue(before.value, variable.value)) {
    const first = `${before.origin.file}:${String(before.origin.line)}`
    errors.push(
      new KmsfleetError(
        'inventory.conflict',
        `expected one value of \`${name}\` for ${owner}, found another one (the first is at ${first})`,
        { place: variable.origin },
      ),
    )
    return
  }
  variables.set(name, variable)
}

/** Equality of YAML values; the order of keys in a dictionary matters not. */
export function sameValue(left: unknown, right: unknown): boolean {
  return left === right || canonical(left) === canonical(right)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
