import { KmsfleetError } from '../errors/error.ts'
import type { Snapshot } from '../model/facts.ts'
import type { Plan } from '../model/plan.ts'
import type { Offered } from '../model/seed.ts'
import type { Effect } from '../model/resource.ts'
import type { ReadAtom } from '../model/wire.ts'
import { mergeAtoms } from '../plan/atoms.ts'
import type { PlanContext } from '../plan/expand.ts'
import { type Health, silent } from '../plan/health.ts'
import { planHost } from '../plan/planner.ts'
import type { DoneResult } from '../plan/registers.ts'
import { compileRead } from '../shell/read/compile.ts'
import type { Link } from './link.ts'

/** Asks one host and plans from the answers; remembers what was asked and what was done. */
export interface Observer {
  /** All that a frame asks by now: grows where an address becomes known late. */
  readonly asked: readonly ReadAtom[]
  /** As the last probe found it. */
  readonly health: Health
  /** What the host gives to new ones, where it was asked for that. */
  readonly offered: Offered | undefined
  /** Probes, then plans. */
  ask(link: Link): Promise<Plan>
  /** Plans from a snapshot of {@link Observer.asked} that a frame gave. */
  planFrom(link: Link, snapshot: Snapshot): Promise<Plan>
  /** A change or check was made: the next plan may read its result. */
  remember(key: string, result: DoneResult): void
}

/** Asks the peer that a plan wanted something of; false where none did. */
export type AskPeer = () => Promise<boolean>

/** Frames that ask for addresses which became known late; more would mean that templates chase each other. */
const lateProbes = 5

/**
 * @param atoms what the first frame asks
 * @param before effects that earlier plays of a run which only plans would have had on the host
 * @param abort drops what is under way
 * @param askPeer for hosts that get something from a peer
 */
export function createObserver(
  context: PlanContext,
  atoms: readonly ReadAtom[],
  before: readonly Effect[],
  abort: AbortSignal,
  askPeer: AskPeer = () => Promise.resolve(false),
): Observer {
  const done = new Map<string, DoneResult>()
  let asked = atoms
  let offered: Offered | undefined
  let health: Health = silent('it was not asked yet')

  const probe = (link: Link): Promise<Snapshot> => link.send(compileRead(asked), abort)

  const planFrom = async (link: Link, latest: Snapshot): Promise<Plan> => {
    let snapshot = latest
    for (let round = 0; round <= lateProbes; round += 1) {
      const known = { snapshot, asked, done, before }
      const first = planHost(context, known)
      // Nothing on the host hangs on it: the same answers give the plan with what the peer gave.
      const { plan, missing, ...found } = (await askPeer()) ? planHost(context, known) : first
      health = found.health
      offered = found.offered
      if (missing.length === 0) return plan
      asked = mergeAtoms([...asked, ...missing])
      snapshot = await probe(link)
    }
    throw new KmsfleetError(
      'host.not-proved',
      'expected the addresses of all tasks to settle, found new ones after each probe',
    )
  }

  return {
    get asked() {
      return asked
    },
    get health() {
      return health
    },
    get offered() {
      return offered
    },
    ask: async (link) => planFrom(link, await probe(link)),
    planFrom,
    remember: (key, result) => {
      done.set(key, { ...result, runs: (done.get(key)?.runs ?? 0) + 1 })
    },
  }
}
