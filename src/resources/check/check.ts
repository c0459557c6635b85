import type { TestState } from '../../model/facts.ts'
import type { Difference, Planned, World } from '../../model/resource.ts'
import type { TestAtom } from '../../model/wire.ts'
import { difference } from '../common/show.ts'

/**
 * A test that must be answered yes. Behind changes it is pending, since they may decide it either way;
 * otherwise anything but yes is a difference. An answer that is unknown never counts as yes.
 *
 * @param attribute what is tested, in the words of a plan
 * @param within seconds to wait for a yes
 */
export function planCheck(attribute: string, test: TestAtom, within: number, world: World): Planned {
  const ops = [{ op: 'await', test, within } as const]
  const state = world.test(test.key)
  if (world.anyChange || state === undefined) return { is: 'pending', ops }
  if (state.answer === 'yes') return { is: 'same' }
  return { is: 'unmet', differences: [difference(attribute, showAnswer(state), 'yes')], ops }
}

/** What keeps a check from being met now, for {@link Resource.health}. An answer that is unknown never counts as yes. */
export function checkHealth(attribute: string, test: TestAtom, world: World): readonly Difference[] {
  const state = world.test(test.key)
  if (state?.answer === 'yes') return []
  return [difference(attribute, state === undefined ? 'not asked' : showAnswer(state), 'yes')]
}

function showAnswer(state: Exclude<TestState, { readonly answer: 'yes' }>): string {
  return state.detail === '' ? state.answer : `${state.answer}: ${state.detail}`
}
