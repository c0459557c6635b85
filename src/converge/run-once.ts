import { batchesOf, type JobEnd } from '../fleet/run.ts'
import type { Host } from '../inventory/types.ts'
import type { EventSink } from '../model/event.ts'
import type { PreparedPlay } from './play.ts'

/** Does a host's work in its turn; a host whose turn never comes was not run. */
type InTurn = (host: Host, work: () => Promise<JobEnd>) => Promise<JobEnd>

/**
 * Where a play has tasks with `run_once`, the first host of each batch, which does them, goes before the others of
 * its batch: what it did once for all is there when they begin. If it does not end well, the others do not begin.
 */
export function behindLeaders({ play, hosts }: PreparedPlay, emit: EventSink): InTurn {
  if (!play.tasks.some((task) => task.runOnce)) return (_, work) => work()
  const leaders = new Map<string, Leader>()
  for (const batch of batchesOf(hosts, play.serial)) {
    const leader = createLeader(batch[0]?.host.name ?? '')
    for (const { host } of batch) leaders.set(host.name, leader)
  }
  return async (host, work) => {
    const leader = leaders.get(host.name)
    if (leader === undefined || leader.name === host.name) return leader?.go(work) ?? work()
    emit({ type: 'waiting', host: host.name, for: `${leader.name}, which does once what is for all` })
    return (await leader.wentWell) ? work() : { outcome: 'not-run' }
  }
}

interface Leader {
  readonly name: string
  /** Settles when it ended; never rejects. */
  readonly wentWell: Promise<boolean>
  go(work: () => Promise<JobEnd>): Promise<JobEnd>
}

function createLeader(name: string): Leader {
  let settle: (well: boolean) => void = () => undefined
  const wentWell = new Promise<boolean>((resolve) => {
    settle = resolve
  })
  return {
    name,
    wentWell,
    go: async (work) => {
      let well = false
      try {
        const end = await work()
        well = end.outcome === 'ok' || end.outcome === 'changed'
        return end
      } finally {
        settle(well)
      }
    },
  }
}
