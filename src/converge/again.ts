import { setTimeout } from 'node:timers/promises'
import type { Change, Plan } from '../model/plan.ts'
import type { RunRequest } from './request.ts'

/** Where the plan's first stage runs a command once more: how. */
export function againOf(plan: Plan): Change['again'] {
  return plan.stages[0]?.items.flatMap((item) => (item.item === 'change' ? [item.again] : [])).find(Boolean)
}

/** Waits; false where the operator stopped the run meanwhile. */
export async function pause(
  seconds: number,
  { stop, abort }: Pick<RunRequest, 'stop' | 'abort'>,
): Promise<boolean> {
  try {
    await setTimeout(seconds * 1000, undefined, { signal: AbortSignal.any([stop, abort]) })
    return true
  } catch (error) {
    if (stop.aborted || abort.aborted) return false
    throw error
  }
}
