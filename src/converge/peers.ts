import { KmsfleetError } from '../errors/error.ts'
import type { Host } from '../inventory/types.ts'
import { initialAtoms } from '../plan/atoms.ts'
import type { PlanContext } from '../plan/expand.ts'
import type { Health } from '../plan/health.ts'
import type { Play } from '../playbook/types.ts'
import { createLimiter } from '../transport/limiter.ts'
import { createLookers } from './context.ts'
import { openLink } from './link.ts'
import { createMemory } from './memory.ts'
import { createObserver } from './observe.ts'
import { problemOf } from './problem.ts'
import type { RunRequest } from './request.ts'

/** Looks after the hosts of a cluster that a batch does not work on. */
export interface Peers {
  /**
   * Before a service of `host` is interrupted: every host of its cluster that is neither in the batch nor was made
   * or found right earlier in the play must be well now. Throws `run.rail` with the names of those that are not.
   * Each cluster is asked once a batch.
   */
  beWell(host: Host, batch: readonly Host[]): Promise<void>
  /** The host ended well in this play: it was proved, and need not be asked. */
  proved(host: Host): void
}

/**
 * Asks with connections of its own and outside of the pool that the hosts of the run share: a host that waits for its
 * peers holds a place in that pool, and a small pool would wait for itself.
 */
export function createPeers(request: RunRequest, play: Play): Peers {
  const limiter = createLimiter(request.concurrency)
  const wellSoFar = new Set<string>()
  const asked = new WeakMap<readonly Host[], Map<string, Promise<void>>>()

  function peersOf(cluster: string, batch: readonly Host[]): readonly Host[] {
    const apart = new Set([...batch.map(({ name }) => name), ...wellSoFar])
    return request.inventory.hosts.filter((host) => host.cluster === cluster && !apart.has(host.name))
  }

  async function ask(cluster: string, peers: readonly Host[]): Promise<void> {
    const contexts = createLookers(request, play, peers, createMemory())
    const found = await Promise.all(
      contexts.map(async (context) => ({
        host: context.host.name,
        health: await limiter.run('peer', request.abort, () => healthOf(context, request)),
      })),
    )
    const sick = found.flatMap(({ host, health }) =>
      health.is === 'sick' ? [`${host} (${health.found})`] : [],
    )
    if (sick.length === 0) return
    throw new KmsfleetError(
      'run.rail',
      `expected the other hosts of cluster ${cluster} to be well before a service is interrupted, found ${sick.join(', ')}`,
      {
        hint: 'mend these hosts first: `--limit` with one of them is enough, what is down may be started at any time',
      },
    )
  }

  return {
    beWell: async ({ name, cluster }, batch) => {
      const clusters = asked.get(batch) ?? new Map<string, Promise<void>>()
      asked.set(batch, clusters)
      const peers = peersOf(cluster, batch)
      if (peers.length === 0) return
      request.emit({ type: 'waiting', host: name, for: `the other hosts of cluster ${cluster} to be well` })
      const answer = clusters.get(cluster) ?? ask(cluster, peers)
      clusters.set(cluster, answer)
      await answer
    },
    proved: (host) => {
      wellSoFar.add(host.name)
    },
  }
}

/** Anything that keeps a host from answering is a reason to leave its peers alone. */
async function healthOf(context: PlanContext, request: RunRequest): Promise<Health> {
  try {
    const atoms = initialAtoms(context, { diff: false })
    await using link = await openLink(context.host, request.connect, request.abort)
    const observer = createObserver(context, atoms, [], request.abort)
    await observer.ask(link)
    return observer.health
  } catch (error) {
    if (request.abort.aborted) throw error
    return { is: 'sick', found: problemOf(error).problem.message }
  }
}
