import type { Change } from '../model/plan.ts'
import type { Handler } from '../playbook/types.ts'

/** Which handlers are owed: by this plan's changes, or by a run that never came to pay. */
export interface Debts {
  /** handlerId of a notified name; names were checked when the playbook was read. */
  idOf(name: string): string
  /** Notes a change: what it owes, and what it settles. */
  acted(change: Change): void
  isDue(handler: Handler): boolean
  /** True once a change of this plan has settled it. */
  settled(handler: Handler): boolean
}

/** A handler is due where the host's debts name it or a change of this plan notified it. */
export function createDebts(handlers: readonly Handler[], owed: ReadonlySet<string>): Debts {
  const ids = new Map(handlers.map((handler) => [handler.name, handler.handlerId]))
  const due = new Set(owed)
  return {
    idOf: (name) => ids.get(name) ?? name,
    acted: (change) => {
      for (const id of change.owes) due.add(id)
      for (const id of change.settles) due.delete(id)
    },
    isDue: (handler) => due.has(handler.handlerId),
    settled: (handler) => !due.has(handler.handlerId),
  }
}
