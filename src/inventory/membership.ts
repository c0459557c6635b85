import type { Ancestry } from './ancestry.ts'
import type { WrittenInventory } from './written.ts'

/** Who is in which group. */
export interface Membership {
  /** All groups of a host but `all`, outer ones before inner ones. */
  groupsOf(host: string): readonly string[]
  /** Of every group, hosts in inventory order. */
  readonly groups: ReadonlyMap<string, readonly string[]>
}

export function membership(written: WrittenInventory, ancestry: Ancestry): Membership {
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
