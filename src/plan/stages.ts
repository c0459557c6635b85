import type { Item, Stage } from '../model/plan.ts'
import type { Origin } from '../model/value.ts'
import type { Draft } from './items.ts'

/** Puts items into stages, in order: a stage ends where an item needs what the same stage must first produce. */
export function stagesOf(drafts: readonly Draft[]): readonly Stage[] {
  const finished: Stage[] = []
  let items: Item[] = []
  let last: readonly Origin[] = []
  for (const { item, needs, last: isLast } of drafts) {
    const produced = needs.filter((origin) => items.some((earlier) => produces(earlier, origin)))
    const here = [...last, ...produced]
    last = isLast === true ? [{ after: `task:${item.task.id}`, field: 'result' }] : []
    if (here.length > 0) {
      finished.push({ items, needs: here })
      items = []
    }
    items.push(item)
  }
  return items.length === 0 ? finished : [...finished, { items, needs: [] }]
}

/** An undecided task may turn out to produce anything that is still unknown. */
function produces(item: Item, origin: Origin): boolean {
  if (origin.after === `task:${item.task.id}`) return true
  if (item.item === 'change' || item.item === 'check') return item.resource === origin.after
  return false
}
