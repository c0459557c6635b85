import type { PathState, Fact } from '../../model/facts.ts'
import type { Payload } from '../../model/payload.ts'
import type { Problem } from '../../model/problem.ts'
import type { Planned, Resource, World } from '../../model/resource.ts'
import type { Secret } from '../../model/secret.ts'
import type { Offer, Offered, Peer, Seeding } from '../../model/seed.ts'
import { type Value, known, unknown } from '../../model/value.ts'
import type { Ownership, ReadAtom, TestAtom, WriteOp } from '../../model/wire.ts'
import { cannotChange } from '../common/guard.ts'
import { showMode } from '../common/mode.ts'
import { type Ids, ownerAtoms, resolveIds, resolveUser } from '../common/owner.ts'
import { findParent, type FoundParent } from '../common/parent.ts'
import { directoryOf, nameOf } from '../common/paths.ts'
import { failure, problem, refused, success, type Result } from '../common/result.ts'
import { differencesOfNew } from '../common/show.ts'
import { wrongType } from '../common/type.ts'

/** Fields that decide a provider's identity, and their values. */
type Identity = ReadonlyMap<string, string>

/** State of the provider and its checkpoint, of which neither is worth anything without the other. */
export interface StatePairDesired extends Ownership {
  readonly state: string
  /** In the same directory. */
  readonly checkpoint: string
  /** The provider's configuration, which decides its identity. */
  readonly config: string
  /** What runs the provider; it must not while its state is written. */
  readonly runBy: RunBy
  /** Undefined: the play gives nothing. */
  readonly seeding: Seeding | undefined
  /** The identity of a configuration, or a text that tells where it is wrong and quotes none of it. */
  readonly identityOf: (path: string, text: string) => Identity | string
  /** How an identity is shown. */
  readonly fingerprintOf: (identity: Identity) => string
  readonly payloadOf: (secret: Secret) => Payload
}

export type RunBy =
  | { readonly by: 'unit'; readonly unit: string }
  /** `live` answers 200 as long as a process of the pod does. */
  | { readonly by: 'manifest'; readonly path: string; readonly live: string }

/** Larger files are no state of a provider. */
const largestState = 4_194_304
const largestConfiguration = 1_048_576

/** Written once, where a new host has neither; never compared and never written again. */
export function statePairResource(desired: StatePairDesired): Resource {
  const { state, checkpoint, config, runBy, seeding } = desired
  const gives = seeding?.is === 'giver'
  return {
    id: `state-pair:${state}`,
    subject: `path:${state}`,
    sameness: JSON.stringify([state, checkpoint, config, runBy, desired.owner, desired.group, desired.mode]),
    atoms: [
      { atom: 'path', path: state },
      { atom: 'path', path: checkpoint },
      { atom: 'path', path: config, digestUpTo: largestConfiguration, bytesUpTo: largestConfiguration },
      ...runAtoms(runBy),
      ...ownerAtoms(desired),
      ...(gives && seeding.withContent ? [pairAtom(desired)] : []),
    ],
    plan: (world) => plan(desired, world),
    ...(gives ? { offer: (world: World) => offer(desired, seeding.withContent, world) } : {}),
  }
}

function pairAtom({ state, checkpoint, owner }: StatePairDesired): ReadAtom {
  const names = [nameOf(state), nameOf(checkpoint)] as const
  return { atom: 'pair', folder: directoryOf(state), names, owner, upTo: largestState }
}

