import type { Plan } from '../model/plan.ts'
import type { PlanContext } from '../plan/expand.ts'
import { baseTask } from '../plan/items.ts'
import type { Task } from '../playbook/types.ts'

export interface ThrottledTask extends Pick<Task, 'id' | 'name'> {
  readonly throttle: number
}

/** Tasks with a `throttle` that the plan's first stage acts for, in the order of the play. */
export function throttledTasks({ tasks, play }: PlanContext, plan: Plan): readonly ThrottledTask[] {
  const all = [...tasks, ...play.flushes.flat(), ...play.handlers].filter(isThrottled)
  if (all.length === 0) return []
  const acting = new Set(plan.stages[0]?.items.map((item) => baseTask(item.task.id)))
  return all.filter(({ id }) => acting.has(id))
}

function isThrottled<T extends Task>(task: T): task is T & ThrottledTask {
  return task.throttle !== undefined
}
