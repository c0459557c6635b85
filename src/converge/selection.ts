import { KmsfleetError } from '../errors/error.ts'
import { shardOf } from '../fleet/shard.ts'
import { selectHosts } from '../inventory/select.ts'
import type { Host, Inventory } from '../inventory/types.ts'
import type { Play } from '../playbook/types.ts'
import type { ContextRequest } from './memory.ts'

/** The hosts that a play is for: its pattern within `--limit` (at least one), and of those the shard's. */
export function hostsOfPlay(
  { inventory, limit, shard }: Pick<ContextRequest, 'inventory' | 'limit' | 'shard'>,
  play: Play,
): readonly Host[] {
  const hosts = limited(inventory, play, limit)
  if (shard === undefined) return hosts
  const part = new Set(shardOf(inventory.hosts, shard))
  return hosts.filter((host) => part.has(host))
}

function limited(inventory: Inventory, play: Play, limit: string | undefined): readonly Host[] {
  const hosts = selectHosts(inventory, play.hosts, play.place)
  if (limit === undefined) return hosts
  const allowed = new Set(selectHosts(inventory, limit).map((host) => host.name))
  const left = hosts.filter((host) => allowed.has(host.name))
  if (left.length > 0) return left
  throw new KmsfleetError(
    'run.usage',
    `expected --limit ${limit} to leave hosts of the play '${play.name}', found none`,
    {
      place: play.place,
    },
  )
}
