import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { claimsOf } from '../../src/model/expiry.ts'
import { Secret } from '../../src/model/secret.ts'
import { modules } from '../../src/modules/registry.ts'
import {
  checkCredential,
  type CredentialKind,
  type ExpectedClaims,
} from '../../src/modules/credential/check.ts'
import { folderWith, problemsOf } from '../document/problems.ts'
import { makeAuthority, makeCertificate } from '../sources/certificates.ts'
import { context } from './context.ts'

const now = 1_800_000_000
const signature = 'planted-Signature'

function jwt(claims: unknown): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'ES256' })}.${part(claims)}.${signature}`
}

function check(
  kind: CredentialKind,
  text: string,
  more: { readonly now?: number; readonly remaining?: number; readonly expected?: ExpectedClaims } = {},
): string {
  const checked = { bytes: Buffer.from(text), label: 'the file', now, remaining: 0, expected: {}, ...more }
  let expires: number | undefined
  const problems = problemsOf(() => {
    expires = checkCredential(kind, checked)
  })
  expect(problems.join()).not.toContain(signature)
  return problems[0] ?? `expires ${String(expires)}`
}

const good = { iss: 'https://issuer', aud: ['openbao', 'other'], sub: 'node', exp: now + 100 }

test.each<[claims: unknown, expected: ExpectedClaims, remaining: number, result: string]>([
  [good, {}, 0, `expires ${String(now + 100)}`],
  [good, { issuer: 'https://issuer', audience: 'openbao', subject: 'node' }, 0, 'expires'],
  [{ ...good, aud: 'openbao' }, { audience: 'openbao' }, 0, 'expires'],
  [{ ...good, exp: undefined }, {}, 1000, 'expires undefined'],
  [
    good,
    { issuer: 'https://evil' },
    0,
    '- credential.claims expected the issuer "https://evil" in the file, found "https://issuer"',
  ],
  [
    good,
    { audience: 'bao' },
    0,
    '- credential.claims expected the audience "bao" in the file, found "openbao other"',
  ],
  [
    { exp: now + 9 },
    { subject: 'x' },
    0,
    '- credential.claims expected the subject "x" in the file, found none',
  ],
  [
    { ...good, sub: 'jane.doe@example.org' },
    { issuer: 'https://issuer', subject: 'node' },
    0,
    '- credential.claims expected the subject "node" in the file, found another',
  ],
  [
    { ...good, exp: now },
    {},
    0,
    '- credential.expired expected the file to be valid now, found that it expires 2027-01-15T08:00:00Z',
  ],
  [
    good,
    {},
    100,
    '- credential.expired expected the file to be valid until 2027-01-15T08:01:40Z, found that it expires 2027-01-15T08:01:40Z',
  ],
  [
    { ...good, nbf: now + 1 },
    {},
    0,
    '- credential.expired expected the file to be valid now, found that it is from 2027-01-15T08:00:01Z',
  ],
  [{ ...good, exp: 'soon' }, {}, 0, '- credential.form expected a JWT'],
  [[], {}, 0, '- credential.form expected a JWT'],
])('a token %j, expected %j, needed for %i s: %s', (claims, expected, remaining, result) => {
  expect(check('jwt', jwt(claims), { expected, remaining })).toContain(result)
})

test.each(['', 'a.b', 'a.b.c.d', 'not a token', `${jwt(good)}.x`])('%j is no token', (text) => {
  expect(check('jwt', text)).toContain('credential.form')
})

test('claims are read of any text, or not', () => {
  for (const text of ['', '.', '\0', Buffer.from('{').toString('base64url'), 'e30=']) {
    expect(claimsOf(text)).toBeUndefined()
  }
})

describe('certificates', () => {
  let today = 0
  let authority: string
  let leaf: string
  let stranger: string
  let key: string
  beforeAll(() => {
    const folder = folderWith({})
    const made = makeAuthority(folder, 'ca')
    authority = readFileSync(made.certificate, 'utf8')
    key = readFileSync(made.key, 'utf8')
    leaf = readFileSync(makeCertificate(folder, 'leaf', made, 'DNS:x', 1).certificate, 'utf8')
    stranger = readFileSync(makeAuthority(folder, 'stranger').certificate, 'utf8')
    today = Math.floor(Date.now() / 1000) + 1
  })
  const found = (kind: CredentialKind, text: string, at = today, remaining = 0): string =>
    check(kind, text, { now: at, remaining })

  test('in a chain are each issued by the next, and the first counts', () => {
    expect(found('certificate_chain', leaf + authority)).toMatch(/^expires \d+$/)
    expect(Number(found('certificate_chain', leaf).slice(8))).toBeLessThan(today + 86_410)
    expect(found('certificate_chain', authority + leaf)).toContain('found another after number 1')
    expect(found('certificate_chain', leaf + stranger)).toContain('found another after number 1')
    expect(found('certificate_chain', leaf, today, 100_000)).toContain('credential.expired')
    expect(found('certificate_chain', leaf, today - 86_400)).toContain('it is from')
    expect(found('certificate_chain', leaf, today + 90_000)).toContain('it expires')
  })

  test('in a bundle stand in any order, and one must be valid', () => {
    expect(found('ca_bundle', `# mine\n${stranger}\n${authority}`)).toBe('expires undefined')
    expect(found('ca_bundle', stranger, today + 300_000)).toContain('credential.expired')
  })

  test.each<CredentialKind>(['certificate_chain', 'ca_bundle'])('and no key: %s', (kind) => {
    expect(found(kind, leaf + key)).toContain('found a private key | the key belongs into the token')
    expect(found(kind, '')).toContain('found none')
    expect(found(kind, leaf.replace(/[A-Z]{3}/g, 'AAA'))).toMatch(/found none|credential/)
  })
})

