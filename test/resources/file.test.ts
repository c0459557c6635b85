import { describe, expect, test } from 'vitest'
import { Digest, Secret } from '../../src/model/secret.ts'
import { UnknownText, type Text } from '../../src/model/text.ts'
import { known, unknown } from '../../src/model/value.ts'
import { contentOf } from '../../src/resources/file/content.ts'
import { fileResource } from '../../src/resources/file/file.ts'
import { directory, file, group, opNames, summary, take, user, worldFor, type Paths } from './world.ts'

const accounts = { users: { kms: user(998) }, groups: { kms: group(997) } }
const text = 'answer: 42\n'
const digest = Digest.of(Buffer.from(text))
const right = { uid: known(0), gid: known(997), mode: 0o640, size: text.length, content: known(digest) }
const context = { secretsOpened: true, once: <T>(_: string, make: () => T): T => make() }

function resource(content: Text | undefined, secretsOpened = true): ReturnType<typeof fileResource> {
  return fileResource({
    path: '/etc/kms.yaml',
    owner: 'root',
    group: 'kms',
    mode: 0o640,
    content: content === undefined ? undefined : contentOf(content, { ...context, secretsOpened }),
  })
}

function plan(content: Text | undefined, state: Paths, opened = true): unknown {
  const wanted = resource(content, opened)
  const planned = wanted.plan(worldFor({ ...accounts, paths: state }, wanted))
  return [summary(planned), opNames(planned)]
}

const at = '/etc/kms.yaml'
const secret = new Secret('kms_pin', Buffer.from('hunter2'))
const origin = { after: 'group:kms', field: 'gid' }
const was = Digest.of(Buffer.from('old'))

test.each<[what: string, content: Text | undefined, state: Paths, summary: unknown, ops: readonly string[]]>([
  [
    'new',
    text,
    {},
    [
      'state: absent → file',
      `content: absent → ${String(digest)}`,
      'owner: absent → root',
      'group: absent → kms',
      'mode: absent → 0640',
    ],
    ['file-put'],
  ],
  ['right', text, { [at]: file(right) }, 'same', []],
  [
    'other content of the same size',
    text,
    { [at]: file({ ...right, content: known(was) }) },
    [`content: ${String(was)} → ${String(digest)}`],
    ['file-put'],
  ],
  [
    'too large to be hashed',
    text,
    { [at]: file({ uid: known(0), gid: known(997), mode: 0o640, size: 1e9 }) },
    [`content: 1000000000 bytes → ${String(digest)}`],
    ['file-put'],
  ],
  [
    'unreadable content',
    text,
    { [at]: file({ ...right, content: { known: false, unreadable: 'timed out' } }) },
    [`content: unreadable (timed out) → ${String(digest)}`],
    ['file-put'],
  ],
  ['wider mode', text, { [at]: file({ ...right, mode: 0o644 }) }, ['mode: 0644 → 0640'], ['file-set']],
  ['setuid bit', text, { [at]: file({ ...right, mode: 0o4640 }) }, ['mode: 4640 → 0640'], ['file-set']],
  ['extra ACL', text, { [at]: file({ ...right, acl: 'present' }) }, ['acl: present → none'], ['file-set']],
  [
    'was writable by the group',
    text,
    { [at]: file({ ...right, mode: 0o660 }) },
    ['mode: 0660 → 0640'],
    ['file-put'],
  ],
  [
    'was writable by all',
    text,
    { [at]: file({ ...right, mode: 0o642 }) },
    ['mode: 0642 → 0640'],
    ['file-put'],
  ],
  [
    'was owned by a service',
    text,
    { [at]: file({ ...right, uid: known(998) }) },
    ['owner: kms → root'],
    ['file-put'],
  ],
  [
    'has another name',
    text,
    { [at]: file({ ...right, mode: 0o644, links: 2 }) },
    ['mode: 0644 → 0640'],
    ['file-put'],
  ],
  [
    'lies in a contested directory',
    text,
    { '/etc': directory({ uid: known(998) }), [at]: file({ ...right, mode: 0o644 }) },
    ['mode: 0644 → 0640'],
    ['file-put'],
  ],
  [
    'a directory in the way',
    text,
    { [at]: directory() },
    'refused: expected /etc/kms.yaml to be a regular file, found a directory',
    [],
  ],
  [
    'not ours and missing',
    undefined,
    {},
    'refused: expected a regular file at /etc/kms.yaml, found nothing',
    [],
  ],
  [
    'not ours, wider mode',
    undefined,
    { [at]: file({ ...right, mode: 0o644 }) },
    ['mode: 0644 → 0640'],
    ['file-set'],
  ],
  [
    'not ours, was writable',
    undefined,
    { [at]: file({ ...right, uid: known(998) }) },
    'refused: expected /etc/kms.yaml to have had no other writers, found that uid 998 could write it and may hold it open still',
    [],
  ],
  [
    "not ours, was writable by root's group, of which others may be",
    undefined,
    { [at]: file({ ...right, gid: known(0), mode: 0o660 }) },
    'refused: expected /etc/kms.yaml to have had no other writers, found that gid 0 could write it and may hold it open still',
    [],
  ],
  [
    "the same content, was writable by root's group",
    text,
    { [at]: file({ ...right, gid: known(0), mode: 0o660 }) },
    ['group: root → kms', 'mode: 0660 → 0640'],
    ['file-put'],
  ],
  [
    'not ours, has another name',
    undefined,
    { [at]: file({ ...right, mode: 0o600, links: 2 }) },
    'refused: expected /etc/kms.yaml to be the only name of its file, found 2 names',
    [],
  ],
  [
    'read-only',
    text,
    { [at]: file({ ...right, mode: 0o600, readOnlyMount: true }) },
    'refused: expected /etc/kms.yaml to be writable, found its file system mounted read-only',
    [],
  ],
  [
    'immutable',
    text,
    { [at]: file({ ...right, mode: 0o600, immutable: true }) },
    'refused: expected /etc/kms.yaml to be changeable, found the immutable or append-only attribute on /etc/kms.yaml',
    [],
  ],
  [
    'a secret, other content',
    secret,
    { [at]: file({ ...right, content: known(was) }) },
    ['content: (secret) → changed (secret)'],
    ['file-put'],
  ],
  [
    'text that is known later',
    new UnknownText([origin]),
    { [at]: file(right) },
    [`content: ${String(digest)} → (known after group:kms gid)`],
    [],
  ],
])('%s', (_, content, state, expected, ops) => {
  expect(plan(content, state)).toEqual([expected, ops])
})

