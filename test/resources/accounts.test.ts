import { expect, test } from 'vitest'
import { known, unknown } from '../../src/model/value.ts'
import { groupResource } from '../../src/resources/group/group.ts'
import { absentGroupResource } from '../../src/resources/group/absent.ts'
import { membershipResource } from '../../src/resources/group/membership.ts'
import { absentUserResource } from '../../src/resources/user/absent.ts'
import { userResource } from '../../src/resources/user/user.ts'
import { group, opNames, planAll, summary, user, worldFor, type WorldSpec } from './world.ts'

test.each<[what: string, gid: number | undefined, spec: WorldSpec, expected: unknown]>([
  ['new', undefined, {}, ['state: absent → group', 'gid: absent → (known after group:kms gid)']],
  ['new and pinned', 900, {}, ['state: absent → group', 'gid: absent → 900']],
  ['there', undefined, { groups: { kms: group(5) } }, 'same'],
  ['there and pinned', 5, { groups: { kms: group(5) } }, 'same'],
  [
    'pinned to another gid',
    900,
    { groups: { kms: group(5) } },
    'refused: expected the group kms to have gid 900, found 5',
  ],
  [
    'pinned to a taken gid',
    900,
    { groups: { other: group(900) } },
    'refused: expected gid 900 to belong to kms alone, found that other has it',
  ],
  [
    'two names on its gid',
    undefined,
    { groups: { kms: group(5), other: group(5) } },
    'refused: expected gid 5 to belong to kms alone, found that other has it',
  ],
  [
    'known to the name service only',
    undefined,
    { groups: { kms: group(5, { source: 'nss' }) } },
    "refused: expected kms to be a local group or none, found it in the host's name service only",
  ],
  [
    'new, with busybox alone',
    undefined,
    { host: { tools: new Set(['busybox', 'addgroup']) } },
    ['state: absent → group', 'gid: absent → (known after group:kms gid)'],
  ],
  [
    'no tool to make it with',
    undefined,
    { host: { tools: new Set(['addgroup']) } },
    "refused: expected groupadd, systemd-sysusers or busybox's addgroup on the host, found none",
  ],
])('group: %s', (_, gid, spec, expected) => {
  const wanted = groupResource({ name: 'kms', gid, system: true })
  expect(summary(wanted.plan(worldFor(spec, wanted)))).toEqual(expected)
})

const members = (names: readonly string[], exact: boolean): ReturnType<typeof membershipResource> =>
  membershipResource({ group: 'sock', members: names, exact })
const people = { users: { api: user(1), kms: user(2), eve: user(3) } }

test.each<
  [what: string, names: readonly string[], exact: boolean, spec: WorldSpec, expected: unknown, op: unknown]
>([
  [
    'additive, one missing',
    ['api'],
    false,
    { groups: { sock: group(9, { members: ['eve'] }) } },
    ['members: eve → api, eve'],
    { add: ['api'], remove: [] },
  ],
  [
    'additive, all there',
    ['api'],
    false,
    { groups: { sock: group(9, { members: ['eve', 'api'] }) } },
    'same',
    undefined,
  ],
  [
    'exact, one too many',
    ['api'],
    true,
    { groups: { sock: group(9, { members: ['eve', 'api'] }) } },
    ['members: api, eve → api'],
    { add: [], remove: ['eve'] },
  ],
  [
    'exact and empty',
    [],
    true,
    { groups: { sock: group(9, { members: ['eve'] }) } },
    ['members: eve → none'],
    { add: [], remove: ['eve'] },
  ],
  [
    'a primary group counts',
    ['kms'],
    true,
    { groups: { sock: group(9, { primaryOf: ['kms'] }) } },
    'same',
    undefined,
  ],
  [
    'a primary group cannot be left',
    ['api'],
    true,
    { groups: { sock: group(9, { primaryOf: ['kms'] }) } },
    'refused: expected kms not to belong to the group sock, found it as the primary group of kms',
    undefined,
  ],
  [
    'no such group',
    ['api'],
    false,
    {},
    'refused: expected the group sock to exist, found no such group',
    undefined,
  ],
  [
    'no such member',
    ['bob'],
    false,
    { groups: { sock: group(9) } },
    'refused: expected the user bob to exist, found no such user',
    undefined,
  ],
])('members: %s', (_, names, exact, spec, expected, op) => {
  const wanted = members(names, exact)
  const planned = wanted.plan(worldFor({ ...people, ...spec }, wanted))
  expect(summary(planned)).toEqual(expected)
  if (op !== undefined) expect(planned).toMatchObject({ ops: [{ op: 'group-members', name: 'sock', ...op }] })
})

