import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { interrupted, messageOf, systemCode, target } from './failures.ts'

/** A failure of an attempt that did not yet authenticate; `again` says whether another attempt may help. */
export class AttemptError extends Error {
  readonly error: KmsfleetError
  readonly again: boolean

  constructor(error: KmsfleetError, again: boolean) {
    super(error.message)
    this.error = error
    this.again = again
  }
}

/** Attempts for one connection, all before authentication. */
const attempts = 3
const firstPauseMs = 300

const transient: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
])

/** Worth another attempt: the network's or a busy sshd's fault. */
export function isTransient(error: unknown): boolean {
  return transient.has(systemCode(error) ?? '')
}

/** Repeats `attempt` with jitter while it fails with an {@link AttemptError} that may pass. */
export async function withRetries<T>(
  host: string,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let number = 1; ; number += 1) {
    stopIfAborted(host, signal)
    try {
      return await attempt()
    } catch (error) {
      stopIfAborted(host, signal)
      if (!(error instanceof AttemptError)) throw error
      if (!error.again || number === attempts) throw error.error
      const pause = firstPauseMs * 2 ** (number - 1) * (0.5 + Math.random())
      await delay(pause, undefined, { signal }).catch(() => undefined)
    }
  }
}

function stopIfAborted(host: string, signal: AbortSignal): void {
  if (signal.aborted) throw interrupted(host)
}

/** Opens a TCP connection; rejects with an {@link AttemptError}. */
export function dial(host: string, settings: ConnectionSettings, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({
      host: settings.address,
      port: settings.port,
      noDelay: true,
      keepAlive: true,
      // The default of 250 ms for each address of a name gives up on far hosts.
      autoSelectFamilyAttemptTimeout: Math.max(1000, Math.floor(settings.connectTimeoutMs / 4)),
    })
    const settle = (error?: AttemptError): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.removeAllListeners()
      // Also where it succeeded: it may break before the SSH client listens, and that must not end the process.
      socket.on('error', () => undefined)
      if (error === undefined) {
        resolve(socket)
        return
      }
      socket.destroy()
      reject(error)
    }
    const abort = (): void => {
      settle(new AttemptError(interrupted(host), false))
    }
    const timer = setTimeout(() => {
      const seconds = String(settings.connectTimeoutMs / 1000)
      settle(new AttemptError(unreachable(host, settings, `no answer within ${seconds} s`), true))
    }, settings.connectTimeoutMs)
    signal.addEventListener('abort', abort, { once: true })
    socket.once('connect', () => {
      settle()
    })
    socket.once('error', (error) => {
      settle(new AttemptError(unreachable(host, settings, explain(error), error), isTransient(error)))
    })
    if (signal.aborted) abort()
  })
}

export function unreachable(
  host: string,
  settings: ConnectionSettings,
  found: string,
  cause?: unknown,
): KmsfleetError {
  return new KmsfleetError(
    'transport.unreachable',
    `${host}: expected an SSH server at ${target(settings)}, found ${found}`,
    { hint: 'Check address, port, firewall and whether sshd runs.', cause },
  )
}

function explain(error: unknown): string {
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return 'the connection refused'
    case 'ENOTFOUND':
      return 'no such host name'
    case 'EAI_AGAIN':
      return 'no answer from the name service'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no route to it'
    case 'ETIMEDOUT':
      return 'no answer'
    case undefined:
    default:
      return messageOf(error)
  }
}
