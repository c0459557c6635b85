import { setTimeout } from 'node:timers/promises'
import type { Host } from '../inventory/types.ts'
import type { EventSink } from '../model/event.ts'
import type { HostOutcome } from '../model/outcome.ts'
import type { Problem } from '../model/problem.ts'
import type { Play } from '../playbook/types.ts'

/** How a host's job ended. Trouble of a host is an outcome and never a rejection. */
export interface JobEnd {
  readonly outcome: HostOutcome
  readonly problem?: Problem
}

export interface FleetOptions {
  /** Hosts worked on at once, at least 1. */
  readonly concurrency: number
  readonly serial: Play['serial']
  /** 0 to 100: more failed and unreachable hosts than this share of a batch stop the play, as in Ansible. */
  readonly maxFailPercentage?: number
  readonly anyErrorsFatal: boolean
  /** Seconds to wait between two batches where the first of them changed something. */
  readonly pause?: number
  /**
   * Asked before the next batch of the hosts that the last one changed: are they still as they were proved? A problem
   * stops the play.
   */
  readonly gate?: (changed: readonly Host[]) => Promise<Problem | undefined>
  /** Aborted: no further host starts. */
  readonly stop: AbortSignal
}

/** Cuts hosts into batches; the last size repeats, a percentage is of all hosts and at least one. */
export function batchesOf<T>(hosts: readonly T[], serial: Play['serial']): readonly (readonly T[])[] {
  const batches: (readonly T[])[] = []
  let at = 0
  for (let turn = 0; at < hosts.length; turn += 1) {
    const size = serial[Math.min(turn, serial.length - 1)] ?? hosts.length
    const counted =
      typeof size === 'number' ? size : Math.floor((hosts.length * Number.parseFloat(size)) / 100)
    const batch = hosts.slice(at, at + Math.max(1, Math.floor(counted)))
    batches.push(batch)
    at += batch.length
  }
  return batches
}

/**
 * Runs the job of each host, batch by batch, at most `concurrency` at once, until a rail stops the play. Between two
 * batches it pauses, and passes the gate, where the first one changed something.
 * Every host is in the result; those that never started are `not-run`. If a job rejects, no new host starts,
 * the running ones end, and its error is thrown.
 */
export async function runFleet(
  hosts: readonly Host[],
  options: FleetOptions,
  job: (host: Host, batch: readonly Host[]) => Promise<JobEnd>,
  emit: EventSink,
): Promise<ReadonlyMap<string, JobEnd>> {
  const ends = new Map<string, JobEnd>()
  const rejected: unknown[] = []
  let batch: readonly Host[] = []
  let failedInBatch = 0
  let rail: Problem | undefined

  const stopped = (): boolean => rail !== undefined || rejected.length > 0 || options.stop.aborted
  const raise = (problem: Problem): void => {
    if (rail !== undefined) return
    rail = problem
    emit({ type: 'rail', problem })
  }
  const work = async (host: Host): Promise<void> => {
    try {
      const end = await job(host, batch)
      ends.set(host.name, end)
      if (end.outcome !== 'failed' && end.outcome !== 'unreachable') return
      failedInBatch += 1
      const problem = budgetProblem(host.name, failedInBatch, batch.length, options)
      if (problem !== undefined) raise(problem)
    } catch (error) {
      rejected.push(error)
    }
  }

  const between = async (changed: readonly Host[]): Promise<void> => {
    if (changed.length === 0) return
    const { pause = 0, gate, stop } = options
    if (pause > 0) {
      emit({ type: 'paused', seconds: pause })
      // Waking up early is what an interruption is for; `stopped` tells it from the end of the pause.
      await setTimeout(pause * 1000, undefined, { signal: stop }).catch(() => undefined)
    }
    if (stopped()) return
    const problem = await gate?.(changed)
    if (problem !== undefined) raise(problem)
  }

  for (batch of batchesOf(hosts, options.serial)) {
    if (stopped()) break
    failedInBatch = 0
    emit({ type: 'batch-started', hosts: batch.map((host) => host.name) })
    await pool(batch, options.concurrency, stopped, work)
    const last = ends.size === hosts.length
    if (last || stopped()) continue
    if (!batch.some(({ name }) => isWell(ends.get(name)))) raise(wholeBatch(batch.length))
    else await between(batch.filter((host) => ends.get(host.name)?.outcome === 'changed'))
  }
  if (rejected.length > 0) throw rejected[0]
  return new Map(hosts.map((host) => [host.name, ends.get(host.name) ?? { outcome: 'not-run' }] as const))
}

/** A host that waited in vain for another of its batch did not fail, but nothing of the batch succeeded either. */
function isWell(end: JobEnd | undefined): boolean {
  return end?.outcome === 'ok' || end?.outcome === 'changed' || end?.outcome === 'differs'
}

/** Works through items in order, at most `limit` at once; starts none once `stopped`. Work must not reject. */
async function pool<T>(
  items: readonly T[],
  limit: number,
  stopped: () => boolean,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const worker = async (): Promise<void> => {
    // A shared iterator: the next item goes to whichever worker is free first.
    for (const item of queue) {
      if (stopped()) return
      await work(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(Math.max(1, limit), items.length) }, worker))
}

function budgetProblem(
  host: string,
  failed: number,
  size: number,
  options: FleetOptions,
): Problem | undefined {
  if (options.anyErrorsFatal) {
    return {
      code: 'run.rail',
      message: `expected no host to fail (any_errors_fatal), found that ${host} did`,
      hint: 'mend the host, then run again',
    }
  }
  const budget = options.maxFailPercentage
  if (budget === undefined || failed * 100 <= budget * size) return undefined
  return {
    code: 'run.rail',
    message: `expected at most ${String(budget)} % of the ${String(size)} hosts of a batch to fail, found ${String(failed)} failed or unreachable`,
    hint: 'mend these hosts, then run again; those that were not run are as they were',
  }
}

function wholeBatch(size: number): Problem {
  return {
    code: 'run.rail',
    message: `expected a host of the batch to succeed, found that none of ${String(size)} did`,
    hint: 'mend these hosts, then run again; those that were not run are as they were',
  }
}
