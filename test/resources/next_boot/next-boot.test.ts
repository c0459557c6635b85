import { expect, test } from 'vitest'
import { contentOf } from '../../../src/resources/file/content.ts'
import { fileResource } from '../../../src/resources/file/file.ts'
import { bootDirectoryResource } from '../../../src/resources/next_boot/directory.ts'
import { bootUnitResource } from '../../../src/resources/next_boot/unit.ts'
import { dropInFolders, unitFolders } from '../../../src/resources/next_boot/unit-settings.ts'
import { directory, group, planAll, summary, user, type WorldSpec } from '../world.ts'

const accounts: WorldSpec = {
  users: { kms: user(801, { gid: { known: true, value: 801 } }) },
  groups: { kms: group(801), socket: group(802) },
}
const run = bootDirectoryResource({
  path: '/run/kms',
  owner: 'kms',
  group: 'socket',
  mode: 0o2750,
  byTmpfiles: true,
})
const ours = { '/etc/tmpfiles.d/openbao-kms.conf': 'd /run/kms 2750 kms socket -\n' }

test.each<[string, Readonly<Record<string, string>>, string | readonly string[]]>([
  ['as it shall be', ours, 'same'],
  ['numbers for names', { '/etc/tmpfiles.d/a.conf': 'd /run/kms 2750 801 802 -' }, 'same'],
  ['no line at all: made by hand, gone after the boot', {}, ['after boot: absent → directory']],
  [
    'a stale file of the vendor name in /etc hides the one of the vendor',
    {
      '/usr/lib/tmpfiles.d/openbao-kms.conf': 'd /run/kms 2750 kms socket -',
      '/etc/tmpfiles.d/openbao-kms.conf': '# old\nd /run/kms 2770 kms socket -',
    },
    ['mode after boot: 2770 by /etc/tmpfiles.d/openbao-kms.conf:2 → 2750'],
  ],
  [
    'a leftover of another shape sorts first',
    { ...ours, '/etc/tmpfiles.d/openbao-kms-static-pod.conf': 'd /run/kms 2750 65532 802 -' },
    ['owner after boot: 65532 by /etc/tmpfiles.d/openbao-kms-static-pod.conf:1 → kms'],
  ],
  [
    'a line of another file adjusts it later',
    { ...ours, '/usr/lib/tmpfiles.d/zz.conf': 'z /run/* 0755 - -\na+ /run/kms - - - - u:nobody:r' },
    [
      'mode after boot: 0755 by /etc/tmpfiles.d/openbao-kms.conf:1, /usr/lib/tmpfiles.d/zz.conf:1 → 2750',
      'ACL after boot: /usr/lib/tmpfiles.d/zz.conf:2 → none',
    ],
  ],
  [
    'a line with an account that does not exist is dropped',
    { ...ours, '/etc/tmpfiles.d/a.conf': 'd /run/kms 0700 gone' },
    'same',
  ],
  [
    'a masked vendor file',
    { ...ours, '/usr/lib/tmpfiles.d/a.conf': 'd /run/kms 0700', '/etc/tmpfiles.d/a.conf': '' },
    'same',
  ],
  [
    'a link of that name',
    { '/etc/tmpfiles.d/a.conf': 'L /run/kms - - - - /tmp', ...ours },
    ['after boot: made otherwise by /etc/tmpfiles.d/a.conf:1 → directory'],
  ],
])('next boot of a directory, %s', (_, configuration, wanted) => {
  expect(planAll({ ...accounts, configuration }, run).map(summary)).toEqual([wanted])
})

test('below /run nothing outlives a boot where there is no systemd-tmpfiles', () => {
  const without: WorldSpec = { ...accounts, host: { tools: new Set() } }
  const elsewhere = { owner: 'kms', group: 'kms', mode: 0o750 }
  expect(
    planAll(
      without,
      run,
      bootDirectoryResource({ path: '/run/other', ...elsewhere, byTmpfiles: false }),
      bootDirectoryResource({ path: '/var/lib/kms', ...elsewhere, byTmpfiles: true }),
    ).map(summary),
  ).toEqual([['after boot: absent (the host has no systemd-tmpfiles) → directory'], 'same', 'same'])
})

