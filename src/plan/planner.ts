import { KmsfleetError } from '../errors/error.ts'
import type { Snapshot } from '../model/facts.ts'
import type { Change, Item, Plan } from '../model/plan.ts'
import type { Planned, Resource, TaskRef } from '../model/resource.ts'
import type { Origin } from '../model/value.ts'
import type { ReadAtom, WriteOp } from '../model/wire.ts'
import type { Handler, Task } from '../playbook/types.ts'
import type { HostLookups } from '../template/engine.ts'
import { createCoverage } from './atoms.ts'
import { expandTask, type Instance, type PlanContext } from './expand.ts'
import { createClaims } from './claims.ts'
import { createDebts } from './debts.ts'
import { createRegisters, type DoneResult } from './registers.ts'
import { createStages } from './stages.ts'
import { createWorld, type PlanningWorld } from './world.ts'

/** What is known of a host when a plan is made. */
export interface Known {
  readonly snapshot: Snapshot
  /** The atoms that the snapshot answers. */
  readonly asked: readonly ReadAtom[]
  /** Changes already made in this run, by key. */
  readonly done: ReadonlyMap<string, DoneResult>
}

export interface Planning {
  readonly plan: Plan
  /** Addresses that became known only now: to be asked before the plan can be relied on. Usually none. */
  readonly missing: readonly ReadAtom[]
}

/**
 * The plan of one host: a pure function of the tasks and of what is known of the host. Each change is laid
 * over the world before the next task is looked at, so that a later task sees what an earlier one will have done.
 */
export function planHost(context: PlanContext, known: Known): Planning {
  const world = createWorld(known.snapshot)
  const stages = createStages()
  const registers = createRegisters(known.done)
  const debts = createDebts(context.play.handlers, known.snapshot.owed)
  const claims = createClaims()
  const lookups = worldLookups(world)
  const unasked = createCoverage(known.asked)
  const missing: ReadAtom[] = []
  const notCompared = new Set<string>()
  let unchanged = 0

  const takeResource = (
    task: Task,
    ref: TaskRef,
    resource: Resource,
    settles: readonly string[],
  ): boolean => {
    const key = `${resource.id}@${ref.id}`
    if (resource.transient === true && known.done.has(key)) return false
    if (claims.repeats(resource, ref)) return false
    missing.push(...unasked(resource.atoms))
    const planned = resource.plan(world)
    if (resource.notCompared !== undefined) notCompared.add(resource.notCompared)
    if (planned.is === 'same') {
      unchanged += 1
      return false
    }
    const paid =
      planned.is === 'change' ? [...new Set([...settles, ...paidByStart(resource, planned.ops)])] : settles
    const item = toItem(
      planned,
      key,
      resource,
      ref,
      task.notify.map((name) => debts.idOf(name)),
      paid,
    )
    if (item.item === 'change') debts.acted(item)
    if (planned.is === 'change') world.apply(planned.effects)
    stages.add(item, needsOf(planned))
    return item.item === 'change'
  }

  const takeInstance = (instance: Instance, settles: readonly string[]): void => {
    switch (instance.is) {
      case 'skipped':
        registers.record(instance.task, instance.ref, false, [])
        return
      case 'undecided':
        stages.add(undecidedItem(instance), instance.after)
        registers.wait(instance.task)
        return
      case 'ready': {
        const keys = instance.resources.map((resource) => `${resource.id}@${instance.ref.id}`)
        const acts = instance.resources.map((resource) =>
          takeResource(instance.task, instance.ref, resource, settles),
        )
        registers.record(instance.task, instance.ref, acts.includes(true), keys)
      }
    }
  }

  const takeTask = (task: Task | Handler, settles: readonly string[]): void => {
    try {
      for (const instance of expandTask(context, task, lookups, registers.registered())) {
        takeInstance(instance, settles)
      }
    } catch (error) {
      stages.add(hostRefusal(task, error), [])
    }
  }

  for (const task of context.tasks) takeTask(task, [])
  for (const handler of context.play.handlers) {
    if (debts.isDue(handler)) takeHandler(handler)
  }
  return {
    plan: { host: context.host.name, stages: stages.stages(), unchanged, notCompared: [...notCompared] },
    missing,
  }

  /** Handlers that are due and ask for nothing but a start of the unit which this change starts anyway. */
  function paidByStart(resource: Resource, ops: readonly WriteOp[]): readonly string[] {
    if (!ops.some((op) => op.op === 'unit-run' && (op.verb === 'start' || op.verb === 'restart'))) return []
    return context.play.handlers
      .filter((handler) => debts.isDue(handler))
      .filter((handler) => {
        const targets = [...expandTask(context, handler, lookups, registers.registered())].flatMap(
          (instance) =>
            instance.is === 'ready' ? instance.resources.map((target) => target.subject) : [undefined],
        )
        return (
          targets.length > 0 && targets.every((target) => target !== undefined && target === resource.subject)
        )
      })
      .map((handler) => handler.handlerId)
  }

  /** A handler that is due and finds nothing to do still has its debt to clear on the host. */
  function takeHandler(handler: Handler): void {
    const before = debts.settled(handler)
    takeTask(handler, [handler.handlerId])
    if (!before && !debts.settled(handler)) stages.add(settleItem(handler), [])
  }
}

