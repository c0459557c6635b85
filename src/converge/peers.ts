import { KmsfleetError } from '../errors/error.ts'
import type { JobEnd } from '../fleet/run.ts'
import type { Host } from '../inventory/types.ts'
import { initialAtoms } from '../plan/atoms.ts'
import type { PlanContext } from '../plan/expand.ts'
import { type Health, silent, worse } from '../plan/health.ts'
import type { Play } from '../playbook/types.ts'
import { createLimiter } from '../transport/limiter.ts'
import { createLookers } from './context.ts'
import type { HostRun, Turn } from './host.ts'
import { openLink } from './link.ts'
import { createMemory } from './memory.ts'
import { createObserver } from './observe.ts'
import { problemOf } from './problem.ts'
import type { RunRequest } from './request.ts'

/** Looks after the other hosts of a cluster while one of them has its turn. */
export interface Peers {
  /**
   * Does a host's work. Before it interrupts a service, every other host of its cluster must be well that was not made
   * or found right earlier in the play: one of the same batch whose turn it is too is waited for until it is well or
   * ended, any other is asked, once a batch. What is wrong with the host itself is not held against others. Throws `run.rail` with the names of those that are not well.
   */
  takeTurn(
    host: Host,
    batch: readonly Host[],
    run: Pick<HostRun, 'health'>,
    work: (turn: Turn) => Promise<JobEnd>,
  ): Promise<JobEnd>
}

/** How the host itself is. */
type Own = () => Health | undefined

/** A turn that began in the batch, as the turns of others see it. */
interface SeenTurn {
  readonly health: () => Health | undefined
  /** It waits for others itself: nothing of it will change before they do. */
  waits: boolean
  ended: boolean
}

/**
 * Asks with connections of its own and outside of the pool that the hosts of the run share: a host that waits for its
 * peers holds a place in that pool, and a small pool would wait for itself.
 */
export function createPeers(request: RunRequest, play: Play): Peers {
  const limiter = createLimiter(request.concurrency)
  const memory = createMemory()
  const proved = new Set<string>()
  const batches = new WeakMap<readonly Host[], Batch>()
  const news = createNews()

  function healthOfPeer(peer: Host, { turns, answers }: Batch, own: Own): Promise<Health> {
    const turn = turns.get(peer.name)
    if (turn !== undefined) return settled(turn, own)
    const answer = answers.get(peer.name) ?? limiter.run('peer', request.abort, () => ask(peer))
    answers.set(peer.name, answer)
    return answer
  }

  async function settled(turn: SeenTurn, own: Own): Promise<Health> {
    const health = (): Health => turn.health() ?? silent('not reached')
    await news.until(() => turn.ended || turn.waits || worse(health(), own()).length === 0)
    return health()
  }

  /** Anything that keeps a host from answering is a reason to leave its peers alone. */
  async function ask(peer: Host): Promise<Health> {
    const [context] = createLookers(request, play, [peer], memory)
    return context === undefined ? { is: 'well' } : healthOf(context, request)
  }

  async function beWell({ name, cluster }: Host, batch: Batch, own: Own): Promise<void> {
    const apart = new Set([name, ...proved])
    const peers = request.inventory.hosts.filter((peer) => peer.cluster === cluster && !apart.has(peer.name))
    if (peers.length === 0) return
    const atHand = ({ name: peer }: Host): boolean => {
      const health = batch.turns.get(peer)?.health()
      return health !== undefined && worse(health, own()).length === 0
    }
    if (peers.every(atHand)) return
    request.emit({ type: 'waiting', host: name, for: `the other hosts of cluster ${cluster} to be well` })
    const found = await Promise.all(
      peers.map(async (peer) => ({ peer, health: await healthOfPeer(peer, batch, own) })),
    )
    const sick = found.flatMap(({ peer, health }) => {
      const [reason] = proved.has(peer.name) ? [] : worse(health, own())
      return reason === undefined ? [] : [`${peer.name} (${reason})`]
    })
    // Once the operator stopped the run nothing is interrupted anyway.
    if (sick.length === 0 || request.stop.aborted) return
    throw new KmsfleetError(
      'run.rail',
      `expected the other hosts of cluster ${cluster} to be well before a service is interrupted, found ${sick.join(', ')}`,
      {
        hint: 'mend these hosts first: `--limit` with one of them is enough, what is down may be started at any time',
      },
    )
  }

  return {
    takeTurn: async (host, hosts, run, work) => {
      const batch = batches.get(hosts) ?? { turns: new Map(), answers: new Map() }
      batches.set(hosts, batch)
      const seen: SeenTurn = { health: () => run.health, waits: false, ended: false }
      batch.turns.set(host.name, seen)
      const waiting = (waits: boolean): void => {
        seen.waits = waits
        news.tell()
      }
      try {
        const end = await work({
          beforeDisruption: async () => {
            waiting(true)
            await beWell(host, batch, () => run.health).finally(() => {
              waiting(false)
            })
          },
          probed: () => {
            news.tell()
          },
        })
        if (end.outcome === 'ok' || end.outcome === 'changed') proved.add(host.name)
        return end
      } finally {
        seen.ended = true
        news.tell()
      }
    },
  }
}

interface Batch {
  readonly turns: Map<string, SeenTurn>
  /** Of hosts whose turn had not begun when they were asked. */
  readonly answers: Map<string, Promise<Health>>
}

/** Lets some wait until what others tell of has come. */
function createNews(): { tell(): void; until(holds: () => boolean): Promise<void> } {
  const waiting = new Set<() => void>()
  return {
    tell: () => {
      for (const look of waiting) look()
    },
    until: (holds) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!holds()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

async function healthOf(context: PlanContext, request: RunRequest): Promise<Health> {
  try {
    const atoms = initialAtoms(context, { diff: false })
    await using link = await openLink(context.host, request.connect, request.abort)
    const observer = createObserver(context, atoms, [], request.abort)
    await observer.ask(link)
    return observer.health
  } catch (error) {
    if (request.abort.aborted) throw error
    return silent(problemOf(error).problem.message)
  }
}
