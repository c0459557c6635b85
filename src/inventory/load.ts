import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { collect, throwCollected } from '../document/collect.ts'
import { readDocument } from '../document/parse.ts'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import type { Ancestry } from './ancestry.ts'
import { groupAncestry } from './ancestry.ts'
import { checkConnectionName } from './connection-names.ts'
import { makeHost } from './host.ts'
import type { InventoryOptions } from './host.ts'
import { membership } from './membership.ts'
import { mergeGroups } from './merge.ts'
import type { GroupVariables } from './merge.ts'
import { checkVariableName } from './names.ts'
import type { Host, Inventory, Variable } from './types.ts'
import { readVariableFiles } from './variable-files.ts'
import { InventoryDocument, readWritten } from './written.ts'
import type { WrittenInventory } from './written.ts'

const noVariables: ReadonlyMap<string, Variable> = new Map()

/**
 * Loads a YAML inventory: a file, or a folder with `hosts.yml`; `group_vars/` and `host_vars/` stand beside
 * it. Nothing is contacted and no program is run. Throws KmsfleetErrors with all errors of all files.
 */
export function loadInventory(path: string, options: InventoryOptions = {}): Inventory {
  const file = inventoryFile(path)
  const errors: KmsfleetError[] = []
  const document = collect(errors, () =>
    readDocument(file, InventoryDocument, {
      missing: 'inventory.not-found',
      code: 'inventory.invalid',
      errors,
    }),
  )
  if (document === undefined) throw new KmsfleetErrors(errors)
  const written = readWritten(document, errors)
  const folder = dirname(file)
  const groupFiles = readVariableFiles(
    folder,
    'group',
    new Set([...written.groups.keys(), 'ungrouped']),
    errors,
  )
  const hostFiles = readVariableFiles(folder, 'host', new Set(written.hosts.keys()), errors)
  const ancestry = collect(errors, () => groupAncestry(written.groups))
  checkNames(written, [...groupFiles.values(), ...hostFiles.values()], errors)
  if (ancestry === undefined) throw new KmsfleetErrors(errors)

  const inventoryDir: Variable = { value: resolve(folder), origin: { file, line: 1, column: 1 } }
  const groupVariables = groupVariablesOf(written, groupFiles, ancestry)
  const members = membership(written, ancestry)
  const hosts: Host[] = []
  for (const host of written.hosts.values()) {
    const groups = members.groupsOf(host.name)
    const inherited = groupVariables(groups)
    const own = overlay(host.ranged, overlay(host.variables, hostFiles.get(host.name) ?? noVariables))
    for (const [name, error] of inherited.conflicts) if (!own.has(name)) errors.push(error)
    const variables = new Map([...inherited.variables, ...own, ['inventory_dir', inventoryDir] as const])
    const made = collect(errors, () => makeHost(host, groups, variables, options))
    if (made !== undefined) hosts.push(made)
  }
  throwCollected(errors)
  return { file, hosts, groups: members.groups }
}

function inventoryFile(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory() !== true) return path
  for (const name of ['hosts.yml', 'hosts.yaml']) {
    const file = join(path, name)
    if (statSync(file, { throwIfNoEntry: false }) !== undefined) return file
  }
  throw new KmsfleetError(
    'inventory.not-found',
    `expected hosts.yml in the inventory folder ${path}, found none`,
    {
      hint: 'an inventory is YAML; `ansible-inventory --list --yaml` turns other forms into it',
    },
  )
}

function overlay(
  low: ReadonlyMap<string, Variable>,
  high: ReadonlyMap<string, Variable>,
): ReadonlyMap<string, Variable> {
  if (high.size === 0) return low
  return low.size === 0 ? high : new Map([...low, ...high])
}

/** Names are checked where they are set, whether or not a host ever gets the variable. */
function checkNames(
  written: WrittenInventory,
  files: readonly ReadonlyMap<string, Variable>[],
  errors: KmsfleetError[],
): void {
  const groups = [...written.groups.values()].map((group) => group.variables)
  const hosts = [...written.hosts.values()].flatMap((host) => [host.ranged, host.variables])
  for (const variables of [...groups, ...hosts, ...files]) {
    for (const [name, variable] of variables) {
      collect(errors, () => {
        if (name.startsWith('ansible_')) checkConnectionName(name, variable.origin)
        else checkVariableName(name, variable.origin)
      })
    }
  }
}

/** The merged variables of a list of groups; hosts in the same groups share one merge. */
function groupVariablesOf(
  written: WrittenInventory,
  files: ReadonlyMap<string, ReadonlyMap<string, Variable>>,
  ancestry: Ancestry,
): (groups: readonly string[]) => GroupVariables {
  const variablesOf = (group: string): ReadonlyMap<string, Variable> =>
    overlay(written.groups.get(group)?.variables ?? noVariables, files.get(group) ?? noVariables)
  const merged = new Map<string, GroupVariables>()
  return (groups) => {
    const key = groups.join(',')
    const known = merged.get(key)
    if (known !== undefined) return known
    const fresh = mergeGroups(groups.length === 0 ? ['ungrouped'] : groups, variablesOf, ancestry)
    merged.set(key, fresh)
    return fresh
  }
}
