import { describe, expect, test } from 'vitest'
import type { PathState, UnitState } from '../../src/model/facts.ts'
import { Digest, Secret } from '../../src/model/secret.ts'
import type { Offered, Peer, Seeding } from '../../src/model/seed.ts'
import { known, unknown } from '../../src/model/value.ts'
import type { RunBy } from '../../src/resources/state_pair/running.ts'
import { statePairResource } from '../../src/resources/state_pair/state-pair.ts'
import { directory, file, planAll, unit, type WorldSpec } from './world.ts'

const folder = '/srv/state'
const state = `${folder}/registry`
const checkpoint = `${state}.checkpoint`
const config = '/etc/config.yaml'
const manifest = '/etc/manifests/p.yaml'
const live = 'http://127.0.0.1:1/live'
const service: RunBy = { by: 'unit', unit: 'p.service' }
const pod: RunBy = { by: 'manifest', path: manifest, live }
const answer = (yes: boolean): NonNullable<WorldSpec['tests']> => ({
  [`http:${live}`]: yes ? { answer: 'yes' } : { answer: 'no', detail: '' },
})
const pair = [new Secret('state', Buffer.from('s')), new Secret('checkpoint', Buffer.from('c'))] as const
const peerWith = (offered: Offered | undefined): Peer => ({
  name: 'cp1',
  offered: () => offered,
  wanted: false,
  asked: offered !== undefined,
  keep: () => undefined,
  forget: () => undefined,
})
const offer = (identity: string, content: boolean): Offered => ({
  is: 'offer',
  offer: { identity: new Map([['id', identity]]), ...(content ? { pair } : {}) },
})
const taker = (offered: Offered | undefined): Seeding => ({ is: 'taker', peer: peerWith(offered) })

/** The one thing planned, on a host that has the configuration `a` and nothing else. */
function planned(seeding: Seeding | undefined, spec: WorldSpec = {}, runBy = service): unknown {
  const resource = statePairResource({
    state,
    checkpoint,
    config,
    owner: 'root',
    group: 'root',
    mode: 0o640,
    runBy,
    seeding,
    identityOf: (_, text) => (text === '' ? 'it is empty' : new Map([['id', text]])),
    fingerprintOf: (identity) => `cfg1.${identity.get('id') ?? ''}`,
    payloadOf: (secret) => ({
      digest: Digest.of(secret.reveal(), true),
      bytes: secret.reveal(),
      secret: true,
    }),
  })
  const here: Record<string, PathState | null> = {
    [folder]: directory(),
    [config]: file({ bytes: new Secret(config, Buffer.from('a')) }),
  }
  const [only] = planAll({ ...spec, paths: { ...here, ...spec.paths } }, resource)
  return only
}

const at = (...paths: readonly string[]): WorldSpec => ({
  paths: Object.fromEntries(paths.map((path) => [path, file()])),
})
const unitIs = (active: UnitState['active']): WorldSpec => ({ units: { 'p.service': unit({ active }) } })

test('two files of a peer are one change, which shows neither', () => {
  const change = planned(taker(offer('a', true)))
  expect(change).toMatchObject({
    is: 'change',
    provisional: false,
    ops: [
      { op: 'file-put', name: 'registry', expect: { absent: true }, payload: { secret: true } },
      { op: 'file-put', name: 'registry.checkpoint', expect: { absent: true }, payload: { secret: true } },
    ],
  })
})

test.each([
  ['a run that only plans has nothing to put', taker(offer('a', false)), {}, { provisional: false, ops: [] }],
  ['a peer that was not asked yet', taker(undefined), {}, { provisional: false, ops: [] }],
  [
    'a configuration that is yet to be made',
    taker(offer('b', true)),
    { paths: { [config]: file({ content: unknown({ after: 'group:g', field: 'gid' }) }) } },
    { provisional: true, ops: [] },
  ],
])('%s', (_, seeding, spec, expected) => {
  expect(planned(seeding, spec)).toMatchObject({ is: 'change', ...expected })
})

test('a pair that is there is left alone, whoever runs and whatever a peer has', () => {
  const there = { ...at(state, checkpoint), ...unitIs('active') }
  const remark = `${state} and its checkpoint are there and were left as they are`
  for (const seeding of [undefined, taker(offer('b', true))]) {
    expect(planned(seeding, there)).toEqual({ is: 'same', remark })
  }
})

describe('refused', () => {
  const good = taker(offer('a', true))
  const gone: Offered = { is: 'refused', problem: { code: 'run.rail', message: 'not well', subject: 'cp1' } }
  const cases: readonly (readonly [string, Seeding | undefined, WorldSpec, RunBy, string, string])[] = [
    ['state alone', good, at(state), service, 'resource.half-pair', `found ${state} without ${checkpoint}`],
    ['checkpoint alone', good, at(checkpoint), service, 'resource.half-pair', `without ${state}`],
    [
      'a link',
      good,
      { paths: { [state]: file({ type: 'link', target: '/x' }) } },
      service,
      'resource.wrong-type',
      'link to /x',
    ],
    ['a unit that runs', good, unitIs('active'), service, 'resource.running', 'found p.service active'],
    [
      'a unit that starts again and again',
      good,
      unitIs('activating'),
      service,
      'resource.running',
      'activating',
    ],
    [
      'a pod with its manifest',
      good,
      { ...at(manifest), tests: answer(false) },
      pod,
      'resource.running',
      'no answer at',
    ],
    [
      'a pod that is still there',
      good,
      { tests: answer(true) },
      pod,
      'resource.running',
      `found an answer at ${live}`,
    ],
    ['a pod of which nobody knows', good, {}, pod, 'resource.running', `no question to ${live}`],
    ['no peer', undefined, {}, service, 'resource.seed', 'the play names none'],
    ['a peer that gives nothing', taker(gone), {}, service, 'run.rail', 'not well'],
    [
      'another identity',
      taker(offer('b', true)),
      {},
      service,
      'resource.identity',
      'found cfg1.b: id b there, a here',
    ],
    ['no configuration', good, { paths: { [config]: null } }, service, 'resource.identity', 'found nothing'],
    [
      'one that others write',
      good,
      { paths: { [config]: file({ content: known(new Digest('', false)) }) } },
      service,
      'resource.identity',
      'others than root',
    ],
  ]
  test.each(cases)('%s', (_, seeding, spec, runBy, code, message) => {
    const refusal = planned(seeding, spec, runBy)
    expect(refusal).toMatchObject({ is: 'refused', problem: { code } })
    expect(JSON.stringify(refusal)).toContain(message)
  })

  test.each([['inactive'], ['failed']] as const)('but not where the unit is %s', (active) => {
    expect(planned(good, unitIs(active))).toMatchObject({ is: 'change' })
  })

  test('but not where a pod is gone', () => {
    expect(planned(good, { tests: answer(false) }, pod)).toMatchObject({ is: 'change' })
  })
})
