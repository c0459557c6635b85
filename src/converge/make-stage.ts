import type { EventSink } from '../model/event.ts'
import type { Plan } from '../model/plan.ts'
import type { Problem } from '../model/problem.ts'
import type { Difference } from '../model/resource.ts'
import type { ChangeReport } from '../model/wire.ts'
import { compileWrite, type LockHolder } from '../shell/write/compile.ts'
import { keeping } from './keep.ts'
import type { Link } from './link.ts'
import type { Observer } from './observe.ts'
import { hopelessCheck, reportProblem, sendable, unproved, type SendableStage } from './stage.ts'

/** What making a stage needs of the host's run. */
export interface StageJob {
  readonly host: string
  readonly link: Link
  readonly observer: Observer
  /** Who writes, for a second writer to read. */
  readonly lock: LockHolder
  readonly emit: EventSink
  /** Drops what is under way. */
  readonly abort: AbortSignal
  /** A change was made. */
  readonly onChange: () => void
}

/** How a stage ended, and what is left to do by the probe behind it. */
export interface StageEnd {
  readonly plan: Plan
  /** A change failed, met a conflict or was not proved; later ones of the stage were not started. */
  readonly problem?: Problem
}

/**
 * Makes the first stage of a plan in one frame, which probes behind its changes: what was made must be gone from
 * the plan that follows. Throws where the connection or the host's shell fails.
 */
export async function makeStage(job: StageJob, plan: Plan): Promise<StageEnd> {
  const { host, link, observer, lock, emit, abort } = job
  const [stage] = plan.stages
  const work = stage === undefined ? undefined : sendable(stage, keeping(plan))
  if (stage === undefined || work === undefined || work.changes.length === 0) {
    return { plan, problem: (stage && hopelessCheck(stage)) ?? undecided }
  }
  const made = new Set<string>()
  let trouble: Problem | undefined
  const frame = compileWrite({ changes: work.changes, probe: observer.asked, lock })
  const snapshot = await link.send(frame, abort, (report) => {
    trouble ??= reportProblem(report, work.item(report.change))
    if (tell(job, work, report)) made.add(work.item(report.change)?.key ?? '')
  })
  // What is left is known also where the stage failed: it is reported.
  const later = await observer.planFrom(link, snapshot)
  if (trouble !== undefined) return { plan: later, problem: trouble }
  const left = unproved(later, made)
  emit({ type: 'proved', host, stage: link.roundTrips - 1, left })
  return left.length === 0 ? { plan: later } : { plan: later, problem: notProved(left) }
}

function notProved(left: readonly Difference[]): Problem {
  const found = left.map(({ attribute }) => attribute).join(', ')
  return { code: 'host.not-proved', message: `expected no difference after the changes, found: ${found}` }
}

const undecided: Problem = {
  code: 'host.not-proved',
  message: 'expected every task to be decided by now, found some that wait for a value that no change gives',
}

/** Tells a report as an event and remembers what it gave; true where the change or check was made. */
function tell(
  { host, observer, emit, onChange }: StageJob,
  work: SendableStage,
  report: ChangeReport,
): boolean {
  const item = work.item(report.change)
  if (item === undefined) return false
  if (report.says === 'doing') emit({ type: 'acting', host, change: item.key })
  if (report.says === 'stopped') emit({ type: 'stopped', host, change: item.key })
  if (report.says !== 'done') return false
  observer.remember(item.key, {
    ...(report.status === undefined ? {} : { status: report.status }),
    ...(report.output === undefined ? {} : { output: report.output }),
    ...(item.item === 'change' ? { owes: item.owes, settles: item.settles } : {}),
  })
  if (item.item === 'change' && item.again === undefined) onChange()
  emit({ type: 'done', host, change: item.key })
  return true
}