test('what lies outside /run stays as it is left, unless a line says otherwise', () => {
  const state = bootDirectoryResource({
    path: '/var/lib/kms',
    owner: 'kms',
    group: 'kms',
    mode: 0o750,
    byTmpfiles: false,
  })
  expect(planAll(accounts, state).map(summary)).toEqual(['same'])
  const configuration = { '/usr/lib/tmpfiles.d/x.conf': 'd /var/lib/kms :0700 :root :root' }
  expect(planAll({ ...accounts, configuration }, state).map(summary)).toEqual(['same'])
  const worse = { '/usr/lib/tmpfiles.d/x.conf': 'd /var/lib/kms 0755' }
  expect(planAll({ ...accounts, configuration: worse }, state).map(summary)).toEqual([
    ['mode after boot: 0755 by /usr/lib/tmpfiles.d/x.conf:1 → 0750'],
  ])
})

test('what this run will have written counts', () => {
  const content = contentOf('d /run/kms 2750 kms socket -\n', {
    secretsOpened: true,
    once: (_, make) => make(),
  })
  const path = '/etc/tmpfiles.d/kms.conf'
  const put = fileResource({ path, owner: 'root', group: 'root', mode: 0o644, content })
  const paths = { '/etc/tmpfiles.d': directory() }
  expect(planAll({ ...accounts, paths }, run).map(summary)).toEqual([['after boot: absent → directory']])
  expect(planAll({ ...accounts, paths }, put, run).map(summary)[1]).toBe('same')
})

const vendor = {
  '/usr/lib/systemd/system/kms.service':
    '[Unit]\nUser=nobody\n[Service]\nUser=kms\nGroup = kms\nSupplementaryGroups=socket\nExecStartPre=+/bin/a \\\n  b\n',
}
const wantedUnit = bootUnitResource({
  unit: 'kms.service',
  settings: new Map<string, string | readonly string[]>([
    ['User', 'kms'],
    ['SupplementaryGroups', ['socket']],
    ['ExecStartPre', ['+/bin/a b']],
    ['RuntimeDirectory', []],
  ]),
})

test.each<[string, Readonly<Record<string, string>>, string | readonly string[]]>([
  ['alone', vendor, 'same'],
  ['none', {}, ['unit file: absent → present']],
  [
    'a drop-in sets the user',
    { ...vendor, '/etc/systemd/system/kms.service.d/x.conf': '[Service]\nUser=root\n' },
    ['User: root (/etc/systemd/system/kms.service.d/x.conf:2) → kms'],
  ],
  [
    'a drop-in for all services takes the group away',
    { ...vendor, '/etc/systemd/system/service.d/x.conf': '[Service]\nSupplementaryGroups=\n' },
    ['SupplementaryGroups: not set → socket'],
  ],
  [
    'of drop-ins with one name the more specific counts',
    {
      ...vendor,
      '/etc/systemd/system/service.d/x.conf': '[Service]\nUser=root\n',
      '/usr/lib/systemd/system/kms.service.d/x.conf': '[Service]\nRestart=no\n',
    },
    'same',
  ],
  [
    'a unit in /etc shadows that of the vendor',
    { ...vendor, '/etc/systemd/system/kms.service': '[Service]\nUser=kms\nRuntimeDirectory=kms\n' },
    [
      'SupplementaryGroups: not set → socket',
      'ExecStartPre: not set → +/bin/a b',
      'RuntimeDirectory: kms (/etc/systemd/system/kms.service:3) → not set',
    ],
  ],
])('next start of a unit: %s', (_, configuration, wanted) => {
  expect(planAll({ configuration }, wantedUnit).map(summary)).toEqual([wanted])
})

test('of drop-ins with one name that in /etc counts, be it less specific', () => {
  const unit = bootUnitResource({ unit: 'bao-kms.service', settings: new Map([['User', 'kms']]) })
  const configuration = {
    '/usr/lib/systemd/system/bao-kms.service': '[Service]\nUser=kms\n',
    '/etc/systemd/system/bao-.service.d/x.conf': '[Service]\nUser=root\n',
    '/usr/lib/systemd/system/bao-kms.service.d/x.conf': '[Service]\nRestart=no\n',
  }
  expect(planAll({ configuration }, unit).map(summary)).toEqual([
    ['User: root (/etc/systemd/system/bao-.service.d/x.conf:2) → kms'],
  ])
})

test.each([
  ['a.service', ['a.service.d']],
  ['a-b-c.service', ['a-b-c.service.d', 'a-b-.service.d', 'a-.service.d']],
  ['a-b@c.service', ['a-b@c.service.d', 'a-b@.service.d', 'a-@.service.d', 'a-@c.service.d']],
])('drop-in folders of %s: place by place, what holds for all services last', (unit, wanted) => {
  expect(dropInFolders(unit)).toEqual([
    ...unitFolders.flatMap((folder) => wanted.map((name) => `${folder}/${name}`)),
    ...unitFolders.map((folder) => `${folder}/service.d`),
  ])
})