function plan(desired: StatePairDesired, world: World): Planned {
  const { state, checkpoint, seeding } = desired
  const facts = [state, checkpoint].map((path) => [path, world.path(path)] as const)
  for (const [path, fact] of facts) {
    if (fact.is === 'unreadable') return refused(fact.problem)
    if (fact.is === 'present' && fact.state.type !== 'file')
      return refused(wrongType(path, 'file', fact.state))
  }
  const there = facts.filter(([, fact]) => fact.is === 'present').map(([path]) => path)
  const [one, other] = there
  if (other !== undefined) {
    return { is: 'same', remark: `${state} and its checkpoint are there and were left as they are` }
  }
  if (one !== undefined) return refused(halfPair(one, one === state ? checkpoint : state))
  const runs = runningProblem(desired, world)
  if (runs !== undefined) return refused(runs)
  if (seeding?.is !== 'taker') return refused(noPeer(state))
  const place = placeOf(desired, world)
  if (!place.ok) return refused(place.problem)
  const own = ownIdentity(desired, world)
  if (!own.ok) return refused(own.problem)
  const { peer } = seeding
  const offered = peer.offered()
  if (offered?.is === 'refused') return refused(offered.problem)
  const differs =
    offered && own.value.known ? identityProblem(desired, own.value.value, offered.offer, peer) : undefined
  return differs === undefined ? seed(desired, place.value, own.value, peer, offered) : refused(differs)
}

interface Place {
  readonly found: FoundParent
  readonly ids: Ids
}

function placeOf(desired: StatePairDesired, world: World): Result<Place> {
  const ids = resolveIds(desired, world)
  if (!ids.ok) return ids
  const found = findParent(desired.state, world)
  if (!found.ok) return found
  const hindrance = cannotChange(desired.state, found.value.state, undefined)
  return hindrance === undefined ? success({ found: found.value, ids: ids.value }) : failure(hindrance)
}

/** One change: nothing else comes between the two files. */
function seed(
  desired: StatePairDesired,
  { found, ids }: Place,
  own: Value<Identity>,
  peer: Peer,
  offered: Extract<Offered, { is: 'offer' }> | undefined,
): Planned {
  const { state, checkpoint, owner, group, mode, payloadOf, fingerprintOf } = desired
  const pair = own.known ? offered?.offer.pair : undefined
  const put = (path: string, secret: Secret): WriteOp => ({
    op: 'file-put',
    parent: found.parent,
    name: nameOf(path),
    expect: { absent: true },
    payload: payloadOf(secret),
    to: { owner, group, mode },
  })
  const made: PathState = { type: 'file', mode, ...ids, size: 0, links: 1, acl: 'none' }
  const fact: Fact<PathState> = { is: 'present', state: made }
  return {
    is: 'change',
    differences: [
      ...differencesOfNew('state and checkpoint', [
        ['content', `that of ${peer.name} (secret)`],
        ['identity', own.known ? known(fingerprintOf(own.value)) : own],
        ['owner', owner],
        ['group', group],
        ['mode', showMode(mode)],
      ]),
    ],
    ops: pair === undefined ? [] : [put(state, pair[0]), put(checkpoint, pair[1])],
    effects: [state, checkpoint].map((key) => ({ set: 'path', key, fact }) as const),
    disruptive: false,
    provisional: !own.known,
  }
}

