import type { Planned, Resource } from '../model/resource.ts'
import type { WriteOp } from '../model/wire.ts'
import type { Condition, Until } from '../playbook/types.ts'
import type { DoneResult } from './registers.ts'

/**
 * What a command with `until` wants: to be run, whatever its exit status, and again as long as a condition fails and
 * runs are left; then the host is refused with what the last run gave. So it is where its own guard forbids another run.
 *
 * @param planned what it wants by its own guard
 * @param result what its last run in this play gave, if it was run
 * @param failing the first condition that does not hold for that result
 */
export function planUntil(
  until: Until,
  resource: Resource,
  planned: Planned,
  result: DoneResult | undefined,
  failing: () => Condition | undefined,
): Planned {
  if (planned.is === 'change') {
    const run = { ...planned, ops: planned.ops.map(whateverStatus) }
    if (result === undefined) return run
    const condition = failing()
    if (condition === undefined) return resource.transient === true ? { is: 'same' } : run
    const { runs = 1 } = result
    if (runs <= until.retries) return { ...run, again: { delay: until.delay } }
    return unmet(resource, condition, `within ${String(runs)} runs`, result)
  }
  // What it ran for may be there and yet be wrong: only the expressions say that it succeeded.
  const condition = planned.is === 'same' && result !== undefined ? failing() : undefined
  if (condition === undefined || result === undefined) return planned
  return unmet(resource, condition, 'of the last run that its guard allows', result)
}

function unmet(
  { id }: Resource,
  { expression, place }: Condition,
  when: string,
  { status, output = '' }: DoneResult,
): Planned {
  const message = `expected \`${expression}\` ${when}, found exit status ${String(status)}; output: ${output}`
  return { is: 'refused', problem: { code: 'host.change-failed', subject: id, message, place } }
}

function whateverStatus(op: WriteOp): WriteOp {
  return op.op === 'command' ? { ...op, anyStatus: true } : op
}
