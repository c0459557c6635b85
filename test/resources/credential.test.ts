import { describe, expect, test } from 'vitest'
import type { PathState } from '../../src/model/facts.ts'
import { Digest, Secret } from '../../src/model/secret.ts'
import { known } from '../../src/model/value.ts'
import { credentialResource } from '../../src/resources/credential/credential.ts'
import { contentOf } from '../../src/resources/file/content.ts'
import { directory, file, group, opNames, planAll, summary, user, worldFor } from './world.ts'

const path = '/var/lib/kms/identity.jwt'
const secret = new Secret('identity_jwt', Buffer.from('token-2'))
const day = 86_400
const now = 1_800_000_000

interface Asked {
  readonly seed?: true
  readonly opened?: boolean
  readonly expires?: number
  readonly content?: null
  readonly kind?: 'opaque'
}

function wanted({
  seed,
  opened = true,
  expires = now + 10 * day,
  content,
  kind,
}: Asked): ReturnType<typeof credentialResource> {
  const context = { secretsOpened: opened, once: <T>(_: string, make: () => T): T => make() }
  return credentialResource({
    path,
    owner: 'root',
    group: 'kms',
    mode: 0o640,
    content: content === null ? undefined : contentOf(secret, context),
    publicPart: kind === 'opaque' ? undefined : 'claims',
    keptUntil: seed ? now + day : undefined,
    expires: opened && content !== null && kind === undefined ? expires : undefined,
  })
}

const spec = { users: { kms: user(998) }, groups: { kms: group(997) } }
const folder = { '/var/lib/kms': directory({ uid: known(998), gid: known(997), mode: 0o750 }) }
const old = file({
  uid: known(0),
  gid: known(997),
  mode: 0o640,
  size: 7,
  content: known(Digest.of(Buffer.from('token-1'), true)),
})
const same = { ...old, content: known(Digest.of(Buffer.from('token-2'), true)) }

function plan(asked: Asked, state: PathState | null): unknown {
  const resource = wanted(asked)
  const planned = resource.plan(worldFor({ ...spec, paths: { ...folder, [path]: state } }, resource))
  return [summary(planned), opNames(planned)]
}

const written = [
  ['content: (secret) → changed (secret)', 'expires: 2027-01-20T08:00:00Z → 2027-01-25T08:00:00Z'],
  ['file-put'],
]
const renewal = [
  'content: (secret) → changed (secret)',
  'expires: 2027-01-15T08:01:40Z → 2027-01-25T08:00:00Z',
]
const anew = [
  'state: absent → file',
  'content: absent → (secret)',
  'owner: absent → root',
  'group: absent → kms',
  'mode: absent → 0640',
]

test.each<[what: string, asked: Asked, state: PathState | null, plan: unknown]>([
  ['managed, absent', {}, null, [anew, ['file-put']]],
  ['managed, right', {}, { ...same, expires: now + 10 * day }, ['same', []]],
  ['managed, an earlier one there', {}, { ...old, expires: now + 5 * day }, written],
  ['managed, one that says nothing there', {}, old, [['content: (secret) → changed (secret)'], ['file-put']]],
  [
    'managed, a later one there',
    {},
    { ...old, expires: now + 11 * day },
    [
      'refused: expected /var/lib/kms/identity.jwt to expire no later than 2027-01-25T08:00:00Z, found a credential that is valid until 2027-01-26T08:00:00Z',
      [],
    ],
  ],
  ['managed, not opened', { opened: false }, { ...old, mode: 0o644 }, [['mode: 0644 → 0640'], ['file-set']]],
  ['seed, absent', { seed: true }, null, [anew, ['file-put']]],
  ['seed, another that is good', { seed: true }, { ...old, expires: now + 2 * day }, ['same', []]],
  [
    'seed, another with a wrong mode',
    { seed: true },
    { ...old, mode: 0o644, expires: now + 2 * day },
    [['mode: 0644 → 0640'], ['file-set']],
  ],
  ['seed, one that expires soon', { seed: true }, { ...old, expires: now + 100 }, [renewal, ['file-put']]],
  ['seed, one that is none', { seed: true }, old, [['content: (secret) → changed (secret)'], ['file-put']]],
  [
    'seed, one that its owner may have put there',
    { seed: true },
    { ...old, uid: known(998) },
    [['content: (secret) → changed (secret)', 'owner: kms → root'], ['file-put']],
  ],
  ['seed, not opened, good', { seed: true, opened: false }, { ...old, expires: now + 2 * day }, ['same', []]],
  [
    'seed, not opened, expires soon',
    { seed: true, opened: false },
    { ...old, expires: now + 100 },
    [['content: expires 2027-01-15T08:01:40Z → secret identity_jwt'], []],
  ],
  ['seed of what never expires', { seed: true, kind: 'opaque' }, old, ['same', []]],
  ['external', { content: null }, old, ['same', []]],
  ['external, absent', { content: null }, null, [expect.stringContaining('found nothing'), []]],
])('%s', (_, asked, state, expected) => {
  expect(plan(asked, state)).toEqual(expected)
})

describe('what is asked of the host', () => {
  const asks = (asked: Asked): boolean =>
    wanted(asked).atoms.some((atom) => atom.atom === 'path' && atom.publicPart !== undefined)

  test.each<[Asked, boolean]>([
    [{}, true],
    [{ opened: false }, false],
    [{ seed: true, opened: false }, true],
    [{ kind: 'opaque' }, false],
    [{ content: null }, false],
  ])('%j: its expiry %s', (asked, expected) => {
    expect(asks(asked)).toBe(expected)
  })

  test('a run that opens no source says that the content was not compared, except of a seed', () => {
    expect(wanted({ opened: false }).notCompared).toBe(path)
    expect(wanted({ opened: false, seed: true }).notCompared).toBeUndefined()
  })
})

test('a later play knows when what an earlier one writes expires', () => {
  const plans = planAll({ ...spec, paths: folder }, wanted({ seed: true }), wanted({ seed: true }))
  expect(plans.map(({ is }) => is)).toEqual(['change', 'same'])
})
