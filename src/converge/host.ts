import { KmsfleetError } from '../errors/error.ts'
import type { ClusterGates } from '../fleet/clusters.ts'
import type { JobEnd } from '../fleet/run.ts'
import type { Snapshot } from '../model/facts.ts'
import { type Plan, planItems, planView } from '../model/plan.ts'
import type { Problem } from '../model/problem.ts'
import type { ReadAtom } from '../model/wire.ts'
import { mergeAtoms } from '../plan/atoms.ts'
import type { PlanContext } from '../plan/expand.ts'
import { planHost } from '../plan/planner.ts'
import { type Widening, widenings } from '../plan/refine.ts'
import type { DoneResult } from '../plan/registers.ts'
import { compileRead } from '../shell/read/compile.ts'
import { compileWrite } from '../shell/write/compile.ts'
import type { Link } from './link.ts'
import { openLink } from './link.ts'
import { problemOf } from './problem.ts'
import type { RunRequest } from './request.ts'
import { reportProblem, sendable, unproved } from './stage.ts'

/** What one host's part of a play needs. */
export interface HostJob {
  readonly request: RunRequest
  readonly context: PlanContext
  /** All that the first frame asks. */
  readonly atoms: readonly ReadAtom[]
  readonly gates: ClusterGates
}

/** One host's part of a play: first its plan, then, if that is wanted, the changes. */
export interface HostRun {
  /** Connects, asks and plans; the second call gives the same plan. Undefined where that failed; `end` then says how. */
  plan(): Promise<Plan | undefined>
  /** Makes the plan true, stage by stage, each proved by a new probe. Does nothing where there is no plan. */
  converge(): Promise<void>
  /** Closes the connection while a person reads; `converge` then connects and asks again. */
  release(): Promise<void>
  /** Ends a host whose plan was shown and not approved. */
  decline(): Promise<JobEnd>
  /** Ends a host whose turn never came: a rail or the operator stopped the run before it. */
  skip(): Promise<JobEnd>
  /** Emits how the host ended, closes its connection and gives its outcome. */
  end(): Promise<JobEnd>
}

/** Frames that ask for addresses which became known late; more would mean that templates chase each other. */
const lateProbes = 5
/** Stages of one run; more would mean that planning does not come to an end. */
const mostStages = 50

