import { X509Certificate } from 'node:crypto'
import * as z from 'zod'

/** Which part of a credential everybody may see: the claims of a token, or certificates. */
export type PublicPart = 'claims' | 'certificates'

/** Claims of a JWT that decide whether it is of use, times in seconds since the epoch (RFC 7519, 4.1). */
const Claims = z.object({
  iss: z.string().optional(),
  sub: z.string().optional(),
  aud: z
    .union([z.string().transform((one) => [one]), z.array(z.string())])
    .transform((list): readonly string[] => list)
    .optional(),
  exp: z.number().optional(),
  nbf: z.number().optional(),
})
export type Claims = z.infer<typeof Claims>

const base64url = /^[A-Za-z0-9_-]+$/

/** Claims of the middle part of a JWT; undefined where it is none. */
export function claimsOf(segment: string): Claims | undefined {
  if (!base64url.test(segment)) return undefined
  const claims = Claims.safeParse(parseJson(Buffer.from(segment, 'base64url').toString('utf8')))
  return claims.success ? claims.data : undefined
}

/** Claims of a whole JWT in its compact form. Its signature is not checked: the provider's server does that. */
export function claimsOfToken(token: string): Claims | undefined {
  const [header = '', segment = '', signature = '', ...rest] = token.trim().split('.')
  return base64url.test(header) && base64url.test(signature) && rest.length === 0
    ? claimsOf(segment)
    : undefined
}

const pem = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** All certificates of a PEM text in their order; undefined where one is none. */
export function certificatesOf(text: string): readonly X509Certificate[] | undefined {
  try {
    return (text.match(pem) ?? []).map((one) => new X509Certificate(one))
  } catch {
    return undefined
  }
}

/** Seconds since the epoch until which a certificate is valid. */
export function notAfter(certificate: X509Certificate): number {
  return Math.floor(Date.parse(certificate.validTo) / 1000)
}

/**
 * When a credential expires by its public part, in seconds since the epoch; of a chain, its first certificate counts.
 * Undefined where it never does, or is none.
 */
export function expiryOf(part: PublicPart, text: string): number | undefined {
  if (part === 'claims') return claimsOf(text.trim())?.exp
  const [leaf] = certificatesOf(text) ?? []
  return leaf === undefined ? undefined : notAfter(leaf)
}

/** A time in seconds as an operator reads it. */
export function showTime(seconds: number): string {
  const date = new Date(seconds * 1000)
  // A token may claim any number.
  return Number.isNaN(date.getTime()) ? `at ${String(seconds)} s` : date.toISOString().replace('.000', '')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
