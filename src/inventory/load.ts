import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { collect, throwCollected } from '../document/collect.ts'
import { readDocument } from '../document/parse.ts'
import { describeValue } from '../document/describe.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Ancestry } from './ancestry.ts'
import { groupAncestry } from './ancestry.ts'
import { commandLinePlace, hostConnection } from './connection.ts'
import type { SshDefaults } from './connection.ts'
import { checkConnectionName } from './connection-names.ts'
import { mergeGroups } from './merge.ts'
import type { GroupVariables } from './merge.ts'
import { checkVariableName } from './names.ts'
import type { Host, Inventory, Variable } from './types.ts'
import { readVariableFiles } from './variable-files.ts'
import { InventoryDocument, readWritten } from './written.ts'
import type { WrittenHost, WrittenInventory } from './written.ts'

export interface InventoryOptions {
  /** `--extra-vars`; connection variables and `cluster` among them win over the inventory's. */
  readonly extraVars?: ReadonlyMap<string, unknown>
  readonly ssh?: SshDefaults
}

const noVariables: ReadonlyMap<string, Variable> = new Map()

/**
 * Loads a YAML inventory: a file, or a folder with `hosts.yml`; `group_vars/` and `host_vars/` stand beside
 * it. Nothing is contacted and no program is run. Throws KmsfleetErrors with all errors of all files.
 */
export function loadInventory(path: string, options: InventoryOptions = {}): Inventory {
  const file = inventoryFile(path)
  const errors: KmsfleetError[] = []
  const document = collect(errors, () =>
    readDocument(file, InventoryDocument, { missing: 'inventory.not-found', code: 'inventory.invalid' }),
  )
  throwCollected(errors)
  if (document === undefined)
    throw new KmsfleetError('inventory.not-found', `expected an inventory at ${path}`)
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
  throwCollected(errors)
  if (ancestry === undefined) throw new KmsfleetError('inventory.group', `expected groups in ${path}`)

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

interface Membership {
  groupsOf(host: string): readonly string[]
  /** Of every group, hosts in inventory order. */
  readonly groups: ReadonlyMap<string, readonly string[]>
}

function membership(written: WrittenInventory, ancestry: Ancestry): Membership {
  const direct = new Map<string, Set<string>>()
  for (const group of written.groups.values()) {
    if (group.name === 'all' || group.name === 'ungrouped') continue
    for (const host of group.hosts) {
      const groups = direct.get(host) ?? new Set()
      direct.set(host, groups)
      groups.add(group.name)
      for (const outer of ancestry.ancestors(group.name)) groups.add(outer)
    }
  }
  const groups = new Map<string, string[]>([...written.groups.keys()].map((name) => [name, []]))
  const ungrouped: string[] = []
  groups.set('ungrouped', ungrouped)
  const sorted = new Map<string, readonly string[]>()
  for (const host of written.hosts.keys()) {
    const own = ancestry.sorted(direct.get(host) ?? [])
    sorted.set(host, own)
    groups.get('all')?.push(host)
    for (const group of own) groups.get(group)?.push(host)
    if (own.length === 0) ungrouped.push(host)
  }
  return { groupsOf: (host) => sorted.get(host) ?? [], groups }
}

function makeHost(
  host: WrittenHost,
  groups: readonly string[],
  variables: ReadonlyMap<string, Variable>,
  options: InventoryOptions,
): Host {
  const extraVars = options.extraVars ?? new Map<string, unknown>()
  const errors: KmsfleetError[] = []
  const cluster = collect(errors, () => clusterOf(host, variables, extraVars))
  const connection = collect(errors, () => hostConnection(host.name, variables, extraVars, options.ssh ?? {}))
  throwCollected(errors)
  if (cluster === undefined || connection === undefined)
    throw new KmsfleetError('inventory.invalid', host.name)
  return { name: host.name, cluster, groups, variables, ...connection }
}

const clusterName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

function clusterOf(
  host: WrittenHost,
  variables: ReadonlyMap<string, Variable>,
  extraVars: ReadonlyMap<string, unknown>,
): string {
  const own = variables.get('cluster')
  const variable = extraVars.has('cluster')
    ? { value: extraVars.get('cluster'), origin: commandLinePlace }
    : own
  if (variable === undefined) {
    throw new KmsfleetError(
      'inventory.cluster',
      `expected the variable \`cluster\` for host \`${host.name}\`, found none`,
      {
        place: host.place,
        hint: 'set it for the host or its group: restarts are serialised within a cluster',
      },
    )
  }
  if (typeof variable.value === 'string' && clusterName.test(variable.value)) return variable.value
  throw new KmsfleetError(
    'inventory.cluster',
    `expected a plain name for \`cluster\` of host \`${host.name}\`, found ${describeValue(variable.value)}`,
    { place: variable.origin },
  )
}
