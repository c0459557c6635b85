import { expect, test } from 'vitest'
import { evaluate } from '../../../src/access/evaluate/evaluate.ts'
import { explain, whatWouldChange } from '../../../src/access/evaluate/explain.ts'
import type { ActingIdentity, Action } from '../../../src/model/access.ts'
import { acl, identity, kms, kmsGroup, kube, names, root, row, rowsOf, socketGroup } from './rows.ts'

const stranger = identity(kube)
const api = identity(kube, [socketGroup])
const rootUser = identity(root, [], [1, 2, 3, 5])
const rows = rowsOf({
  '/run/kms': row('directory', kms, socketGroup, 0o2750),
  '/run/kms/kms.sock': row('socket', kms, socketGroup, 0o660),
  '/run/t': row('directory', root, root, 0o1777),
  '/run/t/x': row('file', kms, kmsGroup, 0o666),
  '/etc/jwt': row(
    'file',
    kms,
    kmsGroup,
    0o640,
    acl('user::rw-', 'user:991:r--', 'group::---', 'mask::r--', 'other::---'),
  ),
  '/etc/deny': row(
    'file',
    kms,
    kmsGroup,
    0o644,
    acl('user::rw-', 'user:991:---', 'group::---', 'mask::r--', 'other::r--'),
  ),
  '/etc/masked': row(
    'file',
    kms,
    kmsGroup,
    0o640,
    acl('user::rw-', 'user:991:rw-', 'group::---', 'mask::r--', 'other::---'),
  ),
  '/etc/hidden': row('file', kms, kmsGroup, 0o640, { acl: 'present' }),
  '/etc/open': row('file', kms, kmsGroup, 0o644),
  '/etc/private': row('file', kms, kmsGroup, 0o600),
  "/etc/it's": row('file', kms, kmsGroup, 0o640, { immutable: true }),
  '/etc/none': { is: 'absent' },
})

test('tells every component, its owners and what decided', () => {
  expect(explain(evaluate(stranger, 'connect', '/run/kms/kms.sock', rows, names))).toMatchInlineSnapshot(`
    [
      "yes  /",
      "     directory of root, group root (gid 0), mode 0755 (rwxr-xr-x)",
      "     needs search (x, to pass through): others have r-x, and it is neither the owner nor in the group",
      "yes  /run",
      "     directory of root, group root (gid 0), mode 0755 (rwxr-xr-x)",
      "     needs search (x, to pass through): others have r-x, and it is neither the owner nor in the group",
      "NO   /run/kms",
      "     directory of openbao-kms, group openbao-kms-socket (gid 998), mode 2750 (rwxr-x---)",
      "     needs search (x, to pass through): others have ---, and it is neither the owner nor in the group",
      "NO   /run/kms/kms.sock",
      "     socket of openbao-kms, group openbao-kms-socket (gid 998), mode 0660 (rw-rw----)",
      "     needs write: others have ---, and it is neither the owner nor in the group",
      "denied at /run/kms",
    ]
  `)
})

test('tells an ACL to someone who has never seen one', () => {
  expect(explain(evaluate(stranger, 'write', '/etc/masked', rows, names)).slice(-4)).toMatchInlineSnapshot(`
    [
      "NO   /etc/masked",
      "     file of openbao-kms, group openbao-kms (gid 990), mode 0640 (rw-r-----), ACL user:kube-apiserver:rw- group::--- mask::r--",
      "     needs write: its ACL, which goes before the mode, has the entry user:kube-apiserver:rw-, of which r-- is left: no entry gives more than mask::r--",
      "denied at /etc/masked",
    ]
  `)
})

type Case = readonly [
  who: ActingIdentity,
  action: Action,
  path: string,
  want: 'granted' | 'denied',
  words: string,
]

test.each<Case>([
  [
    stranger,
    'connect',
    '/run/kms/kms.sock',
    'granted',
    'Granted if kube-apiserver were in group openbao-kms-socket (gid 998).',
  ],
  [api, 'connect', '/run/kms/kms.sock', 'granted', ''],
  [
    api,
    'connect',
    '/run/kms/kms.sock',
    'denied',
    'Denied if kube-apiserver were not in group openbao-kms-socket (gid 998).',
  ],
  [api, 'create', '/run/kms', 'granted', 'Granted if the mode gave its group wx: chmod g+wx /run/kms.'],
  [
    stranger,
    'read',
    '/etc/jwt',
    'denied',
    'Denied if the ACL entry user:kube-apiserver:r-- were removed: setfacl -x user:kube-apiserver /etc/jwt.',
  ],
  [
    stranger,
    'read',
    '/etc/deny',
    'granted',
    'Granted if the ACL entry user:kube-apiserver:--- were removed: setfacl -x user:kube-apiserver /etc/deny.',
  ],
  [
    stranger,
    'write',
    '/etc/masked',
    'granted',
    `Granted if the ACL's mask were rw-, not r--: setfacl -m mask::rw- /etc/masked.`,
  ],
  [
    stranger,
    'read',
    '/etc/hidden',
    'granted',
    'Not known, because /etc/hidden may have an ACL that decides this, and the host has no getfacl to show it (package acl).',
  ],
  [stranger, 'read', '/etc/open', 'denied', 'Denied if the mode did not give others r: chmod o-r /etc/open.'],
  [
    stranger,
    'read',
    '/etc/private',
    'granted',
    'Granted if kube-apiserver were in group openbao-kms (gid 990) and the mode gave its group r: chmod g+r /etc/private.',
  ],
  [
    identity(kms),
    'read',
    '/etc/private',
    'denied',
    'Denied if it belonged to another user: chown root /etc/private.',
  ],
  [
    rootUser,
    'read',
    '/etc/private',
    'denied',
    'Denied if root had no CAP_DAC_OVERRIDE and no CAP_DAC_READ_SEARCH.',
  ],
  [stranger, 'replace', '/run/t/x', 'granted', 'Granted if it or its directory belonged to kube-apiserver.'],
  [
    rootUser,
    'write',
    "/etc/it's",
    'granted',
    `Granted if that attribute were taken away: chattr -i -a '/etc/it'\\''s'.`,
  ],
  [api, 'read', '/etc/none', 'granted', 'Nothing can be granted before it is there.'],
  [api, 'read', '/etc/none', 'denied', ''],
  [
    rootUser,
    'execute',
    '/etc',
    'granted',
    'No single change at each step would grant it: see the steps that say NO.',
  ],
])('what would change %#', (who, action, path, want, words) => {
  expect(whatWouldChange(evaluate(who, action, path, rows, names), want)).toBe(words)
})
