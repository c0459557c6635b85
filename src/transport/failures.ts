import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'

/** `user@address:port`, as messages name the far end. */
export function target(settings: ConnectionSettings): string {
  const address = settings.address.includes(':') ? `[${settings.address}]` : settings.address
  return `${settings.user}@${address}:${String(settings.port)}`
}

/** The `code` of a Node error (ECONNREFUSED, ENOENT, ...), where it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** ssh2's `level` of an error: client-socket, client-timeout, client-authentication, handshake, protocol, agent. */
export function ssh2Level(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('level' in error)) return undefined
  return typeof error.level === 'string' ? error.level : undefined
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function interrupted(host: string): KmsfleetError {
  return new KmsfleetError(
    'transport.interrupted',
    `${host}: expected a connection, found the run interrupted`,
  )
}

/** `why` completes "the connection broke: …" and must be free of secrets. */
export function lost(host: string, why: string, cause?: unknown): KmsfleetError {
  return new KmsfleetError(
    'transport.lost',
    `${host}: expected the program to end by itself, found that the connection broke: ${why}`,
    {
      hint: 'What was sent last may or may not have been done; run the command again, it picks up what is left.',
      cause,
    },
  )
}

/** Waits for something shared without taking it down when this host's run is interrupted. */
export function abortable<T>(host: string, shared: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(interrupted(host))
    }
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    shared.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort)
    })
  })
}
