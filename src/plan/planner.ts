import type { Snapshot } from '../model/facts.ts'
import type { Due, Plan } from '../model/plan.ts'
import type { Effect, Planned, Resource, TaskRef } from '../model/resource.ts'
import type { Offered } from '../model/seed.ts'
import type { ReadAtom, WriteOp } from '../model/wire.ts'
import type { Condition, Handler, Task } from '../playbook/types.ts'
import { createAfterthought, refusing } from './afterthought.ts'
import { createCoverage } from './atoms.ts'
import { createClaims } from './claims.ts'
import { createDebts, strangeDebts } from './debts.ts'
import { expandTask, type Instance, type PlanContext } from './expand.ts'
import { createHealthCheck, type Health } from './health.ts'
import { type Draft, draftOf, keyOf, maybeDraft, refusalDraft, undecidedDraft } from './items.ts'
import { worldLookups } from './lookups.ts'
import { createRegisters, type DoneResult } from './registers.ts'
import { stagesOf } from './stages.ts'
import { planUntil } from './until.ts'
import { createWorld } from './world.ts'

/** What is known of a host when a plan is made. */
export interface Known {
  readonly snapshot: Snapshot
  /** The atoms that the snapshot answers. */
  readonly asked: readonly ReadAtom[]
  /** Changes already made in this run, by key. */
  readonly done: ReadonlyMap<string, DoneResult>
  /** What earlier plays of a run that only plans would have done to the host. */
  readonly before: readonly Effect[]
}

export interface Planning {
  readonly plan: Plan
  /** As the snapshot has it, whatever the plan is to change. */
  readonly health: Health
  /** Of the host that gives new hosts something: what they get. */
  readonly offered?: Offered
  /** Addresses that became known only now: to be asked before the plan can be relied on. Usually none. */
  readonly missing: readonly ReadAtom[]
}

/**
 * The plan of one host: a pure function of the tasks and of what is known of the host. Each change is laid
 * over the world before the next task is looked at, so that a later task sees what an earlier one will have done.
 */
