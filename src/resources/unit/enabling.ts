import type { UnitState } from '../../model/facts.ts'
import { failure, problem, success, type Result } from '../common/result.ts'
import { difference } from '../common/show.ts'
import type { UnitDesired } from './desired.ts'
import type { Step } from './running.ts'

/**
 * The step that enables or disables the unit, if it needs one.
 *
 * @param redefined the unit's files change in this run, so that what systemd says of them is out of date
 */
export function enabling(
  { unit, enabled: wanted }: UnitDesired,
  state: UnitState | undefined,
  redefined: boolean,
): Result<Step | undefined> {
  if (wanted === undefined) return success(undefined)
  const now = state?.enabled === undefined || state.enabled === '' ? 'disabled' : state.enabled
  // `enabled-runtime` is gone after a reboot, so it is neither.
  const isEnabled = now === 'enabled' || now === 'alias'
  if (wanted ? isEnabled : !isEnabled && now !== 'enabled-runtime') return success(undefined)
  if (wanted && !redefined && (now === 'static' || now === 'generated' || now === 'transient')) {
    return failure(
      problem(
        'resource.unit',
        unit,
        `expected ${unit} to be one that can be enabled, found it ${now}: it has no [Install] section`,
        'Leave `enabled` out, or enable the unit that starts it.',
      ),
    )
  }
  const to = wanted ? 'enabled' : 'disabled'
  return success({
    differences: [difference('enabled', now, to)],
    ops: [{ op: 'unit-enable', unit, enable: wanted }],
    disruptive: false,
    predict: (before) => ({ ...before, enabled: to }),
  })
}
