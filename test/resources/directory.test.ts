import { expect, test } from 'vitest'
import { known } from '../../src/model/value.ts'
import { directoryResource } from '../../src/resources/directory/directory.ts'
import { userResource } from '../../src/resources/user/user.ts'
import { groupResource } from '../../src/resources/group/group.ts'
import {
  directory,
  file,
  group,
  link,
  planAll,
  summary,
  user,
  worldFor,
  type Paths,
  type WorldSpec,
} from './world.ts'

const wanted = directoryResource({ path: '/var/lib/kms', owner: 'kms', group: 'kms', mode: 0o2750 })
const accounts = { users: { kms: user(998) }, groups: { kms: group(997) } }
const right = { uid: known(998), gid: known(997), mode: 0o2750 }

function on(paths: Paths, more: WorldSpec = {}): ReturnType<typeof summary> {
  return summary(wanted.plan(worldFor({ ...accounts, ...more, paths }, wanted)))
}

test('a missing directory is planned with every attribute', () => {
  expect(on({})).toEqual([
    'state: absent → directory',
    'owner: absent → kms',
    'group: absent → kms',
    'mode: absent → 2750',
  ])
})

test('the plan of a wrong one is exact, down to the guard', () => {
  const planned = wanted.plan(
    worldFor({ ...accounts, paths: { '/var/lib/kms': directory({ mode: 0o6777, acl: 'present' }) } }, wanted),
  )
  expect(planned).toEqual({
    is: 'change',
    differences: [
      { attribute: 'owner', from: known('root'), to: known('kms') },
      { attribute: 'group', from: known('root'), to: known('kms') },
      { attribute: 'mode', from: known('6777'), to: known('2750') },
      { attribute: 'acl', from: known('present'), to: known('none') },
    ],
    ops: [
      {
        op: 'directory-set',
        path: '/var/lib/kms',
        expect: { token: 'row /var/lib/kms' },
        to: { owner: 'kms', group: 'kms', mode: 0o2750 },
        between: 0o2750,
        stripAcl: true,
      },
    ],
    effects: [
      {
        set: 'path',
        key: '/var/lib/kms',
        fact: {
          is: 'present',
          state: directory({ ...right, acl: 'none', aclEntries: [], aclWhole: [], inode: 'i/var/lib/kms' }),
        },
      },
    ],
    disruptive: false,
    provisional: false,
  })
})

test.each<[what: string, paths: Paths, expected: string | readonly string[]]>([
  ['right', { '/var/lib/kms': directory(right) }, 'same'],
  ['an unknown ACL is no difference', { '/var/lib/kms': directory({ ...right, acl: 'unknown' }) }, 'same'],
  ['a lost setgid bit', { '/var/lib/kms': directory({ ...right, mode: 0o750 }) }, ['mode: 0750 → 2750']],
  ['a sticky bit too many', { '/var/lib/kms': directory({ ...right, mode: 0o3750 }) }, ['mode: 3750 → 2750']],
  [
    'entries of an ACL',
    { '/var/lib/kms': directory({ ...right, acl: 'present', aclEntries: ['user:7:r-x'] }) },
    ['acl: user:7:r-x → none'],
  ],
  [
    'an owner without a name',
    { '/var/lib/kms': directory({ ...right, uid: known(77) }) },
    ['owner: 77 → kms'],
  ],
  [
    'a file in the way',
    { '/var/lib/kms': file() },
    'refused: expected /var/lib/kms to be a directory, found a regular file',
  ],
  [
    'a link in the way',
    { '/var/lib/kms': link('/etc') },
    'refused: expected /var/lib/kms to be a directory, found a symbolic link to /etc',
  ],
  [
    'a link on the way',
    { '/var/lib': link('/data'), '/var/lib/kms': directory(right) },
    'refused: expected /var/lib to be a real directory, found a symbolic link to /data',
  ],
  [
    'no parent',
    { '/var/lib': null },
    'refused: expected the directory /var/lib to exist, found nothing there',
  ],
  [
    'a read-only mount',
    { '/var/lib/kms': directory({ readOnlyMount: true }) },
    'refused: expected /var/lib/kms to be writable, found its file system mounted read-only',
  ],
  ['right on a read-only mount', { '/var/lib/kms': directory({ ...right, readOnlyMount: true }) }, 'same'],
  [
    'immutable',
    { '/var/lib/kms': directory({ immutable: true }) },
    'refused: expected /var/lib/kms to be changeable, found the immutable or append-only attribute on /var/lib/kms',
  ],
  [
    'an immutable parent',
    { '/var/lib': directory({ immutable: true }) },
    'refused: expected /var/lib/kms to be changeable, found the immutable or append-only attribute on its directory',
  ],
])('%s', (_, paths, expected) => {
  expect(on(paths)).toEqual(expected)
})

test('an account that nobody makes is refused', () => {
  expect(on({}, { users: {} })).toBe('refused: expected the user kms to exist, found no such user')
})

test('accounts and parents made earlier in the run satisfy', () => {
  const parent = directoryResource({ path: '/srv', owner: 'root', group: 'root', mode: 0o755 })
  const child = directoryResource({ path: '/srv/kms', owner: 'kms', group: 'kms', mode: 0o750 })
  const planned = planAll(
    {},
    groupResource({ name: 'kms', system: true }),
    userResource({ name: 'kms', group: 'kms', gecos: '', home: '/', shell: '/bin/false', system: true }),
    parent,
    child,
  )
  expect(planned.map(({ is }) => is)).toEqual(['change', 'change', 'change', 'change'])
  expect(planned[3]).toMatchObject({
    ops: [{ op: 'directory-make', parent: { path: '/srv', anchor: '/' }, name: 'kms' }],
  })
  // The parent does not exist yet, so there is no inode to pin it by.
  expect(planned[3]).not.toHaveProperty('ops.0.parent.inode')
})

test('default ACL entries of the parent are stripped from what is made in it', () => {
  const planned = wanted.plan(
    worldFor({ ...accounts, paths: { '/var/lib': directory({ acl: 'present' }) } }, wanted),
  )
  expect(planned).toMatchObject({
    ops: [
      { op: 'directory-make' },
      { op: 'directory-set', path: '/var/lib/kms', expect: { madeHere: true }, stripAcl: true },
    ],
  })
})
