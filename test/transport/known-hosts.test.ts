import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fingerprint,
  judgeHostKey,
  knownHostsName,
  knownTypes,
  namesExactly,
  namesMatch,
  parseKnownHosts,
  parsePublicKeyLine,
} from '../../src/transport/known-hosts.ts'
import { line, madeUpKey } from './keys.ts'

const ed = madeUpKey('ssh-ed25519', 1)
const otherEd = madeUpKey('ssh-ed25519', 2)
const rsa = madeUpKey('ssh-rsa', 3)

function hashed(name: string): string {
  const salt = Buffer.alloc(20, 7)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

describe('names', () => {
  test.each([
    ['db1', 'db1', true],
    ['db1', 'db2', false],
    ['DB1', 'db1', true],
    ['db1,10.0.0.1', '10.0.0.1', true],
    ['*', 'anything', true],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'example.com', false],
    ['db?', 'db1', true],
    ['db?', 'db12', false],
    ['*,!db1', 'db1', false],
    ['!db1,*', 'db1', false],
    ['*,!db1', 'db2', true],
    ['!db1', 'db2', false],
    ['[db1]:2222', '[db1]:2222', true],
    ['[db1]:2222', 'db1', false],
    ['db1', '[db1]:2222', false],
    ['[*]:2222', '[db1]:2222', true],
    ['db.', 'dbx', false],
    ['', 'db1', false],
    [hashed('db1'), 'db1', true],
    [hashed('db1'), 'db2', false],
    [hashed('[db1]:2222'), '[db1]:2222', true],
    ['|1|!!!|???', 'db1', false],
    ['|2|AAAA|BBBB', 'db1', false],
  ])('%s covers %s: %s', (names, name, covers) => {
    expect(namesMatch(names, name)).toBe(covers)
  })

  test('a hostile pattern costs no exponential time', () => {
    expect(namesMatch(`${'*a'.repeat(5000)}b`, 'a'.repeat(5000))).toBe(false)
  })

  test('a name without special characters covers itself and nothing else', () => {
    const name = fc.stringMatching(/^[a-z0-9.:-]{1,20}$/)
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(namesMatch(a, b)).toBe(a === b)
        expect(namesMatch(hashed(a), b)).toBe(a === b)
      }),
    )
  })

  test.each([
    ['db1', 22, 'db1'],
    ['DB1', 22, 'db1'],
    ['db1', 2222, '[db1]:2222'],
    ['::1', 22, '::1'],
    ['::1', 2222, '[::1]:2222'],
  ])('%s port %i is %s', (address, port, name) => {
    expect(knownHostsName(address, port)).toBe(name)
  })

  test.each([
    ['db1', true],
    ['db1,db2', true],
    [hashed('db1'), true],
    ['db*', false],
    ['db1,db*', false],
    ['db2', false],
  ])('%s names db1 itself: %s', (names, exact) => {
    expect(namesExactly(names, 'db1')).toBe(exact)
  })
})

describe('lines that are skipped', () => {
  test.each([
    [''],
    ['# comment'],
    ['   # comment'],
    ['db1'],
    ['db1 ssh-ed25519'],
    ['db1 ssh-ed25519 %%%'],
    ['db1 2048 65537 1234567890'],
    [`db1 ssh-rsa ${ed.base64}`],
    [`@unknown-marker db1 ${ed.type} ${ed.base64}`],
    ['db1 ssh-ed25519 AAAA'],
  ])('%s', (text) => {
    expect(parseKnownHosts(text, 'f')).toEqual([])
  })

  test('any bytes give a list', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(Array.isArray(parseKnownHosts(text, 'f'))).toBe(true)
      }),
    )
  })
})

describe('verdicts', () => {
  const authority = `@cert-authority * ${ed.type} ${ed.base64}`
  test.each([
    ['nothing on record', '', { is: 'unknown' }],
    ['the key', line('db1', ed), { is: 'known', origin: 'f:1' }],
    [
      'the key, with tabs and a comment',
      `db1\t${ed.type}\t${ed.base64} root@db1`,
      { is: 'known', origin: 'f:1' },
    ],
    ['CRLF', `${line('db1', ed)}\r\n`, { is: 'known', origin: 'f:1' }],
    ['the key of another host', line('db2', ed), { is: 'unknown' }],
    ['another key', line('db1', otherEd), { is: 'changed', expected: [otherEd], origin: 'f:1' }],
    [
      'two keys of a type, one right',
      `${line('db1', otherEd)}\n${line('db1', ed)}`,
      { is: 'known', origin: 'f:2' },
    ],
    [
      'only another type',
      line('db1', rsa),
      { is: 'unknown', because: 'on record are only its keys of type ssh-rsa' },
    ],
    ['revoked', `${line('db1', ed)}\n@revoked * ${ed.type} ${ed.base64}`, { is: 'revoked', origin: 'f:2' }],
    [
      'another key revoked',
      `${line('db1', ed)}\n@revoked * ${rsa.type} ${rsa.base64}`,
      { is: 'known', origin: 'f:1' },
    ],
    [
      'revoked for another host',
      `${line('db1', ed)}\n@revoked db2 ${ed.type} ${ed.base64}`,
      { is: 'known', origin: 'f:1' },
    ],
    [
      'an authority',
      authority,
      { is: 'unknown', because: 'certificate authorities (f:1) need --transport openssh' },
    ],
    ['negated', line('*,!db1', ed), { is: 'unknown' }],
  ])('%s', (_what, text, verdict) => {
    expect(judgeHostKey(parseKnownHosts(text, 'f'), 'db1', ed)).toEqual(verdict)
  })

  test('types on record leave out revoked keys and authorities', () => {
    const text = `${line('db1', rsa)}\n@revoked db1 ${ed.type} ${ed.base64}\n${authority}`
    expect(knownTypes(parseKnownHosts(text, 'f'), 'db1')).toEqual(['ssh-rsa'])
  })
})

test('a fingerprint is as ssh-keygen prints it', () => {
  const github = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
  const key = parsePublicKeyLine(github)
  // Published by GitHub.
  expect(key && fingerprint(key)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU')
})
