import { expect, test } from 'vitest'
import { Digest } from '../../src/model/secret.ts'
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