/** What a peer gives, or why it gives nothing. `world` is as the peer was observed. */
function offer(desired: StatePairDesired, withContent: boolean, world: World): Offered {
  const { state, checkpoint, owner, config } = desired
  const none = (of: Problem): Offered => ({ is: 'refused', problem: of })
  const uid = resolveUser(owner, world)
  if (!uid.ok) return none(uid.problem)
  for (const path of [state, checkpoint]) {
    const fact = world.path(path)
    if (fact.is === 'unreadable') return none(fact.problem)
    const found = fact.is === 'absent' ? 'nothing' : strange(fact.state, uid.value)
    if (found !== undefined) return none(noOffer(path, `a regular file of ${owner} alone`, found))
  }
  const identity = ownIdentity(desired, world)
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

/** The identity that the configuration gives, or will give once an earlier change of this run has written it. */
function ownIdentity({ config, identityOf }: StatePairDesired, world: World): Result<Value<Identity>> {
  const fact = world.path(config)
  if (fact.is === 'unreadable') return failure(fact.problem)
  const bytes = fact.is === 'present' ? fact.state.bytes : undefined
  const content = fact.is === 'present' ? fact.state.content : undefined
  if (content !== undefined && 'after' in content) {
    return success(unknown({ after: content.after, field: content.field }))
  }
  const identity =
    bytes === undefined
      ? fact.is === 'absent'
        ? 'nothing'
        : 'one that others than root can write, or that is no text'
      : identityOf(config, Buffer.from(bytes.reveal()).toString('utf8'))
  if (typeof identity !== 'string') return success(known(identity))
  return failure(
    problem(
      'resource.identity',
      config,
      `expected the provider's configuration at ${config}, which says whose state it can have, found ${identity}`,
    ),
  )
}

/** What was encrypted under one identity cannot be read with the state of another. */
function identityProblem(
  { state, fingerprintOf }: StatePairDesired,
  own: Identity,
  { identity }: Offer,
  { name }: Peer,
): Problem | undefined {
  const fields = [...own].filter(([field, value]) => identity.get(field) !== value)
  if (fields.length === 0) return undefined
  const shown = fields.map(([field, value]) => `${field} ${identity.get(field) ?? ''} there, ${value} here`)
  return problem(
    'resource.identity',
    state,
    `expected ${name} to have the identity ${fingerprintOf(own)} that this host gets, found ${fingerprintOf(identity)}: ${shown.join('; ')}`,
    'Its state belongs to other key ids. Name a peer that runs with the same configuration, or mend the variables.',
  )
}

function halfPair(found: string, missing: string): Problem {
  return problem(
    'resource.half-pair',
    found,
    `expected state and checkpoint together, or neither, found ${found} without ${missing}`,
    'Nobody can tell which of them is right. Bring the missing one back from the same backup, or move the other away by hand and run again.',
  )
}

function noPeer(state: string): Problem {
  return problem(
    'resource.seed',
    state,
    `expected a peer that gives ${state} and its checkpoint, found that the play names none`,
    'Say `seed_from` for the play.',
  )
}

function runAtoms(runBy: RunBy): readonly ReadAtom[] {
  if (runBy.by === 'unit') return [{ atom: 'unit', unit: runBy.unit }]
  return [{ atom: 'path', path: runBy.path }, liveTest(runBy.live)]
}

function liveTest(url: string): TestAtom {
  return { atom: 'http', key: `http:${url}`, url }
}

/** A provider that runs holds its state, and would write over what is put there. */
function runningProblem({ runBy, state }: StatePairDesired, world: World): Problem | undefined {
  const found = runBy.by === 'unit' ? runningUnit(runBy.unit, world) : runningPod(runBy, world)
  if (found === undefined) return undefined
  return problem(
    'resource.running',
    state,
    `expected no provider to run while it has no state, found ${found}`,
    runBy.by === 'unit'
      ? `Stop it with \`systemctl stop ${runBy.unit}\`, find out why it runs without state, and run again.`
      : `Move ${runBy.path} away, wait until the pod is gone, and run again.`,
  )
}

function runningUnit(unit: string, world: World): string | undefined {
  const fact = world.unit(unit)
  if (fact.is === 'unreadable') return `that nobody knows (${fact.problem.message})`
  if (fact.is === 'absent') return undefined
  const { active } = fact.state
  return active === 'inactive' || active === 'failed' ? undefined : `that ${unit} is ${active}`
}

function runningPod({ path, live }: Extract<RunBy, { by: 'manifest' }>, world: World): string | undefined {
  if (world.path(path).is !== 'absent') return `its manifest ${path}`
  const answer = world.test(liveTest(live).key)
  if (answer?.answer === 'no') return undefined
  return answer?.answer === 'yes'
    ? `that ${live} answers`
    : `that nobody knows (${answer?.detail ?? 'not asked'})`
}
