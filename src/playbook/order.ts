/** In which order a play's hosts take their turns; Ansible's words. */
export const orders = ['inventory', 'reverse_inventory', 'sorted', 'reverse_sorted', 'shuffle'] as const
export type Order = (typeof orders)[number]

/**
 * Hosts, given in inventory order, in the order of a play.
 *
 * @param random gives numbers from 0 up to, not including, 1
 */
export function inOrder<T extends { readonly name: string }>(
  hosts: readonly T[],
  order: Order,
  random: () => number = Math.random,
): readonly T[] {
  switch (order) {
    case 'inventory':
      return hosts
    case 'reverse_inventory':
      return hosts.toReversed()
    case 'sorted':
      return hosts.toSorted(byName)
    case 'reverse_sorted':
      return hosts.toSorted(byName).toReversed()
    case 'shuffle':
      return hosts
        .map((host) => ({ host, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ host }) => host)
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