export function planHost(context: PlanContext, known: Known): Planning {
  const { play } = context
  const world = createWorld(known.snapshot)
  const registers = createRegisters(known.done)
  const debts = createDebts(known.snapshot.owed, known.done)
  const claims = createClaims()
  const afterthought = createAfterthought()
  const health = createHealthCheck(() => createWorld(known.snapshot))
  const lookups = worldLookups(world)
  const unasked = createCoverage(known.asked)
  const missing: ReadAtom[] = []
  const due: Due[] = []
  const notCompared = new Set<string>()
  const remarks = new Set(strangeDebts(known.snapshot.owed, context.answered))
  let offered: Offered | undefined
  let unchanged = 0

  if (known.before.length > 0) world.apply(known.before)
  const drafts = [...play.flushes, play.handlers].flatMap(takeSection)
  const possible = refusing(drafts, afterthought.refusals(world))
  return {
    plan: {
      host: context.host.name,
      stages: stagesOf(possible),
      due,
      unchanged,
      notCompared: [...notCompared],
      remarks: [...remarks],
    },
    missing,
    health: health.result,
    ...(offered === undefined ? {} : { offered }),
  }

  /** The tasks before a flush, then the handlers that are due there. */
  function takeSection(handlers: readonly Handler[], section: number): readonly Draft[] {
    const tasks = context.tasks.filter((task) => task.section === section)
    return [...tasks.flatMap(takeTask), ...handlers.flatMap(takeHandler)]
  }

  function takeTask(task: Task): readonly Draft[] {
    const taken: Draft[] = []
    debts.did(task)
    try {
      for (const instance of expandTask(context, task, lookups, registers.registered())) {
        taken.push(...takeInstance(instance))
      }
      registers.ended(task)
    } catch (error) {
      taken.push(refusalDraft(task, error))
    }
    return taken
  }

  function takeInstance(instance: Instance): readonly Draft[] {
    const { task, ref } = instance
    switch (instance.is) {
      case 'skipped':
        registers.record(task, ref, false, [])
        return []
      case 'undecided':
        return [undecided(task, undecidedDraft(ref, instance))]
      case 'ready': {
        const keys = instance.resources.map((resource) => keyOf(resource, ref))
        const taken = unique(
          instance.resources.flatMap((resource) => takeResource(task, ref, resource, instance.due)),
        )
        const acts = taken.some(({ item }) => item.item === 'change')
        registers.record(task, ref, acts, keys)
        return taken
      }
    }
  }

  function takeResource(
    task: Task,
    ref: TaskRef,
    resource: Resource,
    by: string | undefined,
  ): readonly Draft[] {
    if (resource.transient === true && task.until === undefined && known.done.has(keyOf(resource, ref)))
      return []
    // A handler's turn is its own: what changed since an equal task was looked at is why it is owed.
    if (claims.repeats(resource, ref) && !('handlerId' in task)) return []
    missing.push(...unasked(resource.atoms))
    health.ask(resource)
    offered ??= resource.offer?.(createWorld(known.snapshot))
    const doubts = resource.atoms.flatMap((atom) => (atom.atom === 'path' ? world.doubts(atom.path) : []))
    if (doubts.length > 0) return [undecided(task, undecidedDraft(ref, { what: 'state', after: doubts }))]
    const planned = plannedBy(task, ref, resource)
    if (resource.remark !== undefined) remarks.add(resource.remark)
    if (resource.notCompared !== undefined) notCompared.add(resource.notCompared)
    if (planned.is === 'same') {
      if (planned.remark !== undefined) remarks.add(planned.remark)
      unchanged += 1
      afterthought.saw(resource, ref)
      return []
    }
    if (by !== undefined && planned.is !== 'refused') {
      const differences = planned.is === 'pending' ? [] : planned.differences
      due.push({ key: keyOf(resource, ref), resource: resource.id, task: ref, by, differences })
      return []
    }
    const paid = planned.is === 'change' ? paidByStart(resource, planned.ops) : []
    const draft = draftOf(planned, resource, ref, task.notify, paid)
    if (draft.item.item === 'change') {
      debts.acted(draft.item)
      afterthought.changes(draft.item.effects, ref)
      world.apply(draft.item.effects)
      if (resource.transient !== true) afterthought.saw(resource, ref)
    }
    return task.until === undefined ? [draft] : [{ ...draft, last: true }]
  }

  /** What a resource wants; of a command with `until`, also by what its last run gave. */
  function plannedBy(task: Task, ref: TaskRef, resource: Resource): Planned {
    const planned = resource.plan(world)
    const { until } = task
    if (until === undefined) return planned
    const result = known.done.get(keyOf(resource, ref))
    const scope = { variables: context.variables(task, registers.seenBy(task, result)), host: lookups }
    const failing = (): Condition | undefined =>
      until.conditions.find(
        ({ expression, place }) => context.engine.condition(expression, scope, place) !== true,
      )
    return planUntil(until, resource, planned, result, failing)
  }

  /** All that hangs on what the task will do is as open as the task itself. */
  function undecided(task: Task, draft: Draft): Draft {
    debts.mayAct(task.notify, { after: `task:${draft.item.task.id}`, field: 'result' })
    registers.wait(task)
    return draft
  }

  function takeHandler(handler: Handler): readonly Draft[] {
    const after = debts.hangsOn(handler)
    debts.passed(handler)
    if (debts.wasPaid(handler)) {
      debts.did(handler)
      return []
    }
    if (debts.isDue(handler)) return debts.pay(handler, takeTask(handler))
    return after.length === 0 ? [] : [undecided(handler, maybeDraft(handler, after))]
  }

  /** Ids of due handlers that ask for nothing but a start of the unit which this change starts anyway. */
  function paidByStart(resource: Resource, ops: readonly WriteOp[]): readonly string[] {
    if (!ops.some((op) => op.op === 'unit-run' && (op.verb === 'start' || op.verb === 'restart'))) return []
    return play.handlers
      .filter((handler) => debts.isDue(handler) && asksOnlyFor(handler, resource))
      .map(({ handlerId }) => handlerId)
  }

  function asksOnlyFor(handler: Handler, { subject }: Resource): boolean {
    const instances = [...expandTask(context, handler, lookups, registers.registered())]
    const targets = instances.flatMap((instance) =>
      instance.is === 'ready' ? instance.resources.map((target) => target.subject) : [undefined],
    )
    return targets.length > 0 && targets.every((target) => target !== undefined && target === subject)
  }
}

/** A task of which several resources are undecided is said to be so once. */
function unique(drafts: readonly Draft[]): readonly Draft[] {
  const said = new Set<string>()
  return drafts.filter(({ item }) => {
    if (item.item !== 'undecided') return true
    if (said.has(item.key)) return false
    said.add(item.key)
    return true
  })
}
