import type { Layer, Variable } from './types.ts'
import type { WrittenInventory } from './written.ts'

/** Layers by the name of a group or host, of one folder. */
export type VariableFiles = ReadonlyMap<string, readonly Layer[]>

/** Puts the layers of each host in order. */
export interface Layering {
  /** A later layer wins over the ones before it. `groups` are the host's, outer before inner. */
  of(host: string, groups: readonly string[]): readonly Layer[]
  /** The layers laid over one another; what hosts of the same groups share is laid once. */
  merged(host: string, groups: readonly string[]): ReadonlyMap<string, Variable>
}

/**
 * The order of Ansible: the inventory's own groups from `all` inwards, `group_vars/all`, `group_vars/` of the other
 * groups folder by folder, the host in the inventory, `host_vars/`.
 */
export function createLayering(
  written: WrittenInventory,
  groupFiles: readonly VariableFiles[],
  hostFiles: readonly VariableFiles[],
): Layering {
  const inFile = (group: string): readonly Layer[] => written.groups.get(group)?.layers ?? []
  const groupLayers = (groups: readonly string[]): readonly Layer[] => {
    const own = groups.length === 0 ? ['ungrouped'] : groups
    return [
      ...['all', ...own].flatMap(inFile),
      ...groupFiles.flatMap((files) => files.get('all') ?? []),
      ...groupFiles.flatMap((files) => own.flatMap((group) => files.get(group) ?? [])),
    ]
  }
  const hostLayers = (host: string): readonly Layer[] => [
    ...(written.hosts.get(host)?.layers ?? []),
    ...hostFiles.flatMap((files) => files.get(host) ?? []),
  ]
  const shared = new Map<string, ReadonlyMap<string, Variable>>()
  return {
    of: (host, groups) => [...groupLayers(groups), ...hostLayers(host)],
    merged: (host, groups) => {
      const key = groups.join(',')
      const base = shared.get(key) ?? lay(new Map(), groupLayers(groups))
      shared.set(key, base)
      return lay(new Map(base), hostLayers(host))
    },
  }
}

function lay(below: Map<string, Variable>, layers: readonly Layer[]): Map<string, Variable> {
  for (const { variables } of layers) for (const [name, variable] of variables) below.set(name, variable)
  return below
}
