import { describe, expect, test } from 'vitest'
import type { Planned } from '../../src/model/resource.ts'
import { Digest } from '../../src/model/secret.ts'
import type { SignatureRequest } from '../../src/model/signature.ts'
import { known } from '../../src/model/value.ts'
import { bundle } from '../../src/modules/bundle/index.ts'
import { checksumOf } from '../../src/modules/bundle/checksums.ts'
import { directory, file, opNames, planAll, summary } from '../resources/world.ts'
import { context } from './context.ts'
import { tarball } from './tarball.ts'

const archive = tarball([
  ['top/bin/provider', 'program'],
  ['top/unit', '[Service]'],
])
const digest = Digest.of(archive).reveal()
const other = 'f'.repeat(64)
const row = `${digest}  r.tar.gz\n`

function run(
  checksums: string,
  sha256: string,
  names: readonly string[],
): ReturnType<typeof bundle.resources> {
  return bundle.resources(
    bundle.args.parse({
      src: '/dl/r.tar.gz',
      checksums: '/dl/checksums.txt',
      sha256,
      signature: 'none',
      members: names.map((name) => ({
        name,
        dest: `/usr/bin/${name.replace('/', '-')}`,
        owner: 'root',
        group: 'root',
        mode: '0755',
      })),
    }),
    context({ files: { '/dl/r.tar.gz': archive, '/dl/checksums.txt': Buffer.from(checksums) } }),
  )
}

test('only members that differ travel', () => {
  const resources = run(`${other}  other.tar.gz\n${row}`, digest, ['bin/provider', 'unit'])
  const program = { size: 7, content: known(Digest.of(Buffer.from('program'))), mode: 0o755 }
  const planned = planAll(
    { paths: { '/usr/bin/bin-provider': file({ ...program, package: null }) } },
    ...resources,
  )
  expect(planned.map(opNames)).toEqual([[], ['file-put']])
  expect(planned[1]).toMatchObject({ ops: [{ payload: { bytes: Buffer.from('[Service]') } }] })
})

test.each<[what: string, checksums: string, sha256: string, names: readonly string[], message: string]>([
  [
    'the pin names another',
    row,
    other,
    ['unit'],
    `/dl/r.tar.gz: expected SHA-256 ${other} by \`sha256\`, found ${digest}`,
  ],
  [
    'the row names another',
    `${other}  r.tar.gz\n`,
    digest,
    ['unit'],
    `/dl/r.tar.gz: expected SHA-256 ${other} by its row of /dl/checksums.txt, found ${digest}`,
  ],
  [
    'there is no row',
    `${digest}  x.tar.gz\n`,
    digest,
    ['unit'],
    '/dl/checksums.txt: expected exactly one row for r.tar.gz, found none',
  ],
  [
    'there are two rows',
    `${row}${row}`,
    digest,
    ['unit'],
    '/dl/checksums.txt: expected exactly one row for r.tar.gz, found 2',
  ],
  [
    'a member is missing',
    row,
    digest,
    ['bin/provder'],
    'expected bin/provder in /dl/r.tar.gz, found no such file',
  ],
])('refused: %s', (_, checksums, sha256, names, message) => {
  expect(() => run(checksums, sha256, names)).toThrow(message)
})

test('a member that is misspelt gets a near miss', () => {
  expect(() => run(row, digest, ['bin/provder'])).toThrow(
    expect.objectContaining({ hint: 'did you mean `bin/provider`?' }),
  )
})

test('a destination that is read-only or packaged is refused before any change', () => {
  const resources = run(row, digest, ['bin/provider'])
  const readOnly = planAll({ paths: { '/usr/bin': directory({ readOnlyMount: true }) } }, ...resources)
  expect(readOnly.map(summary)).toEqual([
    'refused: expected /usr/bin/bin-provider to be writable, found its file system mounted read-only',
  ])
  const packaged = planAll({ paths: { '/usr/bin/bin-provider': file({ package: 'kms' }) } }, ...resources)
  expect(packaged.map(summary)).toEqual([
    'refused: expected /usr/bin/bin-provider to belong to no package, found that kms owns it',
  ])
})

test('the archive is read once for all hosts of a run', () => {
  const args = bundle.args.parse({
    src: '/dl/r.tar.gz',
    checksums: '/dl/checksums.txt',
    sha256: digest,
    signature: 'none',
    members: [{ name: 'unit', dest: '/etc/unit', owner: 'root', group: 'root', mode: '0644' }],
  })
  const shared = context({ files: { '/dl/r.tar.gz': archive, '/dl/checksums.txt': Buffer.from(row) } })
  const payload = (): unknown => {
    const planned = planAll({}, ...bundle.resources(args, shared))[0]
    return planned !== undefined && 'ops' in planned && planned.ops[0]?.op === 'file-put'
      ? planned.ops[0].payload
      : undefined
  }
  const first = payload()
  expect(first).toMatchObject({ bytes: Buffer.from('[Service]') })
  expect(payload()).toBe(first)
})

