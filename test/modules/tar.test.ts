import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KmsfleetError } from '../../src/errors/error.ts'
import { limits } from '../../src/modules/bundle/limits.ts'
import { readTarball } from '../../src/modules/bundle/tar.ts'
import { pax, tarball, type Entry } from './tarball.ts'

function read(bytes: Uint8Array): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readTarball(bytes, 'x.tar.gz').map(({ name, bytes: data }) => [name, Buffer.from(data).toString('utf8')]),
  )
}

const folder: Entry = { name: 'top/', type: '5' }

test.each<[what: string, entries: readonly Entry[], expected: Readonly<Record<string, string>>]>([
  [
    'files and folders',
    [folder, ['top/a', 'A'], ['top/b/c', 'C'.repeat(600)]],
    { a: 'A', 'b/c': 'C'.repeat(600) },
  ],
  ['a leading ./', [{ name: './', type: '5' }, { name: './top/', type: '5' }, ['./top/a', 'A']], { a: 'A' }],
  ['an empty file', [['top/a', '']], { a: '' }],
  ['an old regular file', [{ name: 'top/a', type: '\0', data: 'A' }], { a: 'A' }],
  ['a ustar prefix', [{ name: 'a', prefix: 'top/deep', data: 'A' }], { 'deep/a': 'A' }],
  [
    'a pax path',
    [{ name: 'x', type: 'x', data: pax({ mtime: '1.5', path: 'top/long' }) }, ['short', 'A']],
    { long: 'A' },
  ],
  [
    'a pax path for the next entry only',
    [{ name: 'x', type: 'x', data: pax({ path: 'top/a' }) }, ['y', 'A'], ['top/b', 'B']],
    { a: 'A', b: 'B' },
  ],
  [
    'a global comment',
    [{ name: 'g', type: 'g', data: pax({ comment: 'c0ffee' }) }, ['top/a', 'A']],
    { a: 'A' },
  ],
  [
    'a GNU long name',
    [{ name: '././@LongLink', type: 'L', data: `top/${'n'.repeat(150)}\0` }, ['short', 'A']],
    { ['n'.repeat(150)]: 'A' },
  ],
])('reads %s', (_, entries, expected) => {
  expect(read(tarball(entries))).toEqual(expected)
})

test.each<[what: string, entries: readonly Entry[], message: string]>([
  ['an absolute name', [['/etc/passwd', '']], 'expected relative names without `..`, found "/etc/passwd"'],
  ['a name upwards', [['top/../../x', '']], 'expected relative names without `..`, found "top/../../x"'],
  [
    'a name upwards by pax',
    [{ name: 'x', type: 'x', data: pax({ path: '../x' }) }, ['top/a', '']],
    'expected relative names without `..`, found "../x"',
  ],
  [
    'a name upwards by prefix',
    [{ name: 'x', prefix: '..' }],
    'expected relative names without `..`, found "../x"',
  ],
  ['a line break in a name', [['top/a\nb', '']], 'expected relative names without `..`, found "top/a\\nb"'],
  ['an empty part', [['top//a', '']], 'expected relative names without `..`, found "top//a"'],
  [
    'the same name twice',
    [
      ['top/a', '1'],
      ['top/a', '2'],
    ],
    'expected each name once, found top/a twice',
  ],
  [
    'the same name spelt in two ways',
    [
      ['top/a', '1'],
      ['./top/a', '2'],
    ],
    'expected each name once, found top/a twice',
  ],
  [
    'a symbolic link',
    [{ name: 'top/a', type: '2' }],
    'expected files and folders only, found a symbolic link named top/a',
  ],
  [
    'a hard link',
    [{ name: 'top/a', type: '1' }],
    'expected files and folders only, found a hard link named top/a',
  ],
  [
    'a device',
    [{ name: 'top/a', type: '4' }],
    'expected files and folders only, found a block device named top/a',
  ],
  ['a FIFO', [{ name: 'top/a', type: '6' }], 'expected files and folders only, found a FIFO named top/a'],
  [
    'a sparse file',
    [{ name: 'top/a', type: 'S' }],
    'expected files and folders only, found a sparse file named top/a',
  ],
  [
    'a sparse file by pax',
    [{ name: 'x', type: 'x', data: pax({ 'GNU.sparse.size': '9' }) }, ['top/a', '']],
    'expected plain members, found one with the extended attribute GNU.sparse.size',
  ],
  [
    'a size by pax',
    [{ name: 'x', type: 'x', data: pax({ size: '9' }) }, ['top/a', '']],
    'expected plain members, found one with the extended attribute size',
  ],
  [
    'a global path',
    [{ name: 'g', type: 'g', data: pax({ path: 'top/x' }) }, ['top/a', '']],
    'expected a global header without path, found one with it',
  ],
  [
    'an unknown type',
    [{ name: 'top/a', type: 'V' }],
    'expected files and folders only, found an entry of type "V" named top/a',
  ],
  [
    'two top folders',
    [
      ['top/a', ''],
      ['other/a', ''],
    ],
    'expected one top folder, found top and other',
  ],
  ['a file beside the folder', [['a', '']], 'expected files below one top folder, found a outside'],
  [
    'a wrong header checksum',
    [{ name: 'top/a', sumOff: 1 }],
    'expected a tar header, found a block with another checksum',
  ],
  [
    'a member over the limit',
    [{ name: 'top/a', size: '77777777777\0' }],
    `expected members of at most ${String(limits.member)} bytes, found top/a with 8589934591`,
  ],
  [
    'a size in binary',
    [{ name: 'top/a', size: '\u0080' }],
    `expected members of at most ${String(limits.member)} bytes, found a larger one`,
  ],
  [
    'a size that is no number',
    [{ name: 'top/a', size: 'zz' }],
    'expected an octal number in a tar header, found other bytes',
  ],
  [
    'a size past the end',
    [{ name: 'top/a', size: '00000010000\0' }],
    'expected 4096 bytes of top/a, found it cut short',
  ],
  [
    'a damaged extended header',
    [{ name: 'x', type: 'x', data: '99 path=a\n' }, ['top/a', '']],
    'expected a well-formed extended header, found a damaged one',
  ],
  [
    'too many entries',
    Array.from({ length: 4097 }, (_, index): Entry => [`top/${String(index)}`, '']),
    'expected at most 4096 entries, found more',
  ],
])('refuses %s', (_, entries, message) => {
  expect(() => read(tarball(entries))).toThrow(
    expect.objectContaining({ code: 'bundle.archive', message: `x.tar.gz: ${message}` }),
  )
})

