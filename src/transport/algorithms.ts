import type { Algorithms, ServerHostKeyAlgorithm } from 'ssh2'

/** Signature algorithms of a host key type. SHA-1 (`ssh-rsa` as a signature) is left out on purpose. */
const signaturesOf: ReadonlyMap<string, readonly ServerHostKeyAlgorithm[]> = new Map([
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
] satisfies [string, ServerHostKeyAlgorithm[]][])

/** Host key types that ssh2 can verify, most wanted first. */
export const hostKeyTypes: readonly string[] = [...signaturesOf.keys()]

/**
 * What is offered to a server: ssh2's defaults without SHA-1, and for the host key only the `types` on record (a
 * legitimate second key of another type would look like a changed one). No usable type on record: all of them, so
 * that the key can at least be shown. Diffie-Hellman over a group of the server's choosing is left out: its check takes
 * more than a second of CPU, in which no other host is served. ssh2's order begins with the cheapest (docs/performance.md).
 */
export function offeredAlgorithms(types: readonly string[]): Algorithms {
  const known = types.flatMap((type) => signaturesOf.get(type) ?? [])
  return {
    serverHostKey: known.length > 0 ? known : [...signaturesOf.values()].flat(),
    kex: {
      append: [],
      prepend: [],
      remove: [
        'diffie-hellman-group-exchange-sha256',
        'diffie-hellman-group-exchange-sha1',
        'diffie-hellman-group14-sha1',
        'diffie-hellman-group1-sha1',
      ],
    },
    hmac: { append: [], prepend: [], remove: ['hmac-sha1', 'hmac-sha1-etm@openssh.com'] },
    compress: ['none'],
  }
}
