import { KmsfleetError } from '../errors/error.ts'
import type { ClusterGates } from '../fleet/clusters.ts'
import type { Permits } from '../fleet/permits.ts'
import type { JobEnd } from '../fleet/run.ts'
import { type Item, type Plan, planItems, planView } from '../model/plan.ts'
import type { Problem } from '../model/problem.ts'
import type { Peer } from '../model/seed.ts'
import type { Effect } from '../model/resource.ts'
import type { ReadAtom } from '../model/wire.ts'
import type { PlanContext } from '../plan/expand.ts'
import type { Health } from '../plan/health.ts'
import { widenings } from '../plan/refine.ts'
import { askPeer } from './ask-peer.ts'
import { againOf, pause } from './again.ts'
import { createEnding } from './ending.ts'
import { type Link, openLink } from './link.ts'
import { makeStage, type StageEnd } from './make-stage.ts'
import { unneededAcceptance } from './new-identity.ts'
import { createObserver } from './observe.ts'
import { problemOf } from './problem.ts'
import { throttledTasks } from './throttle.ts'
import type { RunRequest } from './request.ts'
import { disruptsWell, isDisruptive } from './stage.ts'

/** What one host's part of a play needs. */
export interface HostJob {
  readonly request: RunRequest
  readonly context: PlanContext
  /** All that the first frame asks. */
  readonly atoms: readonly ReadAtom[]
  /** Effects that earlier plays of a run which only plans would have had on the host. */
  readonly before: readonly Effect[]
  readonly gates: ClusterGates
  /** The operator says that this play gives the host's provider another identity. */
  readonly newIdentity: boolean
  /** What `throttle` limits, over all hosts of the play. */
  readonly permits: Permits
}

/** One host's part of a play: first its plan, then, if that is wanted, the changes. */
export interface HostRun {
  /** Connects, asks and plans; the second call gives the same plan. Undefined where that failed; `end` then says how. */
  plan(): Promise<Plan | undefined>
  /**
   * Makes the plan true, stage by stage, each proved by a new probe. Does nothing where there is no plan.
   */
  converge(turn?: Turn): Promise<void>
  /** As the last probe found it; undefined before the first. */
  readonly health: Health | undefined
  /** Closes the connection while a person reads; `converge` then connects and asks again. */
  release(): Promise<void>
  /** Ends a host whose plan was shown and not approved. */
  decline(): Promise<JobEnd>
  /** Ends a host whose turn never came: a rail or the operator stopped the run before it. */
  skip(): Promise<JobEnd>
  /** Emits how the host ended, closes its connection and gives its outcome. */
  end(): Promise<JobEnd>
  /** After its end: asks once more. A problem where anything differs by now, or where the host is not reached. */
  recheck(): Promise<Problem | undefined>
}

/** A host's turn among the others of its cluster. */
export interface Turn {
  /**
   * Awaited before a change that interrupts a service which is well: what it throws ends the host. A service that is
   * down has nothing to lose, and does not wait for its peers.
   */
  beforeDisruption(): Promise<void>
  /** Told after each stage, when {@link HostRun.health} is known anew. */
  probed(): void
}

/** Stages of one run; more would mean that planning does not come to an end. */
const mostStages = 50

