import type { Stats } from 'node:fs'
import { readRegularFile, showFailure } from '../document/read.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import type { Secret } from '../model/secret.ts'
import { secretLimit, secretOf } from './content.ts'

/**
 * Reads a secret from a file of the workstation into memory. Refused where other accounts can read the
 * file, where it is no regular file, too large, or holds nothing. Messages name the path, never content.
 */
export function readSecretFile(path: string, name: string, place?: Place): Secret {
  const at = place === undefined ? {} : { place }
  const read = readRegularFile(path, secretLimit, (stat) => {
    refuseExposed(stat, path, name, at)
  })
  if (read.is !== 'read') {
    throw new KmsfleetError(
      'secret.unreadable',
      `expected the secret \`${name}\` in ${path}, ${showFailure(read, secretLimit)}`,
      at,
    )
  }
  return secretOf(name, read.bytes, `in ${path}`, at)
}

/** The group bits are also the mask of an access control list, so they cover extra entries too. */
function refuseExposed(stat: Stats, path: string, name: string, at: { readonly place?: Place }): void {
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0')
  if ((stat.mode & 0o077) !== 0) {
    throw new KmsfleetError(
      'secret.exposed',
      `expected mode 0600 or less for ${path} with the secret \`${name}\`, found ${mode}`,
      { ...at, hint: `chmod 600 ${path}` },
    )
  }
  const self = process.geteuid?.()
  if (self !== undefined && stat.uid !== self && stat.uid !== 0) {
    throw new KmsfleetError(
      'secret.exposed',
      `expected ${path} with the secret \`${name}\` to be owned by uid ${String(self)} or root, found uid ${String(stat.uid)}`,
      at,
    )
  }
}
