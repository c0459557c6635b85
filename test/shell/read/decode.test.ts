import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KmsfleetError } from '../../../src/errors/error.ts'
import type { ReadAtom } from '../../../src/model/wire.ts'
import { compileRead } from '../../../src/shell/read/compile.ts'
import { readPrelude, stripShell } from '../../../src/shell/read/prelude.ts'
import { openSession } from '../../../src/shell/session.ts'
import { localChannel, shells, commandFor } from '../local-shell.ts'
import { ask, present } from './host.ts'

const dash = shells[0] ?? { name: 'sh', sh: '/bin/sh', path: '/usr/sbin:/usr/bin:/sbin:/bin' }

const atoms: readonly ReadAtom[] = [
  { atom: 'path', path: '/etc/passwd', digestUpTo: 1e6, textUpTo: 10, package: true },
  { atom: 'path', path: '/secret', digestUpTo: 1e6, sealed: true },
  { atom: 'user', name: 'root' },
  { atom: 'group', name: 'root' },
  { atom: 'unit', unit: 'a.service' },
  { atom: 'unit', unit: 'b.socket' },
  { atom: 'run', key: 'key', argv: ['true'] },
]

const row = '81a4 0 0 1 65024 7 1267 1795434713 2026-11-23 11:51:53.500587473 +0000 '
const unit = (id: string, more: string): string =>
  `Id=${id}\nNames=${id}\nLoadState=loaded\nActiveState=active\n${more}`

/** A probe section with something of every tag. */
const section: readonly string[] = [
  ...['host', ' stat getent ', 'x86_64', 'yes', 'files'],
  '/etc/passwd:root:x:0:0:root:/root:/bin/sh\n/etc/group:root:x:0:a,b\n/run/kmsfleet/started/a.service:abc\n' +
    `/run/kmsfleet/started/a.service:${'e'.repeat(64)} /etc/a b\n/etc/os-release:ID=debian\n/etc/os-release:VERSION_ID="12"`,
  ...['uid', '0'],
  'stat',
  `${row}/etc/passwd\n41ed 0 0 2 1 2 3 4 x /\n41c0 0 0 2 1 2 3 4 x /run/kmsfleet\n41c0 0 0 2 1 2 3 4 x /run/kmsfleet/owed\n` +
    `${row}/secret`,
  ...['trouble', 'stat: cannot statx /etc: Permission denied'],
  ...['acls', 'ls', '/etc/passwd\n'],
  ...[
    'acls',
    'getfacl',
    '# file: /etc/passwd\n# owner: 0\nuser::rw-\nuser:5:r--\ngroup::---\nmask::r--\nother::---\n',
  ],
  ...['sums', `${'a'.repeat(64)}  /etc/passwd\n${'b'.repeat(64)}  /secret`],
  ...['slow', '/secret', '!43'],
  ...['text', '/etc/passwd', 'x.'],
  ...['link', '/etc', 'target\n.'],
  ...['mounts', '22 1 0:2 / / ro,x shared:1 - ext4 /dev/x rw\n23 1 0:2 / /etc rw - ext4 /dev/x rw\n'],
  ...['attributes', '----i--- /etc/passwd'],
  ...['packages', 'dpkg', '/var/lib/dpkg/info/base-passwd:amd64.list:/etc/passwd'],
  ...['owed', 'restart.x', 'owed', 'BAD ID'],
  ...['nss', 'passwd', 'ldap', 'ldap:*:70000:70000::/:/bin/sh'],
  ...['shadow', 'root', 'locked'],
  ...[
    'units',
    '0',
    `${unit('a.service', 'InvocationID=abc\nMainPID=12\nActiveEnterTimestamp=Mon 2026-11-23 11:46:01 UTC')}\n\n${unit('b.socket', '')}`,
  ],
  ...['exes', '5:6 /proc/12/exe'],
  ...['test', 'key', 'no', 'why'],
]

