import type { Planned, Resource, World } from '../../model/resource.ts'
import type { Payload } from '../../model/payload.ts'
import type { Problem } from '../../model/problem.ts'
import type { Secret } from '../../model/secret.ts'
import type { Offer, Peer, Seeding } from '../../model/seed.ts'
import { known, type Value } from '../../model/value.ts'
import type { Ownership } from '../../model/wire.ts'
import { problem, refused } from '../common/result.ts'
import { differencesOfNew } from '../common/show.ts'
import { wrongType } from '../common/type.ts'
import type { FileContent } from '../file/content.ts'
import { fileResource } from '../file/file.ts'
import { configurationAtom, type Identity, ownIdentity } from './identity.ts'
import { type Given, offerOf, pairAtom } from './offer.ts'
import { runAtoms, type RunBy, whetherRuns } from './running.ts'

/** State of the provider and its checkpoint, of which neither is worth anything without the other. */
export interface StatePairDesired extends Ownership, Given {
  readonly owner: string
  /** Undefined: the play gives nothing. */
  readonly seeding: Seeding | undefined
  /** How an identity is shown. */
  readonly fingerprintOf: (identity: Identity) => string
  readonly payloadOf: (secret: Secret) => Payload
}

/** Written once, where a new host has neither; never compared and never written again. */
export function statePairResource(desired: StatePairDesired): Resource {
  const { state, checkpoint, config, runBy, owner, group, mode, seeding } = desired
  const gives = seeding?.is === 'giver'
  return {
    id: `state-pair:${state}`,
    subject: `path:${state}`,
    sameness: JSON.stringify([state, checkpoint, config, runBy, owner, group, mode]),
    atoms: [
      ...filesOf(desired, [undefined, undefined]).flatMap(({ atoms }) => atoms),
      configurationAtom(desired),
      ...runAtoms(runBy),
      ...(gives && seeding.withContent ? [pairAtom(desired)] : []),
    ],
    plan: (world) => plan(desired, world),
    ...(gives ? { offer: (world: World) => offerOf(desired, seeding.withContent, world) } : {}),
  }
}

function filesOf(
  { state, checkpoint, owner, group, mode }: StatePairDesired,
  [first, second]: readonly [FileContent | undefined, FileContent | undefined],
): readonly Resource[] {
  return [
    fileResource({ path: state, owner, group, mode, content: first }),
    fileResource({ path: checkpoint, owner, group, mode, content: second }),
  ]
}

function plan(desired: StatePairDesired, world: World): Planned {
  const { state, checkpoint, seeding, runBy } = desired
  const there: string[] = []
  for (const path of [state, checkpoint]) {
    const fact = world.path(path)
    if (fact.is === 'unreadable') return refused(fact.problem)
    if (fact.is === 'absent') continue
    if (fact.state.type !== 'file') return refused(wrongType(path, 'file', fact.state))
    there.push(path)
  }
  const [one, other] = there
  if (other !== undefined) {
    return { is: 'same', remark: `${state} and its checkpoint are there and were left as they are` }
  }
  if (one !== undefined) return refused(halfPair(one, one === state ? checkpoint : state))
  const runs = whetherRuns(runBy, world)
  if (runs.is !== 'stopped') return refused(running(state, runBy, runs.found))
  if (seeding?.is !== 'taker') return refused(noPeer(state))
  const own = ownIdentity(desired, world)
  if (!own.ok) return refused(own.problem)
  const { peer } = seeding
  const offered = peer.offered()
  if (offered?.is === 'refused') return refused(offered.problem)
  const offer = offered?.offer
  const differs =
    offer && own.value.known ? identityProblem(desired, own.value.value, offer, peer) : undefined
  return differs === undefined ? seed(desired, own.value, peer, offer, world) : refused(differs)
}

/** One change: nothing else comes between the two files. */
function seed(
  desired: StatePairDesired,
  own: Value<Identity>,
  peer: Peer,
  offer: Offer | undefined,
  world: World,
): Planned {
  const content = (index: 0 | 1): FileContent => {
    if (!own.known) return { is: 'unknown', origins: [own] }
    const secret = offer?.pair?.[index]
    if (secret === undefined) return { is: 'unopened', label: `of ${peer.name}` }
    return { is: 'bytes', payload: desired.payloadOf(secret) }
  }
  const files = filesOf(desired, [content(0), content(1)]).map((file) => file.plan(world))
  const changes = files.flatMap((file) => (file.is === 'change' ? [file] : []))
  const [first] = changes
  if (first === undefined || changes.length !== files.length) {
    // Of files that are not there nothing else can come.
    return files.find(({ is }) => is === 'refused') ?? { is: 'same' }
  }
  return {
    ...first,
    differences: [
      ...differencesOfNew('state and checkpoint', [
        ['content', `that of ${peer.name} (secret)`],
        ['identity', own.known ? known(desired.fingerprintOf(own.value)) : own],
      ]),
      ...first.differences.filter(({ attribute }) => attribute !== 'state' && attribute !== 'content'),
    ],
    ops: changes.flatMap(({ ops }) => ops),
    effects: changes.flatMap(({ effects }) => effects),
  }
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

function running(state: string, runBy: RunBy, found: string): Problem {
  return problem(
    'resource.running',
    state,
    `expected no provider to run while it has no state, found ${found}`,
    runBy.by === 'unit'
      ? `Stop it with \`systemctl stop ${runBy.unit}\`, find out why it runs without state, and run again.`
      : `Move ${runBy.path} away, wait until the pod is gone, and run again.`,
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