test.each<[what: string, bytes: Uint8Array, message: string]>([
  ['no gzip', Buffer.from('hello'), 'not gzip or are cut short'],
  ['gzip cut short', tarball([['top/a', 'A']]).subarray(0, 40), 'not gzip or are cut short'],
  [
    'no end of the archive',
    tarball([['top/a', 'A']], Buffer.alloc(0)),
    'expected two empty blocks at the end',
  ],
  [
    'a second archive behind',
    tarball([['top/a', 'A']], Buffer.concat([Buffer.alloc(1024), Buffer.from('x')])),
    'found more',
  ],
  [
    'an expansion over the limit',
    gzipSync(Buffer.alloc(limits.expanded + 512)),
    'when decompressed, found more',
  ],
])('refuses %s', (_, bytes, message) => {
  expect(() => read(bytes)).toThrow(message)
})

test.each(['ustar', 'pax', 'gnu'])('reads what tar --format=%s writes', (format) => {
  const dir = mkdtempSync(join(tmpdir(), 'kmsfleet-tar-'))
  try {
    const deep = 'd'.repeat(60)
    mkdirSync(join(dir, 'top', deep, deep), { recursive: true })
    writeFileSync(join(dir, 'top', 'README.md'), 'read me\n')
    writeFileSync(join(dir, 'top', deep, deep, 'leaf'), 'leaf\n')
    const made = spawnSync('tar', [`--format=${format}`, '-C', dir, '-czf', join(dir, 'x.tar.gz'), 'top'])
    expect(made.status).toBe(0)
    expect(read(readFileSync(join(dir, 'x.tar.gz')))).toEqual({
      'README.md': 'read me\n',
      [`${deep}/${deep}/leaf`]: 'leaf\n',
    })
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('any bytes give members or a known error', () => {
  const sound = tarball([
    folder,
    ['top/a', 'A'],
    { name: 'x', type: 'x', data: pax({ path: 'top/b' }) },
    ['c', 'B'],
  ])
  const flips = fc.array(fc.tuple(fc.nat(3071), fc.nat(255)), { maxLength: 8 })
  const archive = tarball([])
  expect(read(archive)).toEqual({})
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 2048 }), flips), (noise) => {
      const bytes = noise instanceof Uint8Array ? gzipSync(noise) : gzipSync(flip(sound, noise))
      try {
        for (const { name } of readTarball(bytes, 'x')) expect(name).not.toMatch(/^\/|(^|\/)\.\.(\/|$)/)
      } catch (error) {
        expect(error).toBeInstanceOf(KmsfleetError)
      }
    }),
    { numRuns: 300 },
  )
})

function flip(compressed: Uint8Array, noise: readonly (readonly [number, number])[]): Buffer {
  const bytes = gunzipSync(compressed)
  for (const [at, value] of noise) if (at < bytes.length) bytes[at] = value
  return bytes
}
