import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { editKnownHosts, writeKnownHosts } from '../../src/transport/known-hosts-file.ts'
import { fingerprint, judgeHostKey, parseKnownHosts, type HostKey } from '../../src/transport/known-hosts.ts'
import type { ScannedKey } from '../../src/transport/scan.ts'
import { parseFingerprints, planTrust, trustEdits, type TrustRequest } from '../../src/transport/trust.ts'
import { line, madeUpKey } from './keys.ts'

const ed = madeUpKey('ssh-ed25519', 1)
const newEd = madeUpKey('ssh-ed25519', 2)
const rsa = madeUpKey('ssh-rsa', 3)

function scanned(key: HostKey, host = 'db1'): ScannedKey {
  return { host, address: host, name: host, key, fingerprint: fingerprint(key) }
}

function request(keys: readonly HostKey[], text: string, more: Partial<TrustRequest> = {}): TrustRequest {
  return {
    scanned: keys.map((key) => scanned(key)),
    known: parseKnownHosts(text, 'f'),
    file: 'f',
    replace: new Set(),
    ...more,
  }
}

describe('what becomes of scanned keys', () => {
  const listed = [{ host: 'db1', fingerprint: fingerprint(ed) }]
  const replace = new Set(['db1'])
  test.each<[string, TrustRequest, string[]]>([
    ['first contact', request([ed, rsa], ''), ['add', 'add']],
    ['known', request([ed], line('db1', ed)), ['known']],
    ['a second type beside a known one', request([ed, rsa], line('db1', ed)), ['known', 'add']],
    ['changed', request([newEd], line('db1', ed)), ['transport.host-key-changed']],
    ['changed, hidden behind another type', request([rsa], line('db1', ed)), ['transport.host-key-changed']],
    ['changed, replace', request([newEd], line('db1', ed), { replace }), ['replace']],
    [
      'changed, replace of another host',
      request([newEd], line('db1', ed), { replace: new Set(['x']) }),
      ['transport.host-key-changed'],
    ],
    ['revoked', request([ed], `@revoked * ${ed.type} ${ed.base64}`), ['transport.host-key-revoked']],
    [
      'revoked, replace',
      request([ed], `@revoked * ${ed.type} ${ed.base64}`, { replace }),
      ['transport.host-key-revoked'],
    ],
    ['listed', request([ed], '', { fingerprints: listed }), ['add']],
    ['one of two listed', request([ed, rsa], '', { fingerprints: listed }), ['add', 'unlisted']],
    ['none listed', request([newEd], '', { fingerprints: listed }), ['transport.host-key-changed']],
    ['host not in the file', request([ed], '', { fingerprints: [] }), ['transport.host-key-changed']],
    [
      'listed does not replace',
      request([ed], line('db1', newEd), { fingerprints: listed }),
      ['transport.host-key-changed'],
    ],
    ['old key under a pattern', request([newEd], line('*', ed), { replace }), ['transport.known-hosts']],
    [
      'old key in another file',
      request([newEd], line('db1', ed), { replace, file: 'g' }),
      ['transport.known-hosts'],
    ],
  ])('%s', (_what, asked, expected) => {
    const found = planTrust(asked).map((decision) =>
      decision.is === 'refused' ? decision.error.code : decision.is,
    )
    expect(found).toEqual(expected)
  })

  test('a fingerprint vouches, a person has to look otherwise', () => {
    expect(planTrust(request([ed], ''))).toMatchObject([{ vouched: false }])
    expect(planTrust(request([ed], '', { fingerprints: listed }))).toMatchObject([{ vouched: true }])
  })

  test('replacing leaves no old key behind', () => {
    const text = `${line('db1', ed)}\n${line('db2,db1', rsa)}\n${line('db2', ed)}\n`
    const edits = trustEdits(planTrust(request([newEd], text, { replace })))
    const after = editKnownHosts(text, edits.additions, edits.removals)
    expect(after).toBe(`${line('db2', rsa)}\n${line('db2', ed)}\n${line('db1', newEd)}\n`)
  })
})

describe('fingerprint files', () => {
  const print = fingerprint(ed)
  test.each([
    [`db1 ${print}`, 'db1'],
    [`256 ${print} db1 (ED25519)`, 'db1'],
    [`256 ${print} root@db1 (ED25519)`, 'db1'],
    [`3072 ${print} [db1]:2222 (RSA)`, '[db1]:2222'],
  ])('%s', (text, host) => {
    expect(parseFingerprints(`# list\n\n${text}\r\n`, 'f')).toEqual([{ host, fingerprint: print }])
  })
  test.each([['db1'], ['db1 MD5:00:11'], [`db1 ${print.slice(0, -1)}`], [`db1 ${print} more`]])(
    'refuses %s with its line',
    (text) => {
      expect(() => parseFingerprints(`\n${text}`, 'f')).toThrow(
        expect.objectContaining({ code: 'transport.known-hosts', place: { file: 'f', line: 2, column: 1 } }),
      )
    },
  )
})

describe('the file', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kmsfleet-trust-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('keeps the bytes of other lines, also invalid ones and a missing newline', async () => {
    const file = join(folder, 'known_hosts')
    const old = Buffer.from(
      `# caf\xe9\r\n\t\n@revoked * ${rsa.type} ${rsa.base64}\n${line('DB2', ed)}  x`,
      'latin1',
    )
    await writeFile(file, old)
    await writeKnownHosts(file, [{ name: 'db1', key: ed }], [])
    const bytes = await readFile(file)
    expect(bytes.toString('latin1')).toBe(`${old.toString('latin1')}\n${line('db1', ed)}\n`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['known_hosts'])
  })

  test('hashes new names where the file does', () => {
    const hashed = `|1|${Buffer.alloc(20).toString('base64')}|${Buffer.alloc(20).toString('base64')}`
    const text = editKnownHosts(`${line(hashed, rsa)}\n`, [{ name: '[db1]:2222', key: ed }], [])
    expect(text).not.toContain('db1')
    expect(judgeHostKey(parseKnownHosts(text, 'f'), '[db1]:2222', ed)).toMatchObject({ is: 'known' })
    const removed = editKnownHosts(text, [], [{ name: '[db1]:2222', key: ed }])
    expect(removed).toBe(`${line(hashed, rsa)}\n`)
  })

  test('adding twice adds once', () => {
    const once = editKnownHosts('', [{ name: 'db1', key: ed }], [])
    expect(editKnownHosts(once, [{ name: 'db1', key: ed }], [])).toBe(once)
  })

  test('makes the folder, writes through a link', async () => {
    await writeKnownHosts(join(folder, 'a/b/real'), [{ name: 'db1', key: ed }], [])
    await symlink(join(folder, 'a/b/real'), join(folder, 'link'))
    await writeKnownHosts(join(folder, 'link'), [{ name: 'db2', key: ed }], [])
    expect(await readFile(join(folder, 'a/b/real'), 'utf8')).toBe(`${line('db1', ed)}\n${line('db2', ed)}\n`)
  })

  test.each([
    ['*'],
    ['db?'],
    ['!db1'],
    ['a,b'],
    ['a b'],
    ['|1|x|y'],
    ['a\nb'],
    [''],
    ['[*]:22'],
    ['@revoked'],
  ])('never writes the name %j', (name) => {
    expect(() => editKnownHosts('', [{ name, key: ed }], [])).toThrow(
      expect.objectContaining({ code: 'transport.known-hosts' }),
    )
  })
})
