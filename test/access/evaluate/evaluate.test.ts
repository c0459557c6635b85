import { expect, test } from 'vitest'
import { evaluate } from '../../../src/access/evaluate/evaluate.ts'
import { evaluateSignal } from '../../../src/access/evaluate/signal.ts'
import type { ActingIdentity, Action } from '../../../src/model/access.ts'
import type { Fact, PathState } from '../../../src/model/facts.ts'
import { unknown } from '../../../src/model/value.ts'
import { acl, identity, kms, kmsGroup, kube, names, root, row, rowsOf, socketGroup } from './rows.ts'

const run = '/run/kms'
const socket = '/run/kms/kms.sock'
const shared: Readonly<Record<string, Fact<PathState>>> = {
  [run]: row('directory', kms, socketGroup, 0o2750),
  [socket]: row('socket', kms, socketGroup, 0o660),
}
const api = identity(kube, [socketGroup])
const provider = identity(kms, [socketGroup])
const rootUser = identity(root, [], [1, 2, 3, 5])

const file = (
  mode: number,
  more: Parameters<typeof row>[4] = {},
): Readonly<Record<string, Fact<PathState>>> => ({
  '/etc/f': row('file', kms, kmsGroup, mode, more),
})

type Case = readonly [
  what: string,
  who: ActingIdentity,
  action: Action,
  path: string,
  rows: Readonly<Record<string, Fact<PathState>>>,
  expected: 'granted' | 'denied' | 'missing' | 'unknown',
]

