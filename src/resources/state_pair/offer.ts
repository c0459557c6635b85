import type { PathState } from '../../model/facts.ts'
import type { Problem } from '../../model/problem.ts'
import type { World } from '../../model/resource.ts'
import type { Offered } from '../../model/seed.ts'
import type { Value } from '../../model/value.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { resolveUser } from '../common/owner.ts'
import { directoryOf, nameOf } from '../common/paths.ts'
import { problem } from '../common/result.ts'
import { type Configuration, ownIdentity } from './identity.ts'
import { type RunBy, whetherRuns } from './running.ts'

/** Where a peer has what it gives. */
export interface Given extends Configuration {
  readonly state: string
  /** In the same directory. */
  readonly checkpoint: string
  readonly owner: string
  readonly runBy: RunBy
}

/** Larger files are no state of a provider. */
const largestState = 4_194_304

export function pairAtom({ state, checkpoint, owner }: Given): ReadAtom {
  const names = [nameOf(state), nameOf(checkpoint)] as const
  return { atom: 'pair', folder: directoryOf(state), names, owner, upTo: largestState }
}

/** What a peer gives, or why it gives nothing. `world` is as the peer was observed. */
export function offerOf(given: Given, withContent: boolean, world: World): Offered {
  const { state, checkpoint, owner, config, runBy } = given
  const none = (of: Problem): Offered => ({ is: 'refused', problem: of })
  const runs = whetherRuns(runBy, world)
  if (runs.is !== 'running')
    return none(noOffer(state, 'a provider that runs with what it gives', runs.found))
  const uid = resolveUser(owner, world)
  if (!uid.ok) return none(uid.problem)
  for (const path of [state, checkpoint]) {
    const fact = world.path(path)
    if (fact.is === 'unreadable') return none(fact.problem)
    const found = fact.is === 'absent' ? 'nothing' : strange(fact.state, uid.value)
    if (found !== undefined) return none(noOffer(path, `a regular file of ${owner} alone`, found))
  }
  const identity = ownIdentity(given, world)
  if (!identity.ok) return none(identity.problem)
  if (!identity.value.known) return none(noOffer(config, 'a configuration', 'one that is yet to be written'))
  if (!withContent) return { is: 'offer', offer: { identity: identity.value.value } }
  const pair = world.pair(state)
  if (pair.is === 'present')
    return { is: 'offer', offer: { identity: identity.value.value, pair: pair.state } }
  return none(pair.is === 'unreadable' ? pair.problem : noOffer(state, 'an answer', 'none'))
}

/** What keeps a file from being the provider's own: what it leads to may be root's. */
function strange({ type, links, uid, size }: PathState, owner: Value<number>): string | undefined {
  if (type !== 'file') return `a ${type}`
  if (links !== 1) return `one with ${String(links)} names`
  if (!owner.known || !uid.known || uid.value !== owner.value) return "one of another account's"
  if (size === 0) return 'an empty one'
  return size > largestState ? `one of ${String(size)} bytes` : undefined
}

function noOffer(path: string, expected: string, found: string): Problem {
  return problem('resource.seed', path, `expected ${expected} at ${path}, found ${found}`)
}