export function createHostRun(job: HostJob): HostRun {
  const { request, context, gates } = job
  const { emit } = request
  const host = context.host
  const startedAt = performance.now()
  const lock = { who: request.operator, since: new Date().toISOString(), run: request.run }
  const done = new Map<string, DoneResult>()
  let asked = job.atoms
  let link: Link | undefined
  let shown: Plan | undefined
  let current: Plan | undefined
  let ended: JobEnd | undefined
  let changed = 0

  const finish = (outcome: JobEnd['outcome'], problem?: Problem): void => {
    ended ??= problem === undefined ? { outcome } : { outcome, problem }
  }

  const fail = (error: unknown): void => {
    // Everything was dropped on request: what is thrown then is only the way out.
    if (request.abort.aborted) {
      finish('stopped')
      return
    }
    const known = problemOf(error)
    const outcome = shown === undefined && known.unreachable ? 'unreachable' : 'failed'
    emit({ type: 'failed', host: host.name, problem: known.problem })
    finish(outcome, known.problem)
  }

  const ask = async (open: Link, atoms: readonly ReadAtom[]): Promise<Plan> =>
    replan(open, await open.send(compileRead(atoms), request.abort))

  /** Plans from a snapshot; asks again where an address only now became known. */
  const replan = async (open: Link, first: Snapshot): Promise<Plan> => {
    let snapshot = first
    for (let round = 0; round <= lateProbes; round += 1) {
      const { plan, missing } = planHost(context, { snapshot, asked, done })
      if (missing.length === 0) return plan
      asked = mergeAtoms([...asked, ...missing])
      snapshot = await open.send(compileRead(asked), request.abort)
    }
    throw new KmsfleetError(
      'host.not-proved',
      'expected the addresses of all tasks to settle, found new ones after each probe',
    )
  }

  const makeStage = async (open: Link, plan: Plan): Promise<Plan> => {
    const stage = plan.stages[0]
    const work = stage === undefined ? undefined : sendable(stage)
    if (work === undefined || work.changes.length === 0) {
      throw new KmsfleetError(
        'host.not-proved',
        'expected every task to be decided by now, found some that wait for a value that no change gives',
      )
    }
    const made = new Set<string>()
    let trouble: Problem | undefined
    const frame = compileWrite({ changes: work.changes, probe: asked, lock })
    const snapshot = await open.send(frame, request.abort, (report) => {
      const item = work.item(report.change)
      trouble ??= reportProblem(report, item)
      if (item === undefined) return
      if (report.says === 'doing') emit({ type: 'acting', host: host.name, change: item.key })
      if (report.says === 'stopped') emit({ type: 'stopped', host: host.name, change: item.key })
      if (report.says !== 'done') return
      made.add(item.key)
      if (item.item === 'change') changed += 1
      done.set(item.key, {
        ...(report.status === undefined ? {} : { status: report.status }),
        ...(report.output === undefined ? {} : { output: report.output }),
      })
      emit({ type: 'done', host: host.name, change: item.key })
    })
    // What is left is known also where the stage failed or was stopped: it is reported.
    current = await replan(open, snapshot)
    if (trouble !== undefined) throw new StageFailure(trouble)
    if (request.stop.aborted) throw new Stopped()
    const later = current
    const left = unproved(later, made)
    emit({ type: 'proved', host: host.name, stage: open.roundTrips - 1, left })
    if (left.length > 0) throw notProved(left.map((difference) => difference.attribute))
    const [refusal] = refusalsOf(later)
    if (refusal !== undefined) throw new StageFailure(refusal)
    return later
  }

  return {
    plan: async () => {
      if (shown !== undefined || ended !== undefined) return shown
      try {
        emit({ type: 'connecting', host: host.name })
        link = await openLink(host, request.connect, request.abort)
        emit({ type: 'connected', host: host.name })
        current = await ask(link, asked)
        shown = current
        emit({ type: 'planned', host: host.name, plan: planView(current) })
        const refusals = refusalsOf(current)
        for (const problem of refusals) emit({ type: 'failed', host: host.name, problem })
        if (refusals[0] !== undefined) finish('failed', refusals[0])
        else return current
      } catch (error) {
        fail(error)
      }
      return undefined
    },
    converge: async () => {
      if (current === undefined || shown === undefined || ended !== undefined) return
      if (current.stages.length === 0) return
      const stopping = (): void => {
        // A host that cannot be told finishes its stage; the run waits for it.
        link?.stop(request.run, request.abort).catch(() => undefined)
      }
      request.stop.addEventListener('abort', stopping, { once: true })
      try {
        const open = link ?? (await reopen())
        for (let round = 0; current.stages.length > 0; round += 1) {
          if (request.stop.aborted) throw new Stopped()
          if (round >= mostStages) throw notProved(['the plan does not come to an end'])
          const plan: Plan = current
          const disruptive = plan.stages[0] !== undefined && sendable(plan.stages[0]).disruptive
          if (disruptive)
            emit({ type: 'waiting', host: host.name, for: `its turn in cluster ${host.cluster}` })
          current = disruptive
            ? await gates.disrupt(host.cluster, host.name, () => makeStage(open, plan))
            : await makeStage(open, plan)
          judgeWidening(widenings(current, shown))
        }
      } catch (error) {
        if (error instanceof Stopped) finish('stopped')
        else if (error instanceof StageFailure) {
          emit({
            type: error.problem.code === 'host.conflict' ? 'conflict' : 'failed',
            host: host.name,
            problem: error.problem,
          })
          finish('failed', error.problem)
        } else fail(error)
      } finally {
        request.stop.removeEventListener('abort', stopping)
      }
    },
    release,
    decline: () => {
      finish('stopped')
      return end()
    },
    skip: () => {
      finish('not-run')
      return end()
    },
    end,
  }

  async function end(): Promise<JobEnd> {
    const differing = current === undefined ? 0 : planItems(current).length
    finish(changed > 0 ? 'changed' : request.command === 'plan' && differing > 0 ? 'differs' : 'ok')
    const result = ended ?? { outcome: 'ok' }
    emit({
      type: 'host-ended',
      host: host.name,
      ...result,
      changed,
      differing,
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

  async function release(): Promise<void> {
    const open = link
    link = undefined
    await open?.[Symbol.asyncDispose]()
  }

  /** After a person's long reading: the plan from what is there now must still be the one that was shown. */
  async function reopen(): Promise<Link> {
    const open = await openLink(host, request.connect, request.abort)
    link = open
    current = await ask(open, asked)
    if (shown !== undefined) judgeWidening(widenings(current, shown))
    return open
  }

  /** An approved run does what was shown and nothing more; a `--yes` run says what is new and goes on. */
  function judgeWidening(wider: readonly Widening[]): void {
    if (wider.length === 0) return
    emit({ type: 'widened', host: host.name, changes: wider.map(({ key, why }) => `${key} ${why}`) })
    if (request.approve === undefined) return
    throw new KmsfleetError(
      'run.rail',
      `expected no more than the approved plan, found that ${wider[0]?.key ?? ''} ${wider[0]?.why ?? ''}`,
      {
        hint: 'Run again to see and approve the plan as it is now.',
      },
    )
  }
}

/** What cannot be done on the host; one refusal is enough to change nothing more. */
function refusalsOf(plan: Plan): readonly Problem[] {
  return planItems(plan).flatMap((item) => (item.item === 'refused' ? [item.problem] : []))
}

function notProved(attributes: readonly string[]): KmsfleetError {
  return new KmsfleetError(
    'host.not-proved',
    `expected no difference after the changes, found: ${attributes.join(', ')}`,
  )
}

/** A change that the host refused or could not make; later ones of the stage were not started. */
class StageFailure extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

/** The operator asked to stop: what was done is done, the rest was not started. */
class Stopped extends Error {}
