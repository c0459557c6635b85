import type { Change, Check, Item, Plan } from '../model/plan.ts'
import { planItems } from '../model/plan.ts'
import { baseTask } from './items.ts'

/** Something that a later plan would do and the plan that was shown did not say. */
export interface Widening {
  readonly key: string
  readonly why: string
}

/**
 * A later plan refines the one that was shown if it does the same things in the same order, with unknowns
 * filled in and changes dropped; everything else is a widening.
 */
export function widenings(later: Plan, shown: Plan): readonly Widening[] {
  const shownItems = planItems(shown)
  const undecidedTasks = new Set(
    shownItems.filter((item) => item.item === 'undecided').map((item) => baseTask(item.task.id)),
  )
  const found: Widening[] = []
  let next = 0
  for (const item of planItems(later)) {
    const at = shownItems.findIndex((candidate, index) => index >= next && candidate.key === item.key)
    const match = shownItems[at]
    if (match !== undefined) {
      next = at + 1
      found.push(...widenedItem(item, match))
    } else if (!undecidedTasks.has(baseTask(item.task.id)) && item.item !== 'refused') {
      const moved = shownItems.some((candidate) => candidate.key === item.key)
      found.push({ key: item.key, why: moved ? 'comes in another order than was shown' : 'was not shown' })
    }
  }
  return found
}

function widenedItem(later: Item, shown: Item): readonly Widening[] {
  // A check changes nothing: that it was pending and is unmet now fills in what was not known.
  if (later.item !== 'change' || !hasDifferences(shown)) return []
  return later.differences.flatMap((difference): readonly Widening[] => {
    const before = shown.differences.find((candidate) => candidate.attribute === difference.attribute)
    if (before === undefined)
      return [{ key: later.key, why: `${difference.attribute} was not shown to differ` }]
    // A unit's differences are reasons, not values: their words may change as files come to be.
    if (later.resource.startsWith('unit:') || !before.to.known || !difference.to.known) return []
    if (before.to.value === difference.to.value) return []
    return [
      {
        key: later.key,
        why: `${difference.attribute} becomes ${difference.to.value}, shown was ${before.to.value}`,
      },
    ]
  })
}

function hasDifferences(item: Item): item is Change | Check {
  return item.item === 'change' || item.item === 'check'
}