const account = (
  desired: Partial<Parameters<typeof userResource>[0]> = {},
): ReturnType<typeof userResource> =>
  userResource({
    name: 'kms',
    group: 'kms',
    gecos: '',
    home: '/',
    shell: '/usr/sbin/nologin',
    system: true,
    ...desired,
  })
const own = { groups: { kms: group(2) } }

test.each<[what: string, wanted: ReturnType<typeof userResource>, spec: WorldSpec, expected: unknown]>([
  ['right', account(), { ...own, users: { kms: user(2) } }, 'same'],
  [
    'new',
    account({ gecos: 'KMS' }),
    own,
    [
      'state: absent → user',
      'uid: absent → (known after user:kms uid)',
      'group: absent → kms',
      'gecos: absent → KMS',
      'home: absent → /',
      'shell: absent → /usr/sbin/nologin',
      'password: absent → locked',
    ],
  ],
  [
    'a shell and a password',
    account(),
    { ...own, users: { kms: user(2, { shell: '/bin/sh', password: 'set' }) } },
    ['shell: /bin/sh → /usr/sbin/nologin', 'password: set → locked'],
  ],
  [
    'a password that cannot be seen',
    account(),
    { ...own, users: { kms: user(2, { password: 'unknown' }) } },
    'same',
  ],
  ['no primary group', account(), {}, 'refused: expected the group kms to exist, found no such group'],
  [
    'another primary group',
    account(),
    { ...own, users: { kms: user(2, { gid: known(7) }) } },
    'refused: expected the primary group of kms to be kms, found gid 7',
  ],
  [
    'pinned to another uid',
    account({ uid: 900 }),
    { ...own, users: { kms: user(2) } },
    'refused: expected the user kms to have uid 900, found 2',
  ],
  [
    'pinned to a taken uid',
    account({ uid: 900 }),
    { ...own, users: { other: user(900) } },
    'refused: expected uid 900 to belong to kms alone, found that other has it',
  ],
  [
    'another root',
    account(),
    { ...own, users: { kms: user(0, { gid: known(2) }) } },
    'refused: expected uid 0 to belong to kms alone, found that root has it',
  ],
  [
    'known to the name service only',
    account(),
    { ...own, users: { kms: user(2, { source: 'nss' }) } },
    "refused: expected kms to be a local user or none, found it in the host's name service only",
  ],
  [
    'another home, with busybox alone',
    account({ home: '/srv' }),
    { ...own, users: { kms: user(2) }, host: { tools: new Set(['adduser']) } },
    'refused: expected usermod on the host to change the home of kms, found none',
  ],
  [
    'a password, with busybox alone',
    account(),
    { ...own, users: { kms: user(2, { password: 'set' }) }, host: { tools: new Set(['adduser']) } },
    ['password: set → locked'],
  ],
  [
    'no tool to make it with',
    account(),
    { ...own, host: { tools: new Set(['groupadd', 'adduser']) } },
    "refused: expected useradd, systemd-sysusers or busybox's adduser on the host, found none",
  ],
])('user: %s', (_, wanted, spec, expected) => {
  expect(summary(wanted.plan(worldFor(spec, wanted)))).toEqual(expected)
})

test('only what differs of a user is set', () => {
  const wanted = account()
  const planned = wanted.plan(worldFor({ ...own, users: { kms: user(2, { shell: '/bin/sh' }) } }, wanted))
  expect(planned).toMatchObject({ ops: [{ op: 'user-set', name: 'kms', shell: '/usr/sbin/nologin' }] })
  expect('ops' in planned ? planned.ops[0] : {}).not.toHaveProperty('home')
})

test('a bare host gets group, user and membership in one plan', () => {
  const planned = planAll(
    {},
    groupResource({ name: 'kms', system: true }),
    groupResource({ name: 'sock', system: true }),
    account(),
    members(['kms'], true),
    membershipResource({ group: 'kms', members: ['kms'], exact: true }),
  )
  expect(planned.map(opNames)).toEqual([['group-add'], ['group-add'], ['user-add'], ['group-members'], []])
  expect(planned[2]).toMatchObject({
    effects: [
      { set: 'user', fact: { state: { gid: unknown({ after: 'group:kms', field: 'gid' }) } } },
      { set: 'group', key: 'kms', fact: { state: { primaryOf: ['kms'] } } },
    ],
  })
})

