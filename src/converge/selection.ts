import { KmsfleetError } from '../errors/error.ts'
import { shardOf } from '../fleet/shard.ts'
import { selectHosts } from '../inventory/select.ts'
import type { Host, Inventory } from '../inventory/types.ts'
import type { Play } from '../playbook/types.ts'
import type { ContextRequest } from './memory.ts'

type Narrowed = Pick<ContextRequest, 'inventory' | 'limit' | 'shard'>

/** The hosts that a play is for: its pattern within `--limit`, and of those the shard's. None where these leave none. */
export function hostsOfPlay({ inventory, limit, shard }: Narrowed, play: Play): readonly Host[] {
  const hosts = limited(inventory, play, limit)
  if (shard === undefined) return hosts
  const part = new Set(shardOf(inventory.hosts, shard))
  return hosts.filter((host) => part.has(host))
}

/** A limit may pass over plays, such as those for other groups, but a run of no host at all is a mistake. */
export function checkLimit({ inventory, limit }: Narrowed, plays: readonly Play[]): void {
  if (limit === undefined || plays.some((play) => limited(inventory, play, limit).length > 0)) return
  throw new KmsfleetError(
    'run.usage',
    `expected --limit ${limit} to leave hosts of a play, found none in '${plays.map(({ name }) => name).join("', '")}'`,
  )
}

function limited(inventory: Inventory, play: Play, limit: string | undefined): readonly Host[] {
  const hosts = selectHosts(inventory, play.hosts, play.place)
  if (limit === undefined) return hosts
  const allowed = new Set(selectHosts(inventory, limit).map((host) => host.name))
  return hosts.filter((host) => allowed.has(host.name))
}