test.each<[CredentialKind, string, string]>([
  ['pin', '123456', 'expires undefined'],
  ['pin', '123456\n', 'expires undefined'],
  ['pin', '12\n34', 'credential.form'],
  ['client_secret', 'x'.repeat(65_537), 'credential.form'],
  ['client_secret', 'a\0b', 'credential.form'],
  ['opaque', 'a\n\0b', 'expires undefined'],
])('%s %j: %s', (kind, text, result) => {
  expect(check(kind, text)).toContain(result)
})

describe('the arguments', () => {
  const owned = { dest: '/etc/x', kind: 'opaque', owner: 'root', group: 'root', mode: '0640' }
  const module = modules.get('credential')

  test.each<[Record<string, unknown>, string | undefined]>([
    [{ content: 'x' }, undefined],
    [{ policy: 'external' }, undefined],
    [{}, 'expected `content`, and none where the policy is `external`'],
    [{ policy: 'external', content: 'x' }, 'expected `content`, and none where the policy is `external`'],
    [{ content: 'x', renew_before: 5 }, 'expected `renew_before` for the policy `seed` only'],
    [{ content: 'x', policy: 'seed', owner: 'kms' }, 'expected a seed to be owned by root'],
    [{ content: 'x', audience: 'y' }, 'expected `issuer`, `audience` and `subject` for a `jwt` only'],
  ])('%j: %s', (more, expected) => {
    const parsed = module?.args.safeParse({ ...owned, ...more })
    const messages = parsed?.success === false ? parsed.error.issues.map((issue) => issue.message) : []
    expect(messages.join()).toContain(expected ?? '')
    expect(parsed?.success).toBe(expected === undefined)
  })

  test('of a token that is of no use are refused before any contact, where its source was opened', () => {
    const args = (content: Secret): unknown => module?.args.parse({ ...owned, kind: 'jwt', content })
    const old = new Secret('old', Buffer.from(jwt({ exp: 1 })))
    expect(problemsOf(() => module?.resources(args(old), context())).join()).toContain('credential.expired')
    expect(module?.resources(args(old), context({ secretsOpened: false }))).toHaveLength(1)
  })
})
