import type { Difference, World } from '../../model/resource.ts'
import { difference } from '../common/show.ts'
import { readinessTest, type UnitDesired } from './desired.ts'

/**
 * Does a service that shall run do its work now? It is active and ready; whether something about it is to be changed
 * does not matter here. A unit that systemd does not know was never installed.
 */
export function unitHealth({ unit, ready }: UnitDesired, world: World): readonly Difference[] | 'not-here' {
  const fact = world.unit(unit)
  if (fact.is === 'unreadable') return [difference('state', fact.problem.message, 'readable')]
  if (fact.is === 'absent' || fact.state.load === 'not-found') return 'not-here'
  const { active } = fact.state
  if (active !== 'active' && active !== 'reloading') return [difference('active', active, 'active')]
  const test = readinessTest(ready, unit)
  const answer = test === undefined ? undefined : world.test(test.key)
  if (test === undefined || answer?.answer === 'yes') return []
  return [
    difference('ready', answer === undefined ? 'not asked' : `${answer.answer}: ${answer.detail}`, 'yes'),
  ]
}