test.each([
  ['two blanks', `${digest}  r.tar.gz`],
  ['binary mode', `${digest} *r.tar.gz`],
  ['upper case and CRLF', `${digest.toUpperCase()}  r.tar.gz\r\n`],
])('a row in %s is understood', (_, text) => {
  expect(checksumOf('r.tar.gz', Buffer.from(text), 'c')).toBe(digest)
})

describe('a tarball for each architecture', () => {
  const arm = tarball([['top/bin/provider', 'program for arm']])
  const sha = { amd64: digest, arm64: Digest.of(arm).reveal() }
  const rows = `${sha.amd64}  r_linux_amd64.tar.gz\n${sha.arm64}  r_linux_arm64.tar.gz\n`
  const files = {
    '/dl/r_linux_amd64.tar.gz': archive,
    '/dl/r_linux_arm64.tar.gz': arm,
    '/dl/checksums.txt': Buffer.from(rows),
  }
  const member = {
    name: 'bin/provider',
    dest: '/usr/bin/provider',
    owner: 'root',
    group: 'root',
    mode: '0755',
  }
  const both = { amd64: '/dl/r_linux_amd64.tar.gz', arm64: '/dl/r_linux_arm64.tar.gz' }
  const on = (machine: string, src: unknown, sha256: unknown): Planned | undefined => {
    const args = { src, sha256, checksums: '/dl/checksums.txt', signature: 'none', members: [member] }
    return planAll({ host: { machine } }, ...bundle.resources(bundle.args.parse(args), context({ files })))[0]
  }

  test.each([
    ['x86_64', 'program'],
    ['aarch64', 'program for arm'],
  ])('%s gets its own', (machine, bytes) => {
    expect(on(machine, both, sha)).toMatchObject({
      is: 'change',
      ops: [{ payload: { bytes: Buffer.from(bytes) } }],
    })
  })

  test.each<[what: string, machine: string, src: unknown, sha256: unknown]>([
    ['none for the machine', 'riscv64', both, sha],
    ['one of two', 'aarch64', { amd64: both.amd64 }, { amd64: sha.amd64 }],
    ['one whose name tells the other', 'aarch64', both.amd64, sha.amd64],
  ])('is refused: %s', (_, machine, src, sha256) => {
    expect(on(machine, src, sha256)).toMatchObject({ is: 'refused', problem: { code: 'resource.machine' } })
  })

  test('and its pin go together', () => {
    const args = {
      src: both,
      sha256: { amd64: sha.amd64 },
      checksums: '/dl/checksums.txt',
      signature: 'none',
      members: [member],
    }
    expect(bundle.args.safeParse(args).error?.issues.map(({ message }) => message)).toEqual([
      'expected `src` and `sha256` for the same architectures',
    ])
  })
})

describe('the signature of the checksums', () => {
  const member = { name: 'unit', dest: '/usr/bin/unit', owner: 'root', group: 'root', mode: '0644' }
  const args = { src: '/dl/r.tar.gz', sha256: digest, checksums: '/dl/checksums.txt', members: [member] }
  const signed = Buffer.from('{}')
  const files = {
    '/dl/r.tar.gz': archive,
    '/dl/checksums.txt': Buffer.from(row),
    '/dl/checksums.txt.bundle': signed,
  }

  test('is verified once, over the very bytes that are read', () => {
    const verified: SignatureRequest[] = []
    const shared = context({ files, verified })
    const signature = {
      bundle: '/dl/checksums.txt.bundle',
      identity: 'https://ci/release@v1',
      issuer: 'https://ci',
    }
    const ofHost = (): readonly (string | undefined)[] =>
      bundle.resources(bundle.args.parse({ ...args, signature }), shared).map(({ remark }) => remark)
    expect([ofHost(), ofHost()]).toEqual([[undefined], [undefined]])
    expect(verified).toEqual([
      { ...signature, name: '/dl/checksums.txt', blob: files['/dl/checksums.txt'], bundle: signed },
    ])
  })

  test('is said to be unverified where nobody shall verify it', () => {
    const parsed = bundle.args.parse({ ...args, signature: 'none' })
    expect(bundle.resources(parsed, context({ files })).map(({ remark }) => remark)).toEqual([
      '/dl/checksums.txt: its signature was not verified (signature: none)',
    ])
  })

  test('must be said', () => {
    const problems = bundle.args.safeParse(args).error?.issues.map(({ path, message }) => [path, message])
    expect(problems).toEqual([
      [['signature'], 'expected `none`, or a dictionary of bundle, identity and issuer'],
    ])
  })
})
