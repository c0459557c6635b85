import type { Change, Check, Item, Plan, Stage } from '../model/plan.ts'
import type { Problem } from '../model/problem.ts'
import type { Difference } from '../model/resource.ts'
import type { Value } from '../model/value.ts'
import type { ChangeReport, WireChange, WriteOp } from '../model/wire.ts'
import { type Health, serviceOf } from '../plan/health.ts'

/** A stage in the form that the write compiler takes, with the way back from a report to the change. */
export interface SendableStage {
  readonly changes: readonly WireChange[]
  /** The change or check that a report's number speaks of. */
  item(id: number): Change | Check | undefined
}

/**
 * What of a stage can be sent now: all but what still waits for a value, up to a check that is not met and that
 * nothing done here, and no waiting, will meet.
 *
 * @param prepare says what else the host must know of an operation
 */
export function sendable(stage: Stage, prepare: (op: WriteOp) => WriteOp): SendableStage {
  const end = stage.items.findIndex(isHopeless)
  const items = stage.items.slice(0, end === -1 ? undefined : end).filter(canBeSent)
  return {
    changes: items.map((item, id) => ({
      id,
      label: item.resource,
      ops: item.ops.map(prepare),
      owes: item.item === 'change' ? item.owes : [],
      settles: item.item === 'change' ? item.settles : [],
    })),
    item: (id) => items[id],
  }
}

/** The check that ends a stage whatever is done: a person must act. */
export function hopelessCheck(stage: Stage): Problem | undefined {
  const check = stage.items.find(isHopeless)
  if (check === undefined) return undefined
  const said = check.differences.map(
    ({ attribute, from, to }) => `${attribute} ${show(to)}, found ${show(from)}`,
  )
  return {
    code: 'host.unmet',
    subject: check.resource,
    message: `${check.resource}: expected ${said.join('; ')}`,
    place: check.task.place,
  }
}

function show(value: Value<string>): string {
  return value.known ? value.value : `what is known after ${value.after}`
}

function isHopeless(item: Item): item is Check {
  return item.item === 'check' && item.state === 'unmet' && item.ops.length === 0
}

/** Does the plan's first stage interrupt a running service? Then it is serialised within the cluster. */
export function isDisruptive(plan: Plan): boolean {
  return plan.stages.slice(0, 1).some((stage) => interruptions(stage).length > 0)
}

/** Will the plan, in whichever stage, interrupt a running service that does its work? What is down has nothing to lose. */
export function disruptsWell(plan: Plan, health: Health): boolean {
  const down = health.is === 'sick' ? health.down : new Set()
  return plan.stages.flatMap(interruptions).some(({ resource }) => !down.has(serviceOf(resource)))
}

function interruptions({ items }: Stage): readonly Change[] {
  return items.filter((item) => item.item === 'change').filter(({ disruptive }) => disruptive)
}

function canBeSent(item: Stage['items'][number]): item is Change | Check {
  return (item.item === 'change' && !item.provisional) || item.item === 'check'
}

/** The problem that a report of failure stands for; undefined for any other report. */
export function reportProblem(report: ChangeReport, item: Change | Check | undefined): Problem | undefined {
  const subject = item?.resource ?? `change ${String(report.change)}`
  if (report.says === 'conflict') {
    return {
      code: 'host.conflict',
      subject,
      message: `${subject} moved underneath: ${report.detail}`,
      hint: 'Something else changed it between the probe and the change; nothing was done to it. Run again.',
    }
  }
  if (report.says === 'failed' && report.step === 'lock') {
    return {
      code: 'run.locked',
      subject,
      message: report.detail,
      hint: 'Wait for that run to end, then run again.',
    }
  }
  if (report.says === 'failed') {
    return { code: 'host.change-failed', subject, message: `${subject}: ${report.step}: ${report.detail}` }
  }
  return undefined
}

/** What the new plan still wants of changes that were made: the proof fails on these. */
export function unproved(later: Plan, done: ReadonlySet<string>): readonly Difference[] {
  return later.stages
    .flatMap((stage) => stage.items)
    .flatMap((item) =>
      item.item === 'change' && item.again === undefined && done.has(item.key)
        ? item.differences.map((difference) => ({
            ...difference,
            attribute: `${item.resource} ${difference.attribute}`,
          }))
        : [],
    )
}
