import type { Duplex } from 'node:stream'
import ssh2 from 'ssh2'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { hostKeyTypes, offeredAlgorithms } from './algorithms.ts'
import { AttemptError, unreachable } from './dial.ts'
import { interrupted, target } from './failures.ts'
import { fingerprint, hostKeyOfBlob, knownHostsName, type HostKey } from './known-hosts.ts'

/** A key that a host presented to somebody who did not log in. Nobody vouched for it yet. */
export interface ScannedKey {
  /** Name in the inventory. */
  readonly host: string
  readonly address: string
  /** As known_hosts names it: `host` or `[host]:port`. */
  readonly name: string
  readonly key: HostKey
  /** `SHA256:…` */
  readonly fingerprint: string
}

/** Gathers a host's keys, one connection for each key type. `carry` opens a way to its sshd. */
export async function scanKeys(
  host: string,
  settings: ConnectionSettings,
  carry: () => Promise<Duplex>,
  signal: AbortSignal,
): Promise<readonly ScannedKey[]> {
  const keys: ScannedKey[] = []
  for (const type of hostKeyTypes) {
    const key = await presentedKey(host, settings, await carry(), type, signal)
    if (key === undefined) continue
    keys.push({
      host,
      address: settings.address,
      name: knownHostsName(settings.address, settings.port),
      key,
      fingerprint: fingerprint(key),
    })
  }
  if (keys.length > 0) return keys
  throw new KmsfleetError(
    'transport.handshake',
    `${host}: expected a host key of ${target(settings)} of type ${hostKeyTypes.join(', ')}, found none`,
    { hint: 'Give the host an Ed25519 key: ssh-keygen -A.' },
  )
}

/**
 * The host's key of one type, or undefined where it has none. A key counts once the host has signed with it: whoever
 * is in between could show the public key on record, and pass a key of his own off as the host's second one.
 */
function presentedKey(
  host: string,
  settings: ConnectionSettings,
  carrier: Duplex,
  type: string,
  signal: AbortSignal,
): Promise<HostKey | undefined> {
  const client = new ssh2.Client()
  return new Promise<HostKey | undefined>((resolve, reject) => {
    let presented: HostKey | undefined
    const abort = (): void => {
      reject(interrupted(host))
      carrier.destroy()
    }
    signal.addEventListener('abort', abort, { once: true })
    const timer = setTimeout(() => {
      reject(new AttemptError(unreachable(host, settings, 'no host key in time'), true))
      carrier.destroy()
    }, settings.connectTimeoutMs)
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      if (error?.message.includes('no matching host key') === true) resolve(undefined)
      else if (error?.message.includes('signature verification failed') === true) {
        reject(unproven(host, settings, presented))
      } else {
        const found = error?.message ?? 'the connection closed during the handshake'
        reject(new AttemptError(unreachable(host, settings, found, error), true))
      }
      carrier.destroy()
    }
    client.on('handshake', () => {
      resolve(presented)
      settle()
    })
    client.on('error', settle)
    client.on('close', () => {
      settle()
    })
    client.connect({
      sock: carrier,
      username: settings.user,
      readyTimeout: 0,
      algorithms: offeredAlgorithms([type]),
      // No login follows: the connection ends as soon as the signature has been verified.
      authHandler: () => undefined,
      hostVerifier: (blob: Buffer): boolean => {
        presented = hostKeyOfBlob(blob)
        return presented !== undefined
      },
    })
  })
}

function unproven(host: string, settings: ConnectionSettings, key: HostKey | undefined): KmsfleetError {
  const found = key === undefined ? 'a key' : `${key.type} ${fingerprint(key)}`
  return new KmsfleetError(
    'transport.handshake',
    `${host}: expected ${target(settings)} to prove the host key that it shows, found ${found} without a valid signature`,
    { hint: 'Someone may be in between: compare the fingerprints on the host itself.' },
  )
}