export function createHostRun(job: HostJob): HostRun {
  const { request, context, gates } = job
  const { emit } = request
  const host = context.host
  const startedAt = performance.now()
  const lock = { who: request.operator, since: new Date().toISOString(), run: request.run }
  const observer = createObserver(context, job.atoms, job.before, request.abort, () =>
    askPeer(request, context),
  )
  const ending = createEnding(request, host, gates)
  let link: Link | undefined
  /** The plan that was told, and that later ones must refine. */
  let shown: Plan | undefined
  /** What is left to do by the last probe. */
  let current: Plan | undefined
  let changed = 0

  return {
    plan,
    converge,
    get health() {
      return current === undefined ? undefined : observer.health
    },
    release,
    decline,
    skip,
    end,
    recheck,
  }

  async function plan(): Promise<Plan | undefined> {
    if (shown !== undefined || ending.reached !== undefined) return shown
    try {
      emit({ type: 'connecting', host: host.name })
      link = await openLink(host, request.connect, request.abort)
      emit({ type: 'connected', host: host.name })
      current = await observer.ask(link)
      shown = current
      emit({ type: 'planned', host: host.name, plan: planView(current) })
      const unneeded = job.newIdentity ? unneededAcceptance(host.name, current) : undefined
      const refusals = [...refusalsOf(current), ...(unneeded === undefined ? [] : [unneeded])]
      for (const problem of refusals) emit({ type: 'failed', host: host.name, problem })
      if (refusals[0] === undefined) return current
      ending.failed(refusals[0])
    } catch (error) {
      ending.fail(error, false)
    }
    return undefined
  }

  async function converge(turn?: Turn): Promise<void> {
    if (current === undefined || shown === undefined || ending.reached !== undefined) return
    if (current.stages.length === 0) return
    const stopping = (): void => {
      // A host that cannot be told finishes its stage; the run waits for it.
      link?.stop(request.run, request.abort).catch(() => undefined)
    }
    request.stop.addEventListener('abort', stopping, { once: true })
    try {
      await makeTrue(link ?? (await reopen()), shown, turn)
    } catch (error) {
      ending.fail(error, link !== undefined)
    } finally {
      request.stop.removeEventListener('abort', stopping)
    }
  }

  /** Stage after stage, until the plan is empty or something keeps it from that. */
  async function makeTrue(open: Link, approved: Plan, turn: Turn | undefined): Promise<void> {
    let stages = 0
    while (current !== undefined) {
      const [refusal] = refusalsOf(current)
      if (refusal !== undefined) {
        ending.failWith(refusal)
        return
      }
      judgeWidening(current, approved)
      if (current.stages.length === 0) return
      if (disruptsWell(current, observer.health)) await turn?.beforeDisruption()
      if (request.stop.aborted) {
        ending.finish('stopped')
        return
      }
      const again = againOf(current)
      if (again !== undefined && !(await pause(again.delay, request))) continue
      if (again === undefined) stages += 1
      if (stages > mostStages) {
        throw new KmsfleetError(
          'host.not-proved',
          `expected the plan to be empty after ${String(mostStages)} stages, found that each makes new differences`,
        )
      }
      const end = await withPermits(open, current, approved)
      current = end.plan
      turn?.probed()
      if (end.problem !== undefined) {
        ending.failWith(end.problem)
        return
      }
    }
  }

  /** Makes the first stage once few enough other hosts do its tasks that have a `throttle`. */
  function withPermits(open: Link, next: Plan, approved: Plan): Promise<StageEnd> {
    // Always in the order of the play, so that no two hosts wait for each other.
    const throttled = throttledTasks(context, next)
    const take = (index: number): Promise<StageEnd> => {
      const task = throttled[index]
      if (task === undefined)
        return request.stop.aborted ? Promise.resolve({ plan: next }) : takeTurn(open, next, approved)
      const onWait = (): void => {
        emit({ type: 'waiting', host: host.name, for: `its turn at the task '${task.name}'` })
      }
      return job.permits.hold(task.id, task.throttle, () => take(index + 1), onWait)
    }
    return take(0)
  }

  /** Makes the first stage: at once, or, where it interrupts a service, when the cluster lets this host through. */
  async function takeTurn(open: Link, next: Plan, approved: Plan): Promise<StageEnd> {
    const stageJob = {
      host: host.name,
      link: open,
      observer,
      lock,
      emit,
      abort: request.abort,
      onChange: () => {
        changed += 1
      },
    }
    const make = async (): Promise<StageEnd> => {
      if (context.peer?.asked !== true) return makeStage(stageJob, next)
      const fresh = await withFreshOffer(open, context.peer)
      const [problem] = refusalsOf(fresh)
      if (problem !== undefined) return { plan: fresh, problem }
      judgeWidening(fresh, approved)
      // What interrupts a service by now waits for its turn like any other.
      return isDisruptive(fresh) && !isDisruptive(next) ? { plan: fresh } : makeStage(stageJob, fresh)
    }
    if (!isDisruptive(next)) return make()
    emit({ type: 'waiting', host: host.name, for: `its turn in cluster ${host.cluster}` })
    return gates.disrupt(host.cluster, host.name, async () => {
      // The operator may have stopped the run while this host waited.
      if (request.stop.aborted) return { plan: next }
      const end = await make()
      if (end.problem !== undefined) gates.trip(host.cluster, host.name, end.problem)
      return end
    })
  }

  /** The plan with what the peer has now, however long ago it was asked for the last one. */
  async function withFreshOffer(open: Link, peer: Peer): Promise<Plan> {
    peer.forget()
    const plan = await observer.ask(open)
    peer.forget()
    return plan
  }

  /** After a person's long reading: what is there now is planned anew, and must still be what was shown. */
  async function reopen(): Promise<Link> {
    const open = await openLink(host, request.connect, request.abort)
    link = open
    current = await observer.ask(open)
    return open
  }

  /** An approved run does what was shown and nothing more; a `--yes` run says what is new and goes on. */
  function judgeWidening(later: Plan, approved: Plan): void {
    const wider = widenings(later, approved)
    const [first] = wider
    if (first === undefined) return
    emit({ type: 'widened', host: host.name, changes: wider.map(({ key, why }) => `${key} ${why}`) })
    if (request.approve === undefined) return
    throw new KmsfleetError(
      'run.rail',
      `expected no more than the approved plan, found that ${first.key} ${first.why}`,
      { hint: 'Run again to see and approve the plan as it is now.' },
    )
  }

  function decline(): Promise<JobEnd> {
    ending.finish(current?.stages.length === 0 ? 'ok' : 'stopped')
    return end()
  }

  function skip(): Promise<JobEnd> {
    ending.finish('not-run')
    return end()
  }

  async function end(): Promise<JobEnd> {
    const differing = current === undefined ? 0 : planItems(current).length
    const due = current?.due ?? []
    // What is due this playbook would not change: it is told, and counts as nothing that differs.
    const differs = request.command === 'plan' && differing > 0
    ending.finish(changed > 0 ? 'changed' : differs ? 'differs' : 'ok')
    const result: JobEnd = ending.reached ?? { outcome: 'ok' }
    // It failed and is left as down as it is: its peers are the more precious.
    if (result.outcome === 'failed' && result.problem !== undefined && observer.health.is === 'sick')
      gates.trip(host.cluster, host.name, result.problem)
    emit({
      type: 'host-ended',
      host: host.name,
      ...result,
      changed,
      differing,
      due,
      unchanged: shown?.unchanged ?? 0,
      cost: {
        milliseconds: Math.round(performance.now() - startedAt),
        roundTrips: link?.roundTrips ?? 0,
        bytesSent: link?.bytesSent ?? 0,
        bytesReceived: link?.bytesReceived ?? 0,
      },
    })
    await release()
    return result
  }

  async function recheck(): Promise<Problem | undefined> {
    try {
      await reopen()
      const [first] = current === undefined ? [] : planItems(current)
      return first === undefined ? undefined : fallen(host.name, showItem(first))
    } catch (error) {
      return fallen(host.name, problemOf(error).problem.message)
    } finally {
      await release()
    }
  }

  async function release(): Promise<void> {
    const open = link
    link = undefined
    await open?.[Symbol.asyncDispose]()
  }
}

/** A host that was proved, and is not any more when the next batch is to begin. */
function fallen(host: string, found: string): Problem {
  return {
    code: 'run.rail',
    message: `expected ${host} to be as it was proved before the next batch begins, found: ${found}`,
    hint: `look at ${host}, then run again; hosts of later batches are as they were`,
  }
}

function showItem(item: Item): string {
  if (item.item === 'undecided') return `the task '${item.task.name}' is open again`
  if (item.item === 'refused') return item.problem.message
  const attributes = item.differences.map(({ attribute, from }) =>
    from.known ? `${attribute} ${from.value}` : attribute,
  )
  return [item.resource, ...attributes].join(', ')
}

/** What cannot be done on the host; one refusal is enough to change nothing more. */
function refusalsOf(plan: Plan): readonly Problem[] {
  return planItems(plan).flatMap((item) => (item.item === 'refused' ? [item.problem] : []))
}
