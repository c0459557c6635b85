import type { ActingIdentity, Evaluation, Action } from '../types.ts'
import type { PathState } from '../../model/facts.ts'
import { has } from './decide.ts'
import { evaluate } from './evaluate.ts'
import { shownPath } from './words.ts'
import type { Names } from './words.ts'
import type { Rows } from './walk.ts'

/** What somebody can make of a row that denies it something, and by what. */
interface Made {
  readonly state: PathState
  readonly because: 'owner' | 'CAP_FOWNER' | 'CAP_CHOWN'
}

/**
 * How one who is denied something could give it to itself, in words behind `it could give itself this:`; undefined where it
 * could not. Who owns an object changes its mode (`chmod u+w`), and so do CAP_FOWNER and CAP_CHOWN for any object. Pure.
 *
 * @param denied what {@link evaluate} says to the same question
 */
export function ownGrant(
  who: ActingIdentity,
  action: Action,
  path: string,
  rows: Rows,
  names: Names,
  denied: Evaluation,
): string | undefined {
  if (denied.is !== 'denied' && denied.is !== 'unknown') return undefined
  const made: Rows = (at) => {
    const fact = rows(at)
    const state = fact?.is === 'present' ? madeOf(who, fact.state)?.state : undefined
    return state === undefined ? fact : { is: 'present', state }
  }
  if (evaluate(who, action, path, made, names).is !== 'granted') return undefined
  const ways = denied.steps.flatMap((step) => {
    const fact = step.allowed ? undefined : rows(step.path)
    const because = fact?.is === 'present' ? madeOf(who, fact.state)?.because : undefined
    if (because === undefined) return []
    const shown = shownPath(step.path)
    return [because === 'owner' ? `it owns ${shown}` : `it has ${because}, which changes ${shown}`]
  })
  return [...new Set(ways)].join('; ')
}

/** Undefined for what it cannot change: of others, on a read-only mount, immutable. */
function madeOf(who: ActingIdentity, state: PathState): Made | undefined {
  const { uid, mode, readOnlyMount, immutable, type } = state
  if (readOnlyMount === true || immutable === true || type === 'link' || !uid.known) return undefined
  // the owner is judged by its own digit, whatever an ACL says
  if (uid.value === who.uid) return { state: { ...state, mode: mode | 0o700 }, because: 'owner' }
  if (has(who, 'CAP_FOWNER'))
    return { state: { ...state, mode: mode | 0o777, acl: 'none' }, because: 'CAP_FOWNER' }
  if (!has(who, 'CAP_CHOWN')) return undefined
  return {
    state: { ...state, mode: mode | 0o700, uid: { known: true, value: who.uid } },
    because: 'CAP_CHOWN',
  }
}
