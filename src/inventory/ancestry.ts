import { KmsfleetError } from '../errors/error.ts'
import type { WrittenGroup } from './written.ts'

/** Which groups contain which. */
export interface Ancestry {
  /** All groups that contain the group, itself and `all` left out. */
  ancestors(group: string): ReadonlySet<string>
  /** Outer groups before inner ones, equally deep ones by `ansible_group_priority`, then by name. */
  sorted(groups: Iterable<string>): readonly string[]
}

/** Throws `inventory.group` where groups contain one another. */
export function groupAncestry(groups: ReadonlyMap<string, WrittenGroup>): Ancestry {
  const parents = new Map<string, string[]>()
  for (const group of groups.values()) {
    for (const child of group.children) parents.set(child, [...(parents.get(child) ?? []), group.name])
  }
  const known = new Map<string, ReadonlySet<string>>()
  const depths = new Map<string, number>()

  const visit = (name: string, below: readonly string[]): ReadonlySet<string> => {
    const before = known.get(name)
    if (before !== undefined) return before
    if (below.includes(name)) {
      const circle = [...below.slice(below.indexOf(name)), name].reverse().join(' > ')
      const place = groups.get(name)?.place
      throw new KmsfleetError(
        'inventory.group',
        `expected groups that do not contain themselves, found ${circle}`,
        {
          ...(place === undefined ? {} : { place }),
        },
      )
    }
    const all = new Set<string>()
    let depth = 0
    for (const parent of parents.get(name) ?? []) {
      for (const ancestor of visit(parent, [...below, name])) all.add(ancestor)
      if (parent !== 'all') all.add(parent)
      depth = Math.max(depth, (depths.get(parent) ?? 0) + 1)
    }
    known.set(name, all)
    depths.set(name, depth)
    return all
  }

  for (const name of groups.keys()) visit(name, [])
  return {
    ancestors: (group) => known.get(group) ?? new Set(),
    sorted: (names) =>
      [...names].sort(
        (a, b) =>
          (depths.get(a) ?? 0) - (depths.get(b) ?? 0) ||
          (groups.get(a)?.priority ?? 1) - (groups.get(b)?.priority ?? 1) ||
          (a < b ? -1 : a > b ? 1 : 0),
      ),
  }
}
