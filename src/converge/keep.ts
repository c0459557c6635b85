import { type Plan, planItems } from '../model/plan.ts'
import type { WriteOp } from '../model/wire.ts'

/**
 * Says which files of a stage are kept as they were: those that a unit runs with which this plan restarts, now or in a
 * later stage. A unit that does not run has no version that is known to be good.
 */
export function keeping(plan: Plan): (op: WriteOp) => WriteOp {
  const runners = new Map(
    planItems(plan).flatMap((item) => (item.item === 'change' ? item.ops.flatMap(runnersOf) : [])),
  )
  return (op) => {
    if (op.op !== 'file-put' || 'absent' in op.expect) return op
    const unit = runners.get(op.parent.path === '/' ? `/${op.name}` : `${op.parent.path}/${op.name}`)
    return unit === undefined ? op : { ...op, keepFor: unit }
  }
}

/** Path to unit, of a restart. */
function runnersOf(op: WriteOp): readonly (readonly [string, string])[] {
  if (op.op !== 'unit-run' || op.verb !== 'restart') return []
  return op.runsWith.map((path) => [path, op.unit])
}
