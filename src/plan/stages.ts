import type { Item, Stage } from '../model/plan.ts'
import type { Origin } from '../model/value.ts'

/** Collects items in order and ends a stage where an item needs what the same stage must first produce. */
export interface StageBuilder {
  add(item: Item, needs: readonly Origin[]): void
  stages(): readonly Stage[]
}

export function createStages(): StageBuilder {
  const finished: Stage[] = []
  let items: Item[] = []
  return {
    add: (item, needs) => {
      const here = needs.filter((origin) => items.some((earlier) => produces(earlier, origin)))
      if (here.length > 0) {
        finished.push({ items, needs: here })
        items = []
      }
      items.push(item)
    },
    stages: () => (items.length === 0 ? finished : [...finished, { items, needs: [] }]),
  }
}

/** An undecided task may turn out to produce anything that is still unknown. */
function produces(item: Item, origin: Origin): boolean {
  if (origin.after === `task:${item.task.id}`) return true
  if (item.item === 'change' || item.item === 'check') return item.resource === origin.after
  return false
}
