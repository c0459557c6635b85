import { KmsfleetError } from '../errors/error.ts'
import type { Change, Item } from '../model/plan.ts'
import type { Planned, Resource, TaskRef } from '../model/resource.ts'
import type { Origin } from '../model/value.ts'
import type { Handler, Task } from '../playbook/types.ts'
import type { Instance } from './expand.ts'

/** An item of a plan before it has its stage: what it needs decides that. */
export interface Draft {
  readonly item: Item
  /** Values that an earlier change must first produce. */
  readonly needs: readonly Origin[]
  /** Nothing goes in one stream behind it: whether it succeeded is judged here. */
  readonly last?: true
}

/**
 * What a resource wants, as an item of the plan.
 *
 * @param owes ids of the handlers that its change notifies
 * @param settles ids of the handlers whose debt is paid by its change
 */
export function draftOf(
  planned: Exclude<Planned, { is: 'same' }>,
  resource: Resource,
  task: TaskRef,
  owes: readonly string[],
  settles: readonly string[],
): Draft {
  const key = keyOf(resource, task)
  switch (planned.is) {
    case 'change': {
      const { differences, ops, effects, disruptive, provisional, again } = planned
      return {
        item: {
          item: 'change',
          key,
          resource: resource.id,
          task,
          differences,
          ops,
          effects,
          disruptive,
          provisional,
          owes,
          settles,
          ...(again === undefined ? {} : { again }),
        },
        needs: provisional ? unknownsOf(planned) : [],
      }
    }
    case 'unmet':
    case 'pending':
      return {
        item: {
          item: 'check',
          key,
          resource: resource.id,
          task,
          state: planned.is,
          differences: planned.is === 'unmet' ? planned.differences : [],
          ops: planned.ops,
        },
        needs: planned.is === 'pending' ? (planned.after ?? []) : [],
      }
    case 'refused':
      return {
        item: {
          item: 'refused',
          key,
          resource: resource.id,
          task,
          problem: { place: task.place, ...planned.problem },
        },
        needs: [],
      }
  }
}

/** `resource@task`: the same however often is planned. */
export function keyOf(resource: Resource, task: TaskRef): string {
  return `${resource.id}@${task.id}`
}

/** Id of the task as written that a key is of: without the element of a loop. */
export function taskOfKey(key: string): string {
  return baseTask(key.slice(key.lastIndexOf('@') + 1))
}

/** `role/3[2]` and `role/3` are one task as written. */
export function baseTask(id: string): string {
  return id.replace(/\[\d+\]$/, '')
}

function unknownsOf({ differences }: Extract<Planned, { is: 'change' }>): readonly Origin[] {
  return differences.flatMap(({ to }) => (to.known ? [] : [{ after: to.after, field: to.field }]))
}

type Undecided = Pick<Extract<Instance, { is: 'undecided' }>, 'what' | 'after'>

export function undecidedDraft(task: TaskRef, { what, after }: Undecided): Draft {
  return { item: { item: 'undecided', key: `undecided@${task.id}`, task, what, after }, needs: after }
}

/**
 * A handler that a task notifies of which nobody knows yet whether it will act. It is told, so that an approved
 * run may do it, and stands where it would stand; it needs no stage of its own.
 */
export function maybeDraft({ id, name, place }: Handler, after: readonly Origin[]): Draft {
  return { ...undecidedDraft({ id, name, place }, { what: 'condition', after }), needs: [] }
}

/** A template may ask for what this host does not have: that is this host's trouble. All other errors are the files'. */
export function refusalDraft(task: Task, error: unknown): Draft {
  if (!(error instanceof KmsfleetError) || !error.code.startsWith('resource.')) throw error
  const problem = { code: error.code, message: error.message, place: error.place ?? task.place }
  return {
    item: {
      item: 'refused',
      key: `refused@${task.id}`,
      task: { id: task.id, name: task.name, place: task.place },
      problem: error.hint === undefined ? problem : { ...problem, hint: error.hint },
    },
    needs: [],
  }
}

/** Clears a handler's debt on the host where the handler found nothing to do. */
export function settleDraft(handler: Handler): Draft {
  const item: Change = {
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
  return { item, needs: [] }
}
