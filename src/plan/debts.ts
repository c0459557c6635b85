import type { Change, HandlerId } from '../model/plan.ts'
import type { Origin } from '../model/value.ts'
import type { Handler } from '../playbook/types.ts'
import type { Draft } from './items.ts'
import { settleDraft } from './items.ts'

/** Which handlers are owed: by this plan's changes, or by a run that never came to pay. */
export interface Debts {
  /** handlerId of a notified name; names were checked when the playbook was read. */
  idOf(name: string): HandlerId
  /** Notes a change: what it owes, and what it settles. */
  acted(change: Change): void
  /** Notes that nobody knows yet whether a task that notifies these names will act. */
  mayAct(notified: readonly string[], task: Origin): void
  isDue(handler: Handler): boolean
  /** Tasks that have yet to be decided before it is known whether the handler is due; none where it is due anyway. */
  hangsOn(handler: Handler): readonly Origin[]
  /** The handler's own drafts, with its debt paid by the last of them. */
  pay(handler: Handler, drafts: readonly Draft[]): readonly Draft[]
}

/** A handler is due where the host's debts name it or a change of this plan notified it. */
export function createDebts(handlers: readonly Handler[], owed: ReadonlySet<string>): Debts {
  const ids = new Map(handlers.map((handler) => [handler.name, handler.handlerId]))
  const due = new Set(owed)
  const undecided = new Map<HandlerId, Origin[]>()
  const idOf = (name: string): HandlerId => ids.get(name) ?? name
  return {
    idOf,
    acted: (change) => {
      for (const id of change.owes) due.add(id)
      for (const id of change.settles) due.delete(id)
    },
    mayAct: (notified, task) => {
      for (const id of notified.map(idOf)) undecided.set(id, [...(undecided.get(id) ?? []), task])
    },
    isDue: ({ handlerId }) => due.has(handlerId),
    hangsOn: ({ handlerId }) => (due.has(handlerId) ? [] : (undecided.get(handlerId) ?? [])),
    pay: (handler, drafts) => {
      due.delete(handler.handlerId)
      return paid(handler, drafts)
    },
  }
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