test.each<Case>([
  ['a member of its group connects', api, 'connect', socket, shared, 'granted'],
  ['a stranger does not get through the directory', identity(kube), 'connect', socket, shared, 'denied'],
  ['root without capabilities is a stranger', identity(root), 'connect', socket, shared, 'denied'],
  ['CAP_DAC_OVERRIDE connects', identity(70_000, [], [1]), 'connect', socket, shared, 'granted'],
  ['CAP_DAC_READ_SEARCH does not', identity(70_000, [], [2]), 'connect', socket, shared, 'denied'],
  [
    'a file is no socket',
    api,
    'connect',
    socket,
    { ...shared, [socket]: row('file', kms, socketGroup, 0o660) },
    'missing',
  ],
  [
    'a denied way hides what is missing',
    identity(kube),
    'read',
    `${run}/x`,
    { ...shared, [`${run}/x`]: { is: 'absent' } },
    'denied',
  ],
  ['nothing is there', api, 'read', `${run}/x`, { ...shared, [`${run}/x`]: { is: 'absent' } }, 'missing'],
  ['below a file there is nothing', api, 'read', `${socket}/x`, shared, 'missing'],
  ['nobody looked', api, 'read', `${run}/x`, shared, 'unknown'],
  ['a certain denial needs no more', identity(kube), 'read', `${run}/x`, shared, 'denied'],
  ['the group may not make a socket', api, 'create', run, shared, 'denied'],
  ['the owner may', provider, 'create', run, shared, 'granted'],
  [
    'a read-only mount stops root',
    rootUser,
    'create',
    '/run',
    { '/run': row('directory', root, root, 0o755, { readOnlyMount: true }) },
    'denied',
  ],
  ['the group may not replace it', api, 'replace', socket, shared, 'denied'],
  ['the owner of the directory may', provider, 'replace', socket, shared, 'granted'],
  ['a path that ends in .. is no entry', rootUser, 'replace', '/run/..', {}, 'unknown'],
  ['the root directory stays', rootUser, 'replace', '/', {}, 'denied'],
  [
    'in a sticky directory others may not',
    identity(kube),
    'replace',
    '/run/t/x',
    { '/run/t': row('directory', root, root, 0o1777), '/run/t/x': row('file', kms, kmsGroup, 0o666) },
    'denied',
  ],
  [
    'in a sticky directory the owner may',
    identity(kms),
    'replace',
    '/run/t/x',
    { '/run/t': row('directory', root, root, 0o1777), '/run/t/x': row('file', kms, kmsGroup, 0) },
    'granted',
  ],
  [
    'CAP_FOWNER passes the sticky rule',
    identity(kube, [], [3]),
    'replace',
    '/run/t/x',
    { '/run/t': row('directory', root, root, 0o1777), '/run/t/x': row('file', kms, kmsGroup, 0) },
    'granted',
  ],
  ['an immutable file stays', rootUser, 'replace', '/etc/f', file(0o600, { immutable: true }), 'denied'],
  ['the owner is judged by its own digit', identity(kms), 'read', '/etc/f', file(0o077), 'denied'],
  [
    'a member is judged by the group digit',
    identity(kube, [kmsGroup]),
    'read',
    '/etc/f',
    file(0o604),
    'denied',
  ],
  ['root reads what nobody may', rootUser, 'read', '/etc/f', file(0), 'granted'],
  ['CAP_DAC_READ_SEARCH reads', identity(kube, [], [2]), 'read', '/etc/f', file(0), 'granted'],
  ['CAP_DAC_READ_SEARCH does not write', identity(kube, [], [2]), 'write', '/etc/f', file(0), 'denied'],
  ['root does not execute what nobody may', rootUser, 'execute', '/etc/f', file(0o666), 'denied'],
  ['root executes what somebody may', rootUser, 'execute', '/etc/f', file(0o001), 'granted'],
  ['nobody executes a directory', rootUser, 'execute', '/etc', {}, 'denied'],
  [
    'root does not write to what is immutable',
    rootUser,
    'write',
    '/etc/f',
    file(0o644, { immutable: true }),
    'denied',
  ],
  ['root reads what is immutable', rootUser, 'read', '/etc/f', file(0o644, { immutable: true }), 'granted'],
  [
    'a socket on a read-only mount is connected to',
    api,
    'connect',
    socket,
    { ...shared, [socket]: row('socket', kms, socketGroup, 0o660, { readOnlyMount: true }) },
    'granted',
  ],
  ['search enters a directory', api, 'traverse', run, shared, 'granted'],
  ['a file is not entered', api, 'traverse', '/etc/f', file(0o777), 'missing'],
  // ACLs
  [
    'an entry gives',
    identity(kube),
    'read',
    '/etc/f',
    file(0o640, acl('user::rw-', 'user:991:r--', 'group::---', 'mask::r--', 'other::---')),
    'granted',
  ],
  [
    'an entry takes from a member',
    identity(kube, [kmsGroup]),
    'read',
    '/etc/f',
    file(0o640, acl('user::rw-', 'user:991:---', 'group::r--', 'mask::r--', 'other::---')),
    'denied',
  ],
  [
    'the mask cuts an entry',
    identity(kube),
    'write',
    '/etc/f',
    file(0o640, acl('user::rw-', 'user:991:rw-', 'group::---', 'mask::r--', 'other::---')),
    'denied',
  ],
  [
    'the group digit is the mask, not the group',
    identity(5, [kmsGroup]),
    'read',
    '/etc/f',
    file(0o640, acl('user::rw-', 'user:991:r--', 'group::---', 'mask::r--', 'other::---')),
    'denied',
  ],
  [
    'with an empty mask the kernel goes by the mode',
    identity(kube),
    'read',
    '/etc/f',
    file(0o604, acl('user::rw-', 'user:991:---', 'group::r--', 'mask::---', 'other::r--')),
    'granted',
  ],
  [
    'a group entry gives',
    identity(5, [7]),
    'read',
    '/etc/f',
    file(0o640, acl('user::rw-', 'group::---', 'group:7:r--', 'mask::r--', 'other::---')),
    'granted',
  ],
  [
    'two group entries do not add up',
    identity(5, [7, kmsGroup]),
    'create',
    '/run/d',
    {
      '/run/d': row(
        'directory',
        root,
        kmsGroup,
        0o770,
        acl('user::rwx', 'group::-w-', 'group:7:--x', 'mask::rwx', 'other::---'),
      ),
    },
    'denied',
  ],
  [
    'others do not count for a member',
    identity(5, [7]),
    'read',
    '/etc/f',
    file(0o644, acl('user::rw-', 'group::---', 'group:7:---', 'mask::r--', 'other::r--')),
    'denied',
  ],
  [
    'a default entry gives nothing here',
    identity(kube),
    'read',
    '/etc/f',
    file(0o640, acl('user::rw-', 'group::r--', 'other::---', 'default:user:991:rwx', 'default:mask::rwx')),
    'denied',
  ],
  ['an ACL that nobody showed', identity(kube), 'read', '/etc/f', file(0o640, { acl: 'present' }), 'unknown'],
  ['an ACL that there may be', identity(kube), 'read', '/etc/f', file(0o640, { acl: 'unknown' }), 'unknown'],
  [
    'an ACL with a line of no known form',
    identity(kube),
    'read',
    '/etc/f',
    file(0o640, acl('user:991:rwx+')),
    'unknown',
  ],
  [
    'it is no matter to the owner',
    identity(kms),
    'read',
    '/etc/f',
    file(0o640, { acl: 'present' }),
    'granted',
  ],
  ['nor to root', rootUser, 'read', '/etc/f', file(0o640, { acl: 'present' }), 'granted'],
  [
    'nor where the digits leave nothing',
    identity(kube),
    'write',
    '/etc/f',
    file(0o640, { acl: 'unknown' }),
    'denied',
  ],
  [
    'nor where the group digit is 0',
    identity(kube),
    'read',
    '/etc/f',
    file(0o604, { acl: 'unknown' }),
    'granted',
  ],
  // links
  [
    'a link of root is followed',
    api,
    'connect',
    '/etc/l/kms.sock',
    { ...shared, '/etc/l': row('link', root, root, 0o777, { target: '../run/./kms' }) },
    'granted',
  ],
  [
    'and replaced itself',
    rootUser,
    'replace',
    '/etc/l',
    { '/etc/l': row('link', root, root, 0o777, { target: '/nowhere' }) },
    'granted',
  ],
  [
    'a link that another may exchange is not',
    api,
    'connect',
    `${run}/l`,
    { ...shared, [`${run}/l`]: row('link', kms, kms, 0o777, { target: 'kms.sock' }) },
    'unknown',
  ],
  [
    'nor one whose target nobody read',
    api,
    'read',
    '/etc/l',
    { '/etc/l': row('link', root, root, 0o777) },
    'unknown',
  ],
  [
    'nor one in a circle',
    api,
    'read',
    '/etc/l',
    { '/etc/l': row('link', root, root, 0o777, { target: 'l' }) },
    'unknown',
  ],
  [
    'nor one of the kernel',
    api,
    'read',
    '/proc/l',
    {
      '/proc': row('directory', root, root, 0o555),
      '/proc/l': row('link', root, root, 0o777, { target: '/etc' }),
    },
    'unknown',
  ],
  // what is not known
  [
    'what the host could not read',
    api,
    'read',
    '/etc/f',
    {
      '/etc/f': {
        is: 'unreadable',
        problem: { code: 'host.unreadable', message: 'expected to read', subject: '/etc/f' },
      },
    },
    'unknown',
  ],
  ['a signal is sent to no path', rootUser, 'signal', '/etc/f', file(0o644), 'unknown'],
])('%s', (_, who, action, path, rows, expected) => {
  expect(evaluate(who, action, path, rowsOf(rows), names)).toMatchObject({ is: expected })
})

test('an owner that a change of this run will make is unknown', () => {
  const fact = row('file', kms, kms, 0o644)
  if (fact.is !== 'present') throw new Error('no row')
  const rows = rowsOf({
    '/etc/f': { is: 'present', state: { ...fact.state, uid: unknown({ after: 'user:kms', field: 'uid' }) } },
  })
  expect(evaluate(api, 'read', '/etc/f', rows, names)).toMatchObject({
    is: 'unknown',
    because: 'the owner of /etc/f is known only after a change of this run',
  })
})

test.each<[what: string, who: ActingIdentity, uid: number, savedUid: number, expected: 'granted' | 'denied']>(
  [
    ['the same user', identity(kms), kms, kms, 'granted'],
    ['the saved user', identity(kms), root, kms, 'granted'],
    ['another user', identity(kube), kms, kms, 'denied'],
    ['root without CAP_KILL', identity(root), kms, kms, 'denied'],
    ['CAP_KILL', identity(kube, [], [5]), kms, kms, 'granted'],
  ],
)('a signal: %s', (_, who, uid, savedUid, expected) => {
  expect(evaluateSignal(who, { name: 'provider', uid, savedUid }, names).is).toBe(expected)
})