describe('the decoder', () => {
  it('reads every tag', () => {
    const seen = compileRead(atoms).decode(section)
    expect(seen.host).toEqual({
      kernel: '',
      machine: 'x86_64',
      bootId: '',
      systemd: true,
      selinux: 'absent',
      customLabels: new Set(),
      uid: 0,
      tools: new Set(['stat', 'getent']),
      distribution: 'debian 12',
    })
    expect(present(seen.paths.get('/etc/passwd'))).toMatchObject({
      acl: 'present',
      aclEntries: ['user:5:r--'],
      aclWhole: ['user::rw-', 'user:5:r--', 'group::---', 'mask::r--', 'other::---'],
      immutable: true,
      readOnlyMount: false,
      package: 'base-passwd',
    })
    expect(present(seen.paths.get('/etc/passwd')).text).toBeUndefined()
    expect(present(seen.paths.get('/')).readOnlyMount).toBe(true)
    expect(present(seen.paths.get('/secret')).content).toEqual({
      known: false,
      unreadable: 'it was exchanged while it was read',
    })
    expect(seen.paths.get('/etc')).toMatchObject({ is: 'unreadable' })
    expect(seen.users.get('ldap')).toMatchObject({ state: { source: 'nss', password: 'locked' } })
    expect(seen.users.get('root')).toMatchObject({ state: { source: 'local', password: 'locked' } })
    expect(seen.groups.get('root')).toMatchObject({ state: { members: ['a', 'b'], primaryOf: ['root'] } })
    expect(present(seen.units.get('a.service'))).toMatchObject({
      since: Date.UTC(2026, 10, 23, 11, 46, 1) / 1000,
      runningExe: '5:6',
      startedWith: new Map([['/etc/a b', 'e'.repeat(64)]]),
    })
    expect(seen.owed).toEqual(new Set(['restart.x']))
    expect(seen.tests.get('key')).toEqual({ answer: 'no', detail: 'why' })
  })

  it('reads labels, and types that the policy which is in use leaves to administrators', () => {
    const asked: readonly ReadAtom[] = ['/a', '/b c', '/new', '/none'].map((path) => ({
      atom: 'path',
      path,
      labelOf: 'file',
    }))
    const custom = '/etc/selinux/targeted/contexts/customizable_types'
    const seen = compileRead(asked).decode([
      ...['host', '', '', 'yes', 'files'],
      `/sys/fs/selinux/enforce:0\n/etc/selinux/config:SELINUX=permissive\n/etc/selinux/config:SELINUXTYPE=targeted\n` +
        `${custom}:container_file_t\n/etc/selinux/mls/contexts/customizable_types:other_t`,
      ...['uid', '0', 'stat', `${row}/a\n${row}/b c`],
      ...['labels', 'u:object_r:a_t:s0-s0:c0.c3,c5 /a\n? /b c\n'],
      ...['policy', '/a\tu:object_r:a_t\n/b c\tu:object_r:a_t\n/new\t$(x):y:z\n/none\t<<none>>\nrubbish'],
    ])
    expect(seen.host).toMatchObject({ selinux: 'permissive', customLabels: new Set(['container_file_t']) })
    expect(present(seen.paths.get('/a')).label).toBe('u:object_r:a_t:s0-s0:c0.c3,c5')
    expect(present(seen.paths.get('/b c'))).not.toHaveProperty('label')
    expect(seen.policyLabels).toEqual(
      new Map([
        ['/a', 'u:object_r:a_t'],
        ['/none', '<<none>>'],
      ]),
    )
  })

  it('believes neither debts nor start records of a folder that others can write', () => {
    const seen = compileRead(atoms).decode(
      section.map((field) => field.replace(/41c0 0 0 (.*kmsfleet)\n/, '41ed 0 0 $1\n')),
    )
    expect(seen.owed).toEqual(new Set())
    expect(present(seen.units.get('a.service')).startedWith).toBeUndefined()
  })

  it('seals the digest of a secret', () => {
    const seen = compileRead(atoms).decode(
      section.flatMap((field, index) =>
        index === section.indexOf('slow') ? ['owed'] : field === '!43' ? [] : [field],
      ),
    )
    const { content } = present(seen.paths.get('/secret'))
    expect(JSON.stringify(content)).not.toContain('bbb')
    expect(content?.known === true && content.value.sealed).toBe(true)
  })

  it('gives a snapshot or a typed error for any fields', () => {
    const frame = compileRead(atoms)
    const piece = fc.oneof(fc.constantFrom(...section), fc.string(), fc.constant(''))
    const changed = fc
      .array(
        fc.tuple(fc.nat({ max: section.length - 1 }), fc.constantFrom('drop', 'change', 'cut', 'add'), piece),
        { maxLength: 4 },
      )
      .map((edits) =>
        edits.reduce<readonly string[]>((fields, [at, how, text]) => {
          const old = fields[at] ?? ''
          if (how === 'drop') return fields.toSpliced(at, 1)
          if (how === 'add') return fields.toSpliced(at, 0, text)
          return fields.with(
            Math.min(at, Math.max(fields.length - 1, 0)),
            how === 'cut' ? old.slice(0, text.length) : text,
          )
        }, section),
      )
    fc.assert(
      fc.property(fc.oneof(changed, fc.array(piece)), (fields) => {
        try {
          frame.decode(fields)
        } catch (error) {
          if (!(error instanceof KmsfleetError)) throw error
          expect(error.code).toBe('host.protocol')
        }
      }),
      { numRuns: 3000 },
    )
  })
})