function worldLookups(world: PlanningWorld): HostLookups {
  return {
    groupId: (name) => {
      const group = world.group(name)
      if (group.is === 'present') return group.state.gid
      throw new KmsfleetError(
        'resource.unknown-account',
        `expected a group ${name} on the host or made by an earlier task, found none`,
      )
    },
    userId: (name) => {
      const user = world.user(name)
      if (user.is === 'present') return user.state.uid
      throw new KmsfleetError(
        'resource.unknown-account',
        `expected a user ${name} on the host or made by an earlier task, found none`,
      )
    },
  }
}

function toItem(
  planned: Exclude<Planned, { is: 'same' }>,
  key: string,
  resource: Resource,
  task: TaskRef,
  owes: readonly string[],
  settles: readonly string[],
): Item {
  switch (planned.is) {
    case 'change':
      return {
        item: 'change',
        key,
        resource: resource.id,
        task,
        differences: planned.differences,
        ops: planned.ops,
        effects: planned.effects,
        disruptive: planned.disruptive,
        provisional: planned.provisional,
        owes,
        settles,
      }
    case 'unmet':
    case 'pending':
      return {
        item: 'check',
        key,
        resource: resource.id,
        task,
        state: planned.is,
        differences: planned.is === 'unmet' ? planned.differences : [],
        ops: planned.ops,
      }
    case 'refused':
      return {
        item: 'refused',
        key,
        resource: resource.id,
        task,
        problem: { place: task.place, ...planned.problem },
      }
  }
}

function needsOf(planned: Planned): readonly Origin[] {
  if (planned.is !== 'change' || !planned.provisional) return []
  return planned.differences.flatMap(({ to }) => (to.known ? [] : [{ after: to.after, field: to.field }]))
}

/** A template may ask for what this host does not have: that is this host's trouble. All other errors are the files'. */
function hostRefusal(task: Task, error: unknown): Item {
  if (!(error instanceof KmsfleetError) || !error.code.startsWith('resource.')) throw error
  const problem = { code: error.code, message: error.message, place: error.place ?? task.place }
  return {
    item: 'refused',
    key: `refused@${task.id}`,
    task: { id: task.id, name: task.name, place: task.place },
    problem: error.hint === undefined ? problem : { ...problem, hint: error.hint },
  }
}

function undecidedItem(instance: Extract<Instance, { is: 'undecided' }>): Item {
  return {
    item: 'undecided',
    key: `undecided@${instance.ref.id}`,
    task: instance.ref,
    what: instance.what,
    after: instance.after,
  }
}

function settleItem(handler: Handler): Change {
  return {
    item: 'change',
    key: `handler:${handler.handlerId}@${handler.id}`,
    resource: `handler:${handler.handlerId}`,
    task: { id: handler.id, name: handler.name, place: handler.place },
    differences: [
      {
        attribute: 'owed',
        from: { known: true, value: 'since an earlier change' },
        to: { known: true, value: 'nothing left to do' },
      },
    ],
    ops: [],
    effects: [],
    disruptive: false,
    provisional: false,
    owes: [],
    settles: [handler.handlerId],
  }
}
