import type { Difference } from '../model/resource.ts'
import { known, type Value } from '../model/value.ts'
import type { ItemView, PlanView } from './view.ts'

/** Digests of contents, which a template makes each host's own while everything else is the same. */
const digest = /^sha256:[0-9a-f]+$/
const ownDigest = 'sha256:… (each host its own)'

/** Equal for plans that differ in nothing but the digests and texts of contents. */
export function likeness(plan: PlanView): string {
  return JSON.stringify(withItems(plan, (item) => withDifferences(item, blur)))
}

/** One plan for hosts of equal {@link likeness}: where their digests differ, it says so in their place. */
export function mergeAlike(plans: readonly PlanView[]): PlanView {
  const [first, ...others] = plans
  if (first === undefined) throw new RangeError('expected at least one plan, found none')
  const texts = new Set(plans.map((plan) => JSON.stringify(plan)))
  if (texts.size === 1) return first
  return others.reduce(mergeTwo, first)
}

function mergeTwo(left: PlanView, right: PlanView): PlanView {
  const others = right.stages.flatMap((stage) => stage.items).flatMap(differencesOf)
  let at = 0
  return withItems(left, (item) =>
    withDifferences(item, (difference) => {
      const other = others[at]
      at += 1
      return other === undefined ? difference : mergeDifference(difference, other)
    }),
  )
}

function mergeDifference(left: Difference, right: Difference): Difference {
  const { text, ...rest } = left
  const same = text !== undefined && JSON.stringify(text) === JSON.stringify(right.text)
  return {
    ...rest,
    from: mergeValue(left.from, right.from),
    to: mergeValue(left.to, right.to),
    ...(same ? { text } : {}),
  }
}

function mergeValue(left: Value<string>, right: Value<string>): Value<string> {
  return JSON.stringify(left) === JSON.stringify(right) ? left : known(ownDigest)
}

function blur({ attribute, from, to }: Difference): Difference {
  return { attribute, from: blurValue(from), to: blurValue(to) }
}

function blurValue(value: Value<string>): Value<string> {
  return value.known && digest.test(value.value) ? known(ownDigest) : value
}

function withItems(plan: PlanView, change: (item: ItemView) => ItemView): PlanView {
  return {
    ...plan,
    stages: plan.stages.map((stage) => ({ ...stage, items: stage.items.map(change) })),
  }
}

function withDifferences(item: ItemView, change: (difference: Difference) => Difference): ItemView {
  return 'differences' in item ? { ...item, differences: item.differences.map(change) } : item
}

function differencesOf(item: ItemView): readonly Difference[] {
  return 'differences' in item ? item.differences : []
}
