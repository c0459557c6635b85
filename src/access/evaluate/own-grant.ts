import type { ActingIdentity, Evaluation, Step } from '../../model/access.ts'
import type { PathState } from '../../model/facts.ts'
import { has } from './decide.ts'
import { shownPath } from './words.ts'
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
 * @param denied what `evaluate` says with these rows
 * @param evaluate the same question, asked with other rows
 */
export function ownGrant(
  who: ActingIdentity,
  rows: Rows,
  denied: Evaluation,
  evaluate: (rows: Rows) => Evaluation,
): string | undefined {
  if (denied.is !== 'denied' && denied.is !== 'unknown') return undefined
  const made: Rows = (at) => {
    const fact = rows(at)
    const state = fact?.is === 'present' ? madeOf(who, fact.state)?.state : undefined
    return state === undefined ? fact : { is: 'present', state }
  }
  if (evaluate(made).is !== 'granted') return undefined
  const ways = (steps: readonly Step[]): readonly string[] =>
    [...new Set(steps.map(({ path }) => path))].flatMap((path) => {
      const fact = rows(path)
      const because = fact?.is === 'present' ? madeOf(who, fact.state)?.because : undefined
      if (because === undefined) return []
      const shown = shownPath(path)
      return [because === 'owner' ? `it owns ${shown}` : `it has ${because}, which changes ${shown}`]
    })
  const blocking = ways(denied.steps.filter(({ allowed }) => !allowed))
  // a directory further up, which it may only pass through, is enough to replace what is below
  return (blocking.length > 0 ? blocking : ways(denied.steps)).join('; ')
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