const made = {
  name: 'kms',
  group: 'kms',
  gecos: 'KMS',
  home: '/var/lib/kms',
  shell: '/bin/false',
  system: true,
}
const there = { gecos: 'KMS', home: '/var/lib/kms', shell: '/bin/false' }
const removers: WorldSpec = { host: { tools: new Set(['userdel', 'groupdel']) } }
const both = (
  uid: number,
  state: Parameters<typeof user>[1] = {},
  kms = group(7, { primaryOf: ['kms'] }),
): WorldSpec => ({
  ...removers,
  users: { kms: user(uid, { ...there, gid: known(7), ...state }) },
  groups: { kms },
})
const other = (found: string): string =>
  `refused: expected the user kms to be the one that was made, found ${found}`

test.each<[what: string, pinned: number | undefined, spec: WorldSpec, expected: unknown]>([
  ['absent', undefined, {}, 'same'],
  ['as it was made', undefined, both(999), ['state: user → absent', 'group: kms → absent']],
  ['of a pinned number', 5000, both(5000), ['state: user → absent', 'group: kms → absent']],
  [
    'in a group with others',
    undefined,
    both(9, {}, group(7, { primaryOf: ['kms', 'x'] })),
    ['state: user → absent'],
  ],
  [
    'in another group than its name',
    undefined,
    both(9, {}, group(8)),
    other('another primary group than kms'),
  ],
  ["a person's number", undefined, both(1000), other('uid 1000')],
  ["root's number", undefined, both(0), other('uid 0')],
  ['of another number than was pinned', 9, both(8), other('uid 8')],
  ['another home', undefined, both(9, { home: '/home/kms' }), other('the home /home/kms')],
  ['another purpose', undefined, both(9, { gecos: 'Kim' }), other('the gecos "Kim"')],
  ['a login shell', undefined, both(9, { shell: '/bin/sh' }), other('the shell /bin/sh')],
  ['a password', undefined, both(9, { password: 'set' }), other('its password set')],
  [
    'of the name service',
    undefined,
    both(9, { source: 'nss' }),
    "refused: expected kms to be a local user or none, found it in the host's name service only",
  ],
  [
    'no tool',
    undefined,
    { ...both(9), host: {} },
    'refused: expected userdel or deluser on the host, found neither',
  ],
])('user that shall go, %s', (_, uid, spec, expected) => {
  const wanted = absentUserResource({ ...made, uid })
  expect(summary(wanted.plan(worldFor(spec, wanted)))).toEqual(expected)
})

test.each<[what: string, pinned: number | undefined, spec: WorldSpec, expected: unknown]>([
  ['absent', undefined, {}, 'same'],
  [
    'with members',
    undefined,
    { ...removers, groups: { sock: group(9, { members: ['a', 'b'] }) } },
    ['state: group → absent', 'members: a, b → none'],
  ],
  ['of a pinned number', 5000, { ...removers, groups: { sock: group(5000) } }, ['state: group → absent']],
  [
    "a person's number",
    undefined,
    { ...removers, groups: { sock: group(1000) } },
    'refused: expected the group sock to be the one that was made, found gid 1000',
  ],
  [
    "somebody's primary one",
    undefined,
    { ...removers, groups: { sock: group(9, { primaryOf: ['a'] }) } },
    'refused: expected the group sock to be the one that was made, found that it is the primary group of a',
  ],
  [
    'no tool',
    undefined,
    { host: {}, groups: { sock: group(9) } },
    'refused: expected groupdel or delgroup on the host, found neither',
  ],
])('group that shall go, %s', (_, gid, spec, expected) => {
  const wanted = absentGroupResource({ name: 'sock', gid, system: true })
  expect(summary(wanted.plan(worldFor(spec, wanted)))).toEqual(expected)
})

test('a user that goes leaves its groups, and the group of its name goes with it', () => {
  const spec: WorldSpec = {
    ...both(9),
    groups: { kms: group(7, { primaryOf: ['kms'] }), sock: group(8, { members: ['kms'] }) },
  }
  const planned = planAll(
    spec,
    absentUserResource(made),
    absentGroupResource({ name: 'kms', system: true }),
    absentGroupResource({ name: 'sock', system: true }),
  )
  expect(planned.map(opNames)).toEqual([['user-remove', 'group-remove'], [], ['group-remove']])
  expect(planned.slice(1).map(summary)).toEqual(['same', ['state: group → absent']])
})
