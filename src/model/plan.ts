import type { Problem } from './problem.ts'
import type { Difference, Effect, ResourceId, TaskRef } from './resource.ts'
import type { Origin } from './value.ts'
import type { WriteOp } from './wire.ts'

/** A handler's name made safe for a file name on the host: `[a-z0-9._-]+`. */
export type HandlerId = string

/** The atomic unit of work on one resource: reported, guarded and stoppable as one. */
export interface Change {
  readonly item: 'change'
  /** `resource@task`: stable over replanning. */
  readonly key: string
  readonly resource: ResourceId
  readonly task: TaskRef
  readonly differences: readonly Difference[]
  readonly ops: readonly WriteOp[]
  readonly effects: readonly Effect[]
  readonly disruptive: boolean
  readonly provisional: boolean
  readonly owes: readonly HandlerId[]
  readonly settles: readonly HandlerId[]
  /** It was run and is run again, since its `until` does not hold; `delay` is in seconds. */
  readonly again?: { readonly delay: number }
}

/** A `wait_for` or `assert` that is unmet now, or waits behind changes. */
export interface Check {
  readonly item: 'check'
  readonly key: string
  readonly resource: ResourceId
  readonly task: TaskRef
  readonly state: 'unmet' | 'pending'
  readonly differences: readonly Difference[]
  readonly ops: readonly WriteOp[]
}

/** A task whose condition, arguments or state on the host hang on what an earlier change must first produce. */
export interface Undecided {
  readonly item: 'undecided'
  readonly key: string
  readonly task: TaskRef
  readonly what: 'condition' | 'arguments' | 'loop' | 'state'
  readonly after: readonly Origin[]
}

/** What cannot be done on this host, with the reason. A plan with a refusal changes nothing. */
export interface Refusal {
  readonly item: 'refused'
  readonly key: string
  readonly resource?: ResourceId
  readonly task: TaskRef
  readonly problem: Problem
}

/** A change that this play leaves to another play or a person, on purpose. Not a failure, and not made. */
export interface Due {
  readonly key: string
  readonly resource: ResourceId
  readonly task: TaskRef
  /** What does it. */
  readonly by: string
  readonly differences: readonly Difference[]
}

export type Item = Change | Check | Undecided | Refusal

/** Changes that go to the host in one stream. */
export interface Stage {
  readonly items: readonly Item[]
  /** Why the stage ends before the end of the plan. */
  readonly needs: readonly Origin[]
}

/** A host's ordered changes and checks. */
export interface Plan {
  readonly host: string
  readonly stages: readonly Stage[]
  /** What differs and is left to others. */
  readonly due: readonly Due[]
  /** Resources that were compared and are as they should be. */
  readonly unchanged: number
  /** Paths whose content was not compared because no secret source was opened. */
  readonly notCompared: readonly string[]
  /** What was not checked because the operator's files say so; what was found and left alone; what is owed to no handler of the playbook. */
  readonly remarks: readonly string[]
}

export function planItems(plan: Plan): readonly Item[] {
  return plan.stages.flatMap((stage) => stage.items)
}

/** The plan as reports and journals may have it: differences only, no operation and so no payload byte. */
export function planView(plan: Plan): Plan {
  const bare = (item: Item): Item =>
    item.item === 'change'
      ? { ...item, ops: [], effects: [] }
      : item.item === 'check'
        ? { ...item, ops: [] }
        : item
  return { ...plan, stages: plan.stages.map((stage) => ({ ...stage, items: stage.items.map(bare) })) }
}
