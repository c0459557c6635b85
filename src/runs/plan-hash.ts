import { createHash } from 'node:crypto'
import { planItems, type Due, type Item, type Plan } from '../model/plan.ts'
import type { Difference } from '../model/resource.ts'
import type { Value } from '../model/value.ts'

/**
 * SHA-256 (hex) over what a plan would do: host, keys and differences in order. Two plans with the same hash
 * show the same to an operator.
 */
export function planHash(plan: Plan): string {
  return createHash('sha256')
    .update(JSON.stringify([plan.host, planItems(plan).map(itemForm), plan.due.map(dueForm)]))
    .digest('hex')
}

function itemForm(item: Item): unknown {
  switch (item.item) {
    case 'change':
      return [item.item, item.key, item.differences.map(differenceForm), item.owes, item.settles]
    case 'check':
      return [item.item, item.key, item.state, item.differences.map(differenceForm)]
    case 'undecided':
      return [item.item, item.key, item.what, item.after.map((origin) => [origin.after, origin.field])]
    case 'refused':
      return [item.item, item.key, item.problem.code, item.problem.message]
  }
}

function dueForm({ key, by, differences }: Due): unknown {
  return [key, by, differences.map(differenceForm)]
}

function differenceForm({ attribute, from, to }: Difference): unknown {
  return [attribute, valueForm(from), valueForm(to)]
}

function valueForm(value: Value<string>): unknown {
  return value.known ? [value.value] : [value.after, value.field]
}
