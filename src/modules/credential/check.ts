import type { ErrorCode } from '../../errors/codes.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { certificatesOf, claimsOfToken, notAfter, type PublicPart, showTime } from '../../model/expiry.ts'

export const kinds = ['jwt', 'certificate_chain', 'ca_bundle', 'client_secret', 'pin', 'opaque'] as const
export type CredentialKind = (typeof kinds)[number]

/** What a token must say of itself; empty is anything. */
export interface ExpectedClaims {
  readonly issuer?: string | undefined
  readonly audience?: string | undefined
  readonly subject?: string | undefined
}

/** Which part of a kind tells when it expires. */
export const publicPartOf: Readonly<Record<CredentialKind, PublicPart | undefined>> = {
  jwt: 'claims',
  certificate_chain: 'certificates',
  ca_bundle: undefined,
  client_secret: undefined,
  pin: undefined,
  opaque: undefined,
}

/** What the provider reads of a one-line secret at most. */
const longestLine = 64 * 1024

interface Checked {
  readonly bytes: Uint8Array
  /** Names the secret or the destination, never content. */
  readonly label: string
  /** Seconds since the epoch. */
  readonly now: number
  /** Seconds that it must still be valid for. */
  readonly remaining: number
  readonly expected: ExpectedClaims
}

/**
 * Checks a credential before any host is contacted; gives when it expires, in seconds since the epoch, where it does.
 * Throws `credential.*`, naming times and claims, which are public, and nothing else of it.
 */
export function checkCredential(kind: CredentialKind, checked: Checked): number | undefined {
  switch (kind) {
    case 'jwt':
      return checkToken(checked)
    case 'certificate_chain':
      return checkChain(checked)
    case 'ca_bundle':
      checkBundle(checked)
      return undefined
    case 'client_secret':
    case 'pin':
      checkLine(checked)
      return undefined
    case 'opaque':
      return undefined
  }
}

function checkToken(checked: Checked): number | undefined {
  const { bytes, label, expected } = checked
  const claims = claimsOfToken(Buffer.from(bytes).toString('latin1'))
  if (claims === undefined) throw wrong('credential.form', `expected a JWT in ${label}, found another form`)
  const { iss, aud = [], sub, exp, nbf } = claims
  const pairs = [
    ['issuer', expected.issuer, iss === undefined ? [] : [iss]],
    ['audience', expected.audience, aud],
    ['subject', expected.subject, sub === undefined ? [] : [sub]],
  ] as const
  for (const [name, wanted, found] of pairs) {
    if (wanted === undefined || wanted === '' || found.includes(wanted)) continue
    // A token that was mistaken for the provider's may be a person's, whose name is nobody's business.
    const shown = name === 'subject' ? 'another' : JSON.stringify(found.join(' '))
    throw wrong(
      'credential.claims',
      `expected the ${name} ${JSON.stringify(wanted)} in ${label}, found ${found.length === 0 ? 'none' : shown}`,
    )
  }
  checkTimes(nbf, exp, checked)
  return exp
}

function checkChain(checked: Checked): number {
  const certificates = certificatesIn(checked)
  const [leaf] = certificates
  if (leaf === undefined) throw noCertificate(checked.label)
  const broken = certificates.findIndex((each, index) => {
    const issuer = certificates[index + 1]
    return issuer !== undefined && !each.checkIssued(issuer)
  })
  if (broken !== -1) {
    throw wrong(
      'credential.form',
      `expected each certificate of ${checked.label} to be issued by the next, found another after number ${String(broken + 1)}`,
      'the certificate of the client comes first, then its issuer, and so on',
    )
  }
  checkTimes(Math.floor(Date.parse(leaf.validFrom) / 1000), notAfter(leaf), checked)
  return notAfter(leaf)
}

function checkBundle(checked: Checked): void {
  const certificates = certificatesIn(checked)
  if (certificates.length === 0) throw noCertificate(checked.label)
  const latest = Math.max(...certificates.map(notAfter))
  checkTimes(undefined, latest, checked)
}

/** A key that is sent along would be readable by all who may read the certificates. */
function certificatesIn({ bytes, label }: Checked): NonNullable<ReturnType<typeof certificatesOf>> {
  const text = Buffer.from(bytes).toString('latin1')
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw wrong(
      'credential.form',
      `expected certificates only in ${label}, found a private key`,
      'the key belongs into the token; take it out of the file',
    )
  }
  const certificates = certificatesOf(text)
  if (certificates === undefined) throw noCertificate(label)
  return certificates
}

function noCertificate(label: string): KmsfleetError {
  return wrong('credential.form', `expected PEM certificates in ${label}, found none that can be read`)
}

function checkLine({ bytes, label }: Checked): void {
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/\r?\n$/, '')
  if (text !== '' && bytes.length <= longestLine && !/[\u0000-\u001f\u007f]/.test(text)) return
  throw wrong(
    'credential.form',
    `expected one line of at most ${String(longestLine)} bytes in ${label}, found another form`,
  )
}

function checkTimes(
  from: number | undefined,
  until: number | undefined,
  { label, now, remaining }: Checked,
): void {
  if (from !== undefined && from > now) {
    throw wrong(
      'credential.expired',
      `expected ${label} to be valid now, found that it is from ${showTime(from)}`,
    )
  }
  if (until === undefined || until > now + remaining) return
  const bound = remaining === 0 ? 'now' : `until ${showTime(now + remaining)}`
  throw wrong(
    'credential.expired',
    `expected ${label} to be valid ${bound}, found that it expires ${showTime(until)}`,
    'get a new one from its issuer',
  )
}

function wrong(code: ErrorCode, message: string, hint?: string): KmsfleetError {
  return new KmsfleetError(code, message, hint === undefined ? {} : { hint })
}
