import { setMaxListeners } from 'node:events'
import type { Duplex } from 'node:stream'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { createAgents } from './agent.ts'
import type { Connect } from './channel.ts'
import { openClient, type SshClient } from './client.ts'
import { AttemptError, dial, withRetries } from './dial.ts'
import { interrupted, messageOf, target } from './failures.ts'
import { createKnownHostsFiles, hostKeyPolicy } from './host-keys.ts'
import { createKeyFiles, type PromptPassphrase } from './identities.ts'
import { createLimiter, handshakesPerTarget } from './limiter.ts'
import { unlockEarly, type Credentials } from './login.ts'
import { scanKeys, type ScannedKey } from './scan.ts'
import { createConnection } from './ssh-connection.ts'

export interface SshOptions {
  readonly promptPassphrase?: PromptPassphrase
  /** Path of the agent's socket where ssh's configuration names none: `SSH_AUTH_SOCK`. */
  readonly agentSocket?: string
}

/** SSH connections that share jump hosts, known_hosts files, passphrases and the limit on handshakes. */
export interface SshConnector extends AsyncDisposable {
  readonly connect: Connect
  /** Gathers a host's keys without logging in to it (a jump host before it is logged in to, and so must be known). */
  scanHostKeys(
    host: string,
    settings: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<readonly ScannedKey[]>
  /**
   * The hosts (and jump hosts) that have no key on record at all, so that a run can list them at once instead of
   * failing host by host. Known hosts cost nothing; hosts that do not answer are left to the run.
   */
  unknownHosts(hosts: readonly NamedHost[], signal: AbortSignal): Promise<readonly UnknownHost[]>
}

export interface NamedHost {
  readonly name: string
  readonly connection: ConnectionSettings
}

/** A host without a key on record, and the keys that it presents. */
export interface UnknownHost {
  readonly host: string
  readonly keys: readonly ScannedKey[]
}

/** Hosts looked at for their keys at a time. */
const scansAtOnce = 16

export function createSshConnector(options: SshOptions): SshConnector {
  const credentials: Credentials = {
    keyFiles: createKeyFiles(options.promptPassphrase),
    agents: createAgents(options.agentSocket),
  }
  const knownHosts = createKnownHostsFiles()
  const limiter = createLimiter(handshakesPerTarget)
  const scans = createLimiter(scansAtOnce)
  const jumps = new Map<string, Promise<SshClient>>()
  const shutdown = new AbortController()

  async function open(
    host: string,
    settings: ConnectionSettings,
    signal: AbortSignal,
    carry: () => Promise<Duplex>,
    via: string,
  ): Promise<SshClient> {
    const policy = await hostKeyPolicy(host, settings, knownHosts)
    await abortable(host, unlockEarly(settings, credentials), signal)
    const sshd = `${via}${settings.address}:${String(settings.port)}`
    return withRetries(host, signal, () =>
      limiter.run(sshd, signal, async () =>
        openClient(host, settings, await carry(), policy, credentials, signal),
      ),
    )
  }

  /** The one connection to a jump host. It is not bound to a host's signal: other hosts use it as well. */
  function jumpClient(jump: ConnectionSettings): Promise<SshClient> {
    const key = target(jump)
    const open_ = jumps.get(key)
    if (open_ !== undefined) return open_
    const { signal } = shutdown
    const opening = open(key, jump, signal, () => dial(key, jump, signal), '')
    jumps.set(key, opening)
    opening.catch(() => undefined)
    return opening
  }

  async function carryOverJump(
    host: string,
    settings: ConnectionSettings,
    jump: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<Duplex> {
    let client: SshClient
    try {
      client = await abortable(host, jumpClient(jump), signal)
    } catch (error) {
      throw error instanceof KmsfleetError && error.code === 'transport.interrupted'
        ? error
        : jumpFailed(host, jump, messageOf(error), error)
    }
    const broken = client.broken()
    if (broken !== undefined) throw jumpFailed(host, jump, broken)
    return new Promise((resolve, reject) => {
      try {
        client.client.forwardOut('127.0.0.1', 0, settings.address, settings.port, (error, stream) => {
          if (error === undefined) resolve(stream)
          else reject(new AttemptError(jumpFailed(host, jump, messageOf(error), error), true))
        })
      } catch (error) {
        reject(jumpFailed(host, jump, messageOf(error), error))
      }
    })
  }

  function way(host: string, settings: ConnectionSettings, signal: AbortSignal): () => Promise<Duplex> {
    const { jump } = settings
    return jump === undefined
      ? () => dial(host, settings, signal)
      : () => carryOverJump(host, settings, jump, signal)
  }

  function scanHostKeys(
    host: string,
    settings: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<readonly ScannedKey[]> {
    return withRetries(host, signal, () => scanKeys(host, settings, way(host, settings, signal), signal))
  }

  async function scanUnknown(
    { name, connection }: NamedHost,
    signal: AbortSignal,
  ): Promise<readonly UnknownHost[]> {
    const policy = await hostKeyPolicy(name, connection, knownHosts)
    if (connection.kind === 'local' || policy.types.length > 0) return []
    return scans.run('', signal, async () => {
      try {
        return [{ host: name, keys: await scanHostKeys(name, connection, signal) }]
      } catch (error) {
        if (error instanceof KmsfleetError && error.code !== 'transport.interrupted') return []
        throw error
      }
    })
  }

  return {
    async connect(host, settings, signal) {
      allowManyListeners(signal)
      const via = settings.jump === undefined ? '' : `${target(settings.jump)} `
      const client = await open(host, settings, signal, way(host, settings, signal), via)
      return createConnection(host, settings, client)
    },
    scanHostKeys(host, settings, signal) {
      allowManyListeners(signal)
      return scanHostKeys(host, settings, signal)
    },
    async unknownHosts(hosts, signal) {
      allowManyListeners(signal)
      const jumpHosts = new Map<string, NamedHost>()
      for (const { connection } of hosts) {
        if (connection.jump === undefined) continue
        const name = target(connection.jump)
        jumpHosts.set(name, { name, connection: connection.jump })
      }
      const unknown = await Promise.all([...jumpHosts.values()].map((jump) => scanUnknown(jump, signal)))
      const unknownJumps = new Set(unknown.flat().map(({ host }) => host))
      const behindKnown = hosts.filter(
        ({ connection }) => connection.jump === undefined || !unknownJumps.has(target(connection.jump)),
      )
      const rest = await Promise.all(behindKnown.map((host) => scanUnknown(host, signal)))
      return [...unknown.flat(), ...rest.flat()]
    },
    async [Symbol.asyncDispose]() {
      shutdown.abort()
      const open_ = await Promise.allSettled(jumps.values())
      for (const jump of open_) if (jump.status === 'fulfilled') jump.value.client.end()
      jumps.clear()
    },
  }
}

/** One run's signal is listened to by every host of it; Node would warn of a leak at the eleventh. */
function allowManyListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal)
}

/** Waits for something shared without taking it down when this host's run is interrupted. */
function abortable<T>(host: string, shared: Promise<T>, signal: AbortSignal): Promise<T> {
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

function jumpFailed(host: string, jump: ConnectionSettings, why: string, cause?: unknown): KmsfleetError {
  return new KmsfleetError(
    'transport.jump-failed',
    `${host}: expected a way through the jump host ${target(jump)}, found: ${why}`,
    {
      hint: `Try "ssh -p ${String(jump.port)} ${jump.user}@${jump.address}"; all hosts behind it are unreachable until it works.`,
      cause,
    },
  )
}
