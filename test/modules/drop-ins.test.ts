import { expect, test } from 'vitest'
import type { Planned } from '../../src/model/resource.ts'
import { sysusers } from '../../src/modules/sysusers/index.ts'
import { tmpfiles } from '../../src/modules/tmpfiles/index.ts'
import { directory, group, opNames, planAll, summary, user } from '../resources/world.ts'
import { context } from './context.ts'

const identities = sysusers.resources(
  sysusers.args.parse({
    name: 'openbao-kms',
    groups: [
      { name: 'openbao-kms', exact: true },
      { name: 'openbao-kms-socket', gid: 900 },
    ],
    users: [{ name: 'openbao-kms', gecos: 'OpenBao KMS', home: '/var/lib/openbao-kms' }],
    members: [{ user: 'openbao-kms', group: 'openbao-kms-socket' }],
  }),
  context(),
)

function written(planned: readonly Planned[]): string | undefined {
  for (const one of planned) {
    if (one.is !== 'change') continue
    for (const op of one.ops) if (op.op === 'file-put') return Buffer.from(op.payload.bytes).toString('utf8')
  }
  return undefined
}

test('sysusers writes the file and makes the accounts in order', () => {
  const planned = planAll({ paths: { '/etc/sysusers.d': directory() } }, ...identities)
  expect(written(planned)).toBe(
    [
      '# Managed by kmsfleet: changes made here are undone.',
      'g openbao-kms -',
      'g openbao-kms-socket 900',
      'u openbao-kms - "OpenBao KMS" /var/lib/openbao-kms /usr/sbin/nologin',
      'm openbao-kms openbao-kms-socket',
      '',
    ].join('\n'),
  )
  expect(identities.map(({ id }) => id)).toEqual([
    'directory:/etc/sysusers.d',
    'file:/etc/sysusers.d/openbao-kms.conf',
    'group:openbao-kms',
    'group:openbao-kms-socket',
    'user:openbao-kms',
    'membership:openbao-kms-socket',
    'membership:openbao-kms',
  ])
  expect(planned.map(({ is }) => is)).toEqual([
    'same',
    'change',
    'change',
    'change',
    'change',
    'change',
    'same',
  ])
})

test('without systemd-sysusers only the accounts are made', () => {
  const planned = planAll({ host: { tools: new Set(['groupadd', 'useradd']) } }, ...identities)
  expect(written(planned)).toBeUndefined()
  expect(planned.map(({ is }) => is)).toEqual([
    'same',
    'same',
    'change',
    'change',
    'change',
    'change',
    'same',
  ])
})

test('a host that has no sysusers.d yet gets it', () => {
  const planned = planAll({}, ...identities)
  expect(planned.slice(0, 2).map(opNames)).toEqual([['directory-make'], ['file-put']])
})

test('a stranger in an exact group is removed', () => {
  const planned = planAll(
    {
      users: { 'openbao-kms': user(5, { gecos: 'OpenBao KMS', home: '/var/lib/openbao-kms' }), eve: user(6) },
      groups: {
        'openbao-kms': group(5, { members: ['eve'], primaryOf: ['openbao-kms'] }),
        'openbao-kms-socket': group(900, { members: ['openbao-kms', 'eve'] }),
      },
    },
    ...identities,
  )
  expect(planned.slice(2).map(summary)).toEqual([
    'same',
    'same',
    'same',
    'same',
    ['members: eve, openbao-kms → openbao-kms'],
  ])
})

test('a user with another primary group is written so that sysusers makes the same', () => {
  const resources = sysusers.resources(
    sysusers.args.parse({ name: 'x', groups: [{ name: 'g' }], users: [{ name: 'u', uid: 7, group: 'g' }] }),
    context(),
  )
  const planned = planAll({ paths: { '/etc/sysusers.d': directory() } }, ...resources)
  expect(written(planned)).toContain('u u 7:g - / /usr/sbin/nologin\n')
})

test('tmpfiles writes the line of each directory and makes it', () => {
  const resources = tmpfiles.resources(
    tmpfiles.args.parse({
      name: 'kms',
      directories: [
        { path: '/run/kms', owner: 'kms', group: 'kms', mode: '2750' },
        { path: '/run/kms/sub', owner: 0, group: 0, mode: '0700' },
      ],
    }),
    context(),
  )
  const planned = planAll(
    { paths: { '/etc/tmpfiles.d': directory() }, users: { kms: user(5) }, groups: { kms: group(5) } },
    ...resources,
  )
  expect(written(planned)).toBe(
    '# Managed by kmsfleet: changes made here are undone.\nd /run/kms 2750 kms kms -\nd /run/kms/sub 0700 0 0 -\n',
  )
  expect(resources.map(({ id }) => id)).toEqual([
    'directory:/etc/tmpfiles.d',
    'file:/etc/tmpfiles.d/kms.conf',
    'directory:/run/kms',
    'directory:/run/kms/sub',
  ])
  expect(planned.map(({ is }) => is)).toEqual(['same', 'change', 'change', 'change'])
})
