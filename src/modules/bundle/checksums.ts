import { KmsfleetError } from '../../errors/error.ts'
import { limits } from './limits.ts'

const row = /^([0-9a-fA-F]{64}) [ *](.+)$/

/**
 * The SHA-256 that a checksums file in the format of `sha256sum` names for a file. There must be exactly one
 * row for it: with two, which one counts would be up to the reader.
 *
 * @param name base name of the file
 * @param source path of the checksums file, for messages
 * @returns 64 lower-case hex digits
 */
export function checksumOf(name: string, bytes: Uint8Array, source: string): string {
  if (bytes.length > limits.checksums) {
    throw new KmsfleetError(
      'bundle.checksum',
      `${source}: expected at most ${String(limits.checksums)} bytes, found ${String(bytes.length)}`,
    )
  }
  const digests = Buffer.from(bytes)
    .toString('utf8')
    .split(/\r?\n/)
    .flatMap((line) => {
      const [, digest, file] = row.exec(line) ?? []
      return digest !== undefined && file === name ? [digest.toLowerCase()] : []
    })
  const [digest] = digests
  if (digest === undefined || digests.length > 1) {
    throw new KmsfleetError(
      'bundle.checksum',
      `${source}: expected exactly one row for ${name}, found ${digests.length === 0 ? 'none' : String(digests.length)}`,
      { hint: 'Use the checksums file of the same release, as `sha256sum` writes it.' },
    )
  }
  return digest
}
