import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import ssh2 from 'ssh2'
import type { Client } from 'ssh2'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { offeredAlgorithms } from './algorithms.ts'
import { AttemptError, isTransient, unreachable } from './dial.ts'
import { interrupted, messageOf, ssh2Level, target } from './failures.ts'
import { hostKeyError, type HostKeyPolicy } from './host-keys.ts'
import { hostKeyOfBlob, knownHostsName } from './known-hosts.ts'
import { prepareLogin, type Credentials } from './login.ts'

/** Time for the login after the key exchange; not counted while a person types a passphrase. */
const loginTimeoutMs = 30_000
const keepaliveIntervalMs = 5000
const keepaliveMissesAllowed = 3

/** An authenticated connection, and what it stands on. */
export interface SshClient {
  readonly client: Client
  readonly carrier: Duplex
  /** Why the connection broke, once it did. */
  broken(): string | undefined
}

/**
 * Key exchange, host key check and login over an open `carrier` (a socket, or a channel of the jump host). Rejects
 * with an {@link AttemptError} while nothing was authenticated, else with a KmsfleetError; the carrier is then closed.
 */
export async function openClient(
  host: string,
  settings: ConnectionSettings,
  carrier: Duplex,
  policy: HostKeyPolicy,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<SshClient> {
  const client = new ssh2.Client()
  let stage: 'handshake' | 'login' | 'open' = 'handshake'
  let refused: KmsfleetError | undefined
  let why: string | undefined
  let reject: (error: Error) => void = () => undefined
  let timer: NodeJS.Timeout | undefined
  let greeting = ''

  const giveUp = (error: Error): void => {
    clearTimeout(timer)
    reject(error)
    carrier.destroy()
  }
  const startClock = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      giveUp(tooSlow(host, settings, stage, ms))
    }, ms)
  }
  const login = await prepareLogin(settings, credentials, {
    pause: () => {
      clearTimeout(timer)
    },
    resume: () => {
      if (stage === 'login') startClock(loginTimeoutMs)
    },
    giveUp: () => {
      giveUp(login.failed(host))
    },
  })
  const abort = (): void => {
    giveUp(new AttemptError(interrupted(host), false))
  }
  // A busy sshd says why before it closes ("Exceeded MaxStartups"); ssh2 drops it.
  carrier.once('data', (bytes: Buffer) => {
    const [line = ''] = bytes.toString('latin1', 0, 80).split(/[\r\n]/)
    if (!line.startsWith('SSH-')) greeting = line
  })

  return new Promise<SshClient>((resolve, rejectClient) => {
    reject = rejectClient
    signal.addEventListener('abort', abort, { once: true })
    client.on('handshake', () => {
      if (stage !== 'handshake') return
      stage = 'login'
      startClock(loginTimeoutMs)
    })
    client.on('error', (error) => {
      why ??= messageOf(error)
      if (stage === 'open') return
      // ssh2 goes on with the next credential after these.
      if (stage === 'login' && ssh2Level(error) === 'agent') return
      if (refused !== undefined) giveUp(refused)
      else if (stage === 'login') {
        giveUp(isTransient(error) ? login.brokeOff(host, error) : login.failed(host, error))
      } else giveUp(handshakeFailed(host, settings, policy, error, greeting))
    })
    client.on('close', () => {
      why ??= 'the host closed the connection'
      if (stage === 'open') return
      if (refused !== undefined) giveUp(refused)
      else if (stage === 'login') giveUp(login.brokeOff(host))
      else {
        const closed = unreachable(host, settings, 'the connection closed during the handshake')
        giveUp(new AttemptError(closed, true))
      }
    })
    client.once('ready', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      stage = 'open'
      resolve({ client, carrier, broken: () => why })
    })
    if (signal.aborted) {
      abort()
      return
    }
    if (carrier.destroyed) {
      giveUp(new AttemptError(unreachable(host, settings, 'the connection closed at once'), true))
      return
    }
    startClock(settings.connectTimeoutMs)
    client.connect({
      sock: carrier,
      username: settings.user,
      // Our own clock: a fixed one would run while a passphrase is typed.
      readyTimeout: 0,
      keepaliveInterval: keepaliveIntervalMs,
      keepaliveCountMax: keepaliveMissesAllowed,
      algorithms: offeredAlgorithms(policy.types),
      agentForward: false,
      tryKeyboard: false,
      authHandler: login.handler,
      hostVerifier: (blob: Buffer): boolean => {
        const key = hostKeyOfBlob(blob)
        if (key === undefined) return false
        const verdict = policy.judge(key)
        if (verdict.is === 'known') return true
        refused = hostKeyError(host, settings, key, verdict)
        return false
      },
    })
  }).finally(() => {
    signal.removeEventListener('abort', abort)
  })
}

function handshakeFailed(
  host: string,
  settings: ConnectionSettings,
  policy: HostKeyPolicy,
  error: Error,
  greeting: string,
): AttemptError | KmsfleetError {
  if (isTransient(error) || error.message.includes('lost before handshake')) {
    const found = greeting === '' ? messageOf(error) : `one that says "${greeting}" and closes`
    return new AttemptError(unreachable(host, settings, found, error), true)
  }
  if (error.message.includes('no matching host key') && policy.types.length > 0) {
    const name = knownHostsName(settings.address, settings.port)
    return new KmsfleetError(
      'transport.host-key-unknown',
      `${host}: expected a host key of ${name} of type ${policy.types.join(' or ')}, found that it offers none (or with SHA-1 only)`,
      { hint: 'Check its keys on the host\'s console and accept them with "kmsfleet trust".', cause: error },
    )
  }
  return new KmsfleetError(
    'transport.handshake',
    `${host}: expected an SSH 2 server with current algorithms at ${target(settings)}, found: ${error.message}`,
    { hint: 'SHA-1 algorithms are refused; update the SSH server or its configuration.', cause: error },
  )
}

function tooSlow(host: string, settings: ConnectionSettings, stage: string, ms: number): Error {
  const error = new KmsfleetError(
    'transport.timeout',
    `${host}: expected ${target(settings)} to finish its ${stage} within ${String(ms / 1000)} s, found it still waiting`,
    { hint: 'Check the load of the host and, for a slow login, its name service and PAM.' },
  )
  return stage === 'handshake' ? new AttemptError(error, true) : error
}

/** Calls `then` once a carrier has room: ssh2 writes into it without looking at its back-pressure. */
export function whenCarrierHasRoom(carrier: Duplex, then: () => void): void {
  if (carrier instanceof Socket && carrier.writableNeedDrain) carrier.once('drain', then)
  else then()
}
