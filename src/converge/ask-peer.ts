import type { Offered, Peer } from '../model/seed.ts'
import { initialAtoms } from '../plan/atoms.ts'
import type { PlanContext } from '../plan/expand.ts'
import { worse } from '../plan/health.ts'
import type { Play } from '../playbook/types.ts'
import { createLookers } from './context.ts'
import { openLink } from './link.ts'
import { createMemory } from './memory.ts'
import { createObserver } from './observe.ts'
import { problemOf } from './problem.ts'
import type { RunRequest } from './request.ts'
import { mayWrite } from './secrets.ts'

/**
 * Asks a peer that a plan of `host` wanted something of. True where it answered meanwhile, so that there is a new plan to
 * make. A peer that cannot be reached or is not well gives nothing: that is kept as the reason.
 */
export async function askPeer(request: RunRequest, { host, play, peer }: PlanContext): Promise<boolean> {
  if (peer?.wanted !== true) return false
  request.emit({ type: 'waiting', host: host.name, for: `what ${peer.name} gives` })
  peer.keep(await offerOf(request, play, peer))
  return true
}

async function offerOf(request: RunRequest, play: Play, { name }: Peer): Promise<Offered> {
  const seeding = { is: 'giver', withContent: mayWrite(request) } as const
  const hosts = request.inventory.hosts.filter((host) => host.name === name)
  const [context] = createLookers(request, play, hosts, createMemory(), seeding)
  if (context === undefined) throw new Error(`the inventory lost ${name}`)
  try {
    await using link = await openLink(context.host, request.connect, request.abort)
    const observer = createObserver(context, initialAtoms(context, { diff: false }), [], request.abort)
    await observer.ask(link)
    const { health, offered } = observer
    if (health.is !== 'well') return notWell(name, worse(health, undefined)[0] ?? 'no provider on it')
    if (offered === undefined) return notWell(name, 'that no task of the play gives anything')
    if (offered.is === 'refused') return refusal(name, offered.problem)
    for (const secret of offered.offer.pair ?? []) request.onSecret?.(secret)
    return offered
  } catch (error) {
    if (request.abort.aborted) throw error
    return notWell(name, problemOf(error).problem.message)
  }
}

function notWell(name: string, found: string): Offered {
  const message = `expected the peer ${name} to be reached and well, found ${found}`
  const hint = 'Mend it first, or name another peer.'
  return { is: 'refused', problem: { code: 'run.rail', subject: name, message, hint } }
}

/** What is wrong on the peer is told at the host that wants of it. */
function refusal(name: string, problem: Extract<Offered, { is: 'refused' }>['problem']): Offered {
  return { is: 'refused', problem: { ...problem, message: `peer ${name}: ${problem.message}` } }
}
