import { dirname, resolve } from 'node:path'
import { collect, throwCollected } from '../document/collect.ts'
import { parseDocument, readText } from '../document/parse.ts'
import type { KmsfleetError } from '../errors/error.ts'
import { groupAncestry } from './ancestry.ts'
import { refuseForeign } from './foreign.ts'
import { makeHost } from './host.ts'
import type { InventoryOptions } from './host.ts'
import { createLayering } from './layers.ts'
import { isListing, ListingDocument, readListing } from './listing.ts'
import { membership } from './membership.ts'
import { inventorySources } from './sources.ts'
import type { GroupTree, Host, Inventory, Variable } from './types.ts'
import { readVariableFiles } from './variable-files.ts'
import { emptyInventory, finishInventory, InventoryDocument, readWritten } from './written.ts'
import type { WrittenInventory } from './written.ts'

/**
 * Loads inventories, one over the other: files, or folders of them, in Ansible's YAML or as `ansible-inventory --list`
 * prints them; `group_vars/` and `host_vars/` stand beside a file and in a folder. Nothing is contacted and no program
 * is run. Throws KmsfleetErrors with all errors of all files.
 */
export function loadInventory(paths: string | readonly string[], options: InventoryOptions = {}): Inventory {
  const errors: KmsfleetError[] = []
  const { files, folders } = inventorySources(typeof paths === 'string' ? [paths] : paths, errors)
  const written = emptyInventory(files[0] ?? '')
  const complete = files.map((file) => collect(errors, () => readSource(written, file, errors)))
  // Where a source is not read at all, what is missing says nothing.
  if (complete.includes(undefined)) throwCollected(errors)
  finishInventory(written, errors)
  const groupNames = new Set(written.groups.keys())
  const hostNames = new Set(written.hosts.keys())
  const layering = createLayering(
    written,
    folders.map((folder) => readVariableFiles(folder, 'group', groupNames, errors)),
    folders.map((folder) => readVariableFiles(folder, 'host', hostNames, errors)),
  )
  const ancestry = collect(errors, () => groupAncestry(written.groups))
  if (ancestry === undefined) return fail(errors)

  const members = membership(written, ancestry)
  const hosts: Host[] = []
  for (const host of written.hosts.values()) {
    const groups = members.groupsOf(host.name)
    const variables = new Map([...layering.merged(host.name, groups), inventoryFolder(host.place.file)])
    const made = collect(errors, () => makeHost(host, groups, variables, options))
    if (made !== undefined) hosts.push(made)
  }
  throwCollected(errors)
  return {
    folders,
    hosts,
    groups: members.groups,
    tree: treeOf(written, members.groups.get('ungrouped') ?? []),
    layersOf: (host) => layering.of(host, members.groupsOf(host)),
  }
}

/** Throws all errors; there is at least one. */
function fail(errors: readonly KmsfleetError[]): never {
  throwCollected(errors)
  throw new Error('expected errors of an inventory that cannot be read, found none')
}

function readSource(written: WrittenInventory, file: string, errors: KmsfleetError[]): true {
  const text = readText(file, 'inventory.not-found')
  refuseForeign(file, text)
  const options = { code: 'inventory.invalid', errors } as const
  if (isListing(text)) readListing(written, parseDocument(file, text, ListingDocument, options), errors)
  else readWritten(written, parseDocument(file, text, InventoryDocument, options), errors)
  return true
}

function inventoryFolder(file: string): readonly [string, Variable] {
  return ['inventory_dir', { value: resolve(dirname(file)), origin: { file, line: 1, column: 1 } }]
}

/** What was written below each group; hosts that are in no group are shown in `ungrouped`. */
function treeOf(written: WrittenInventory, ungrouped: readonly string[]): ReadonlyMap<string, GroupTree> {
  return new Map(
    [...written.groups.values()].map((group) => {
      const hosts = group.name === 'ungrouped' ? ungrouped : group.name === 'all' ? [] : [...group.hosts]
      return [group.name, { children: [...group.children], hosts }]
    }),
  )
}
