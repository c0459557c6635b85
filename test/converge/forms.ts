import { createHash } from 'node:crypto'

/** A text as it may turn up: plain, in hex, percent-encoded, in base64 at each of its three offsets, and as a digest. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].map((offset) => {
    // Characters at the ends also hold bits of what stands before and behind.
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return text.slice(Math.ceil((offset * 8) / 6), -1)
  })
  const digest = createHash('sha256').update(bytes).digest()
  return [
    secret,
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(secret),
    [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    digest.toString('hex').slice(0, 12),
    digest.toString('base64').slice(0, 16),
  ]
}
