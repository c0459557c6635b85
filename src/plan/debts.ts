import type { Change, HandlerId } from '../model/plan.ts'
import type { Origin } from '../model/value.ts'
import type { Handler, Task } from '../playbook/types.ts'
import { owedFolder } from '../shell/layout.ts'
import type { Draft } from './items.ts'
import { settleDraft, taskOfKey } from './items.ts'
import type { DoneResult } from './registers.ts'

/** Which handlers are owed: by this plan's changes, or by a run that never came to pay. */
export interface Debts {
  /** Notes a change of this plan: what it owes, and what it settles. */
  acted(change: Change): void
  /** Notes what earlier stages of this run did for a task. */
  did(task: Task): void
  /** Notes that nobody knows yet whether a task that notifies these handlers will act. */
  mayAct(notified: readonly HandlerId[], task: Origin): void
  isDue(handler: Handler): boolean
  /** An earlier stage of this run paid for the handler where it stands in the plan. */
  wasPaid(handler: Handler): boolean
  /** Tasks that have yet to be decided before it is known whether the handler is due; none where it is due anyway. */
  hangsOn(handler: Handler): readonly Origin[]
  /** The handler's own drafts, with its debt paid by the last of them. */
  pay(handler: Handler, drafts: readonly Draft[]): readonly Draft[]
  /** The handler had its turn: what was undecided before it will be decided before it. */
  passed(handler: Handler): void
}

/**
 * A handler is due where a change of this plan notified it, or where the host's debts name it: from the beginning
 * if an earlier run left the debt, and from the task on that made it if this run did. What is owed since a task
 * behind a flush is so not taken for due at that flush, where it would be done in another order than was shown.
 *
 * @param owed handlers that the host's debts name
 * @param done changes already made in this run, by key
 */
export function createDebts(owed: ReadonlySet<string>, done: ReadonlyMap<string, DoneResult>): Debts {
  const doneBy = new Map<string, DoneResult[]>()
  for (const [key, result] of done) {
    const task = taskOfKey(key)
    doneBy.set(task, [...(doneBy.get(task) ?? []), result])
  }
  const sinceThisRun = new Set([...done.values()].flatMap(({ owes = [] }) => owes))
  const due = new Set([...owed].filter((id) => !sinceThisRun.has(id)))
  const undecided = new Map<HandlerId, Origin[]>()
  return {
    acted: ({ owes, settles }) => {
      for (const id of owes) due.add(id)
      for (const id of settles) due.delete(id)
    },
    did: (task) => {
      for (const { owes = [], settles = [] } of doneBy.get(task.id) ?? []) {
        for (const id of owes) if (owed.has(id)) due.add(id)
        for (const id of settles) due.delete(id)
      }
    },
    mayAct: (notified, task) => {
      for (const id of notified) undecided.set(id, [...(undecided.get(id) ?? []), task])
    },
    isDue: ({ handlerId }) => due.has(handlerId),
    wasPaid: (handler) =>
      (doneBy.get(handler.id) ?? []).some(({ settles = [] }) => settles.includes(handler.handlerId)),
    hangsOn: ({ handlerId }) => (due.has(handlerId) ? [] : (undecided.get(handlerId) ?? [])),
    pay: (handler, drafts) => {
      due.delete(handler.handlerId)
      return paid(handler, drafts)
    },
    passed: ({ handlerId }) => {
      undecided.delete(handlerId)
    },
  }
}

/**
 * What a reader must know of debts that no run of this playbook will pay.
 *
 * @param answered ids of the handlers that the playbook has for the host
 */
export function strangeDebts(owed: ReadonlySet<string>, answered: ReadonlySet<HandlerId>): readonly string[] {
  return [...owed]
    .filter((id) => !answered.has(id))
    .map(
      (id) =>
        `owed: ${id}, which no handler of this playbook answers to: run the playbook that has it; where it was renamed or removed, do what it did and remove ${owedFolder}/${id}`,
    )
}

/**
 * A handler of several changes is paid for by the last alone: a run that dies between them still owes it. One that
 * is not decided yet stays owed on the host, and one that finds nothing to do still has its debt to clear there.
 */
function paid(handler: Handler, drafts: readonly Draft[]): readonly Draft[] {
  if (drafts.some(({ item }) => item.item === 'undecided')) return drafts
  const last = drafts.findLastIndex(({ item }) => item.item === 'change')
  if (last === -1) return [...drafts, settleDraft(handler)]
  return drafts.map((draft, index) =>
    index === last && draft.item.item === 'change'
      ? {
          ...draft,
          item: { ...draft.item, settles: [...new Set([...draft.item.settles, handler.handlerId])] },
        }
      : draft,
  )
}