describe('a secret whose source is not opened', () => {
  test('is named where the file is missing', () => {
    expect(plan(secret, {}, false)).toEqual([
      [
        'state: absent → file',
        'content: absent → secret kms_pin',
        'owner: absent → root',
        'group: absent → kms',
        'mode: absent → 0640',
      ],
      [],
    ])
  })
  test('is not compared, but owner and mode are', () => {
    expect(plan(secret, { [at]: file({ ...right, content: known(was) }) }, false)).toEqual(['same', []])
    expect(plan(secret, { [at]: file({ ...right, mode: 0o644 }) }, false)).toEqual([
      ['mode: 0644 → 0640'],
      ['file-set'],
    ])
  })
})

test('an empty secret is never written', () => {
  expect(() => contentOf(new Secret('empty', new Uint8Array()), context)).toThrow(/expected the secret empty/)
})

test('the put operation carries guard, staging place, owner and payload', () => {
  const wanted = resource(text)
  const planned = wanted.plan(worldFor({ ...accounts, paths: { [at]: file({ uid: known(998) }) } }, wanted))
  expect(planned).toMatchObject({
    ops: [
      {
        op: 'file-put',
        parent: { path: '/etc', inode: '1:i/etc', anchor: '/' },
        name: 'kms.yaml',
        expect: { token: `row ${at}` },
        to: { owner: 'root', group: 'kms', mode: 0o640 },
        payload: { bytes: Buffer.from(text), secret: false },
      },
    ],
  })
})

test('old text is shown only where all could read it and the new one is no secret', () => {
  const old = file({ ...right, mode: 0o644, content: known(was), text: 'old' })
  const differing = (content: Text, state: typeof old): unknown => {
    const wanted = resource(content)
    const planned = wanted.plan(worldFor({ ...accounts, paths: { [at]: state } }, wanted))
    return 'differences' in planned ? planned.differences.map((one) => one.text) : []
  }
  expect(differing(text, old)).toEqual([{ from: 'old', to: text }, undefined])
  expect(differing(text, { ...old, mode: 0o640 })).toEqual([undefined])
  expect(differing(secret, old)).toEqual([undefined, undefined])
})

test('a plan about a secret holds it nowhere but in the payload', () => {
  const wanted = resource(secret)
  const planned = wanted.plan(worldFor(accounts, wanted))
  const shown = JSON.stringify(planned, (key, value: unknown) => (key === 'bytes' ? undefined : value))
  expect(shown).not.toContain('hunter2')
  expect(shown).not.toContain(Digest.of(Buffer.from('hunter2')).reveal())
  expect(wanted.atoms).toContainEqual({
    atom: 'path',
    path: at,
    labelOf: 'file',
    digestUpTo: 65536,
    sealed: true,
  })
})

test('unknown text is provisional once, then predicted', () => {
  const wanted = resource(new UnknownText([origin]))
  const world = worldFor(accounts, wanted)
  const planned = take(world, wanted)
  expect(planned).toMatchObject({ is: 'change', provisional: true, ops: [] })
  expect(world.path(at)).toMatchObject({ state: { content: unknown(origin) } })
  expect(wanted.plan(world)).toEqual({ is: 'same' })
})

test('a destination that a package owns is refused, whatever its content', () => {
  const wanted = fileResource({
    path: '/usr/bin/kms',
    owner: 'root',
    group: 'root',
    mode: 0o755,
    content: contentOf(text, context),
    unpackaged: true,
  })
  const paths = { '/usr/bin/kms': file({ ...right, gid: known(0), mode: 0o755, package: 'kms-provider' }) }
  expect(summary(wanted.plan(worldFor({ paths }, wanted)))).toBe(
    'refused: expected /usr/bin/kms to belong to no package, found that kms-provider owns it',
  )
  expect(wanted.atoms[0]).toMatchObject({ atom: 'path', package: true })
})
