import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { Secret } from '../model/secret.ts'

/** Bytes of a secret at most, whatever its source. */
export const secretLimit = 1024 * 1024

/**
 * The secret that a source gave. Refused where it is empty: written to a host it would lock its reader out. `where`
 * says where the bytes come from, such as `in /path`.
 */
export function secretOf(
  name: string,
  bytes: Uint8Array,
  where: string,
  at: { readonly place?: Place },
): Secret {
  const found =
    bytes.length === 0
      ? 'nothing in it'
      : bytes.every(isSpace)
        ? 'white space only'
        : bytes.length > secretLimit
          ? `more than ${String(secretLimit)} bytes`
          : undefined
  if (found === undefined) return new Secret(name, bytes)
  throw new KmsfleetError('secret.empty', `expected the secret \`${name}\` ${where}, found ${found}`, {
    ...at,
    hint: 'an empty secret is never written',
  })
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}
