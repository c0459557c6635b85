import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import type { Host } from '../inventory/types.ts'
import type { Offered, Peer } from '../model/seed.ts'
import type { Play } from '../playbook/types.ts'
import type { ContextRequest, RunMemory } from './memory.ts'
import { operatorScope } from './secrets.ts'

/**
 * The peer of each host of a play that has `seed_from`, by the host's name; each host asks it for itself, in its turn.
 * Throws KmsfleetErrors where one is unknown, in another cluster, or itself a host of the play.
 */
export function seedPeers(
  request: ContextRequest,
  play: Play,
  hosts: readonly Host[],
  { engine }: RunMemory,
): ReadonlyMap<string, Peer> {
  const { seedFrom } = play
  if (seedFrom === undefined) return new Map()
  const errors = new Map<string, KmsfleetError>()
  const pairs = hosts.flatMap((host): [string, Peer][] => {
    const name = String(engine.text(seedFrom.template, operatorScope(request, play, host), seedFrom.place))
    const found = request.inventory.hosts.find((candidate) => candidate.name === name)
    const wrong = unfit(name, found, host, hosts)
    if (found === undefined || wrong !== undefined) {
      const message = `expected \`seed_from\` to name a host that runs the provider already, found ${wrong ?? 'none'}`
      errors.set(message, new KmsfleetError('playbook.invalid', message, { place: seedFrom.place, hint }))
      return []
    }
    return [[host.name, createPeer(name)]]
  })
  if (errors.size > 0) throw new KmsfleetErrors([...errors.values()])
  return new Map(pairs)
}

const hint =
  'Name a healthy host of the same cluster, such as `-e openbao_kms_seed_from=HOST`, and with --limit the new ones.'

function unfit(
  name: string,
  found: Host | undefined,
  host: Host,
  hosts: readonly Host[],
): string | undefined {
  if (name === '') return `none for ${host.name}`
  if (found === undefined) return `${name}, which the inventory does not have`
  if (hosts.includes(found)) return `${name}, which is itself a host of this play`
  if (found.cluster === host.cluster) return undefined
  return `${name} of cluster ${found.cluster}, and ${host.name} is of cluster ${host.cluster}`
}

function createPeer(name: string): Peer {
  let kept: Offered | undefined
  let wanted = false
  return {
    name,
    offered: () => {
      wanted = true
      return kept
    },
    get wanted() {
      return wanted && kept === undefined
    },
    get asked() {
      return kept !== undefined
    },
    keep: (offered) => {
      kept = offered
    },
    forget: () => {
      kept = undefined
      wanted = false
    },
  }
}