it.each<[string, ReadAtom]>([
  ['a newline in a path', { atom: 'path', path: '/a\nb' }],
  ['a NUL in a path', { atom: 'path', path: '/a\0b' }],
  ['a relative path', { atom: 'path', path: 'a' }],
  ['a path that climbs', { atom: 'path', path: '/a/../b' }],
  ['a trailing slash', { atom: 'path', path: '/a/' }],
  ['a user with a colon', { atom: 'user', name: 'a:b' }],
  ['a user that looks like an option', { atom: 'user', name: '-a' }],
  ['a unit that looks like an option', { atom: 'unit', unit: '--all' }],
  ['a NUL in an argument', { atom: 'run', key: 'k', argv: ['a\0'] }],
  ['a URL off the loopback', { atom: 'http', key: 'k', url: 'http://10.0.0.1/' }],
  ['a URL with a quote', { atom: 'http', key: 'k', url: 'http://127.0.0.1.evil.example/' }],
])('refuses %s before any host is asked', (_, atom) => {
  expect(() => compileRead([atom])).toThrow(KmsfleetError)
})

it('strips comments and indentation without changing what the prelude means', () => {
  const source = readFileSync(new URL('../../../src/shell/read/prelude.sh', import.meta.url), 'utf8')
  expect(readPrelude).toBe(stripShell(source))
  expect(readPrelude).not.toMatch(/^(#|\s|$)/m)
  expect(readPrelude.endsWith('\n')).toBe(false)
})

it('tells a host without the tools from a host without the files', async () => {
  const tools = mkdtempSync(join(tmpdir(), 'kmsfleet-bare-'))
  symlinkSync('/bin/dd', join(tools, 'dd'))
  await using session = await openSession(
    localChannel(commandFor({ ...dash, path: tools })),
    new AbortController().signal,
  )
  const seen = await ask(session, [
    { atom: 'path', path: '/etc' },
    { atom: 'user', name: 'nosuch' },
    { atom: 'unit', unit: 'a.service' },
  ])
  expect(seen.paths.get('/etc')?.is).toBe('unreadable')
  expect(seen.users.get('nosuch')?.is).toBe('unreadable')
  expect(seen.units.get('a.service')?.is).toBe('unreadable')
  rmSync(tools, { recursive: true })
})
