import type { Host } from '../inventory/types.ts'

/** One part of a fleet that several runs share: part `index` (from 1) of `count`. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/**
 * The hosts of a part. A cluster is never divided, since only within one run are its disruptive changes serialised:
 * clusters are dealt out in the order in which the inventory names them, whatever else narrows the run.
 */
export function shardOf(hosts: readonly Host[], { index, count }: Shard): readonly Host[] {
  const clusters = [...new Set(hosts.map(({ cluster }) => cluster))]
  const mine = new Set(clusters.filter((_, at) => at % count === index - 1))
  return hosts.filter(({ cluster }) => mine.has(cluster))
}
