import type { RunEvent } from '../model/event.ts'
import type { Change, Due, Item, Plan } from '../model/plan.ts'
import type { Problem } from '../model/problem.ts'
import type { Difference, ResourceId, TaskRef } from '../model/resource.ts'
import type { Origin } from '../model/value.ts'

/**
 * What reports, groups and documents see of a plan. Operations and predicted effects are left out again, though
 * events should hold none: a `file-put` carries its payload, and the bytes of a secret must not come near
 * `JSON.stringify`.
 */
export interface PlanView {
  readonly stages: readonly StageView[]
  readonly due: readonly Due[]
  readonly unchanged: number
  readonly notCompared: readonly string[]
  readonly remarks: readonly string[]
}

export interface StageView {
  readonly items: readonly ItemView[]
  /** Values that the next stage waits for. */
  readonly needs: readonly Origin[]
}

/** How a change is marked: `+` makes something, `~` alters it, `-` removes it. */
export type Action = 'create' | 'change' | 'remove'

export type ItemView =
  | {
      readonly item: 'change'
      readonly action: Action
      readonly key: string
      readonly resource: ResourceId
      readonly task: TaskRef
      readonly differences: readonly Difference[]
      readonly disruptive: boolean
      readonly provisional: boolean
    }
  | {
      readonly item: 'check'
      readonly state: 'unmet' | 'pending'
      readonly key: string
      readonly resource: ResourceId
      readonly task: TaskRef
      readonly differences: readonly Difference[]
    }
  | {
      readonly item: 'undecided'
      readonly what: 'condition' | 'arguments' | 'loop' | 'state'
      readonly key: string
      readonly task: TaskRef
      readonly after: readonly Origin[]
    }
  | {
      readonly item: 'refused'
      readonly key: string
      readonly resource?: ResourceId
      readonly task: TaskRef
      readonly problem: Problem
    }

export function viewOfPlan(plan: Plan): PlanView {
  return {
    stages: plan.stages.map((stage) => ({ items: stage.items.map(itemView), needs: stage.needs })),
    due: plan.due,
    unchanged: plan.unchanged,
    notCompared: plan.notCompared,
    remarks: plan.remarks,
  }
}

function itemView(item: Item): ItemView {
  switch (item.item) {
    case 'change': {
      const { key, resource, task, differences, disruptive, provisional } = item
      return {
        item: 'change',
        action: actionOf(item),
        key,
        resource,
        task,
        differences,
        disruptive,
        provisional,
      }
    }
    case 'check': {
      const { state, key, resource, task, differences } = item
      return { item: 'check', state, key, resource, task, differences }
    }
    case 'undecided':
    case 'refused':
      return item
  }
}

/** Resource kinds say `absent` where nothing is; the kind `absent` makes it so. */
function actionOf(change: Change): Action {
  if (change.resource.startsWith('absent:')) return 'remove'
  const is = (side: 'from' | 'to'): boolean =>
    change.differences.some((difference) => {
      const value = difference[side]
      return value.known && value.value === 'absent'
    })
  if (is('to')) return 'remove'
  return is('from') ? 'create' : 'change'
}

type ViewOf<E> = E extends { readonly plan: Plan } ? Omit<E, 'plan'> & { readonly plan: PlanView } : E

/** An event as it is serialised: with its plan's view instead of the plan. */
export type EventView = ViewOf<RunEvent>

export function eventView(event: RunEvent): EventView {
  return event.type === 'planned' ? { ...event, plan: viewOfPlan(event.plan) } : event
}

/** The resource in a change's key `resource@task`. */
export function resourceOfKey(key: string): string {
  const at = key.lastIndexOf('@')
  return at === -1 ? key : key.slice(0, at)
}
