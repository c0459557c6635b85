import type { Duplex } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { createAgent } from './agent.ts'
import { rootStart } from './become.ts'
import type { Connect, Connection } from './channel.ts'
import { openClient, whenCarrierHasRoom, type SshClient } from './client.ts'
import { AttemptError, dial, withRetries } from './dial.ts'
import { interrupted, lost, messageOf, target } from './failures.ts'
import { createKnownHostsFiles, hostKeyPolicy } from './host-keys.ts'
import { createKeyFiles, type PromptPassphrase } from './identities.ts'
import { createLimiter, handshakesPerTarget } from './limiter.ts'
import type { Credentials } from './login.ts'
import { createProgram, type Program } from './program.ts'

/**
 * Unread output that is held for a program. A server that keeps to its window stays below 2 MiB; ssh2 does not
 * enforce the window, so one that does not would fill the workstation's memory.
 */
const unreadLimit = 8 * 1024 * 1024

export interface SshOptions {
  readonly promptPassphrase?: PromptPassphrase
  /** Path of the agent's socket: `SSH_AUTH_SOCK`. */
  readonly agentSocket?: string
}

/** SSH connections that share jump hosts, known_hosts files, passphrases and the limit on handshakes. */
export interface SshConnector extends AsyncDisposable {
  readonly connect: Connect
}

export function createSshConnector(options: SshOptions): SshConnector {
  const credentials: Credentials = {
    keyFiles: createKeyFiles(options.promptPassphrase),
    agent: createAgent(options.agentSocket),
  }
  const knownHosts = createKnownHostsFiles()
  const limiter = createLimiter(handshakesPerTarget)
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

  return {
    async connect(host, settings, signal) {
      const { jump } = settings
      const carry =
        jump === undefined
          ? () => dial(host, settings, signal)
          : () => carryOverJump(host, settings, jump, signal)
      const via = jump === undefined ? '' : `${target(jump)} `
      return createConnection(host, settings, await open(host, settings, signal, carry, via))
    },
    async [Symbol.asyncDispose]() {
      shutdown.abort()
      const open_ = await Promise.allSettled(jumps.values())
      for (const jump of open_) if (jump.status === 'fulfilled') jump.value.client.end()
      jumps.clear()
    },
  }
}

function createConnection(host: string, settings: ConnectionSettings, ssh: SshClient): Connection {
  const programs = new Set<{ readonly program: Program; readonly stream: ClientChannel }>()
  let closed = false

  ssh.client.on('close', () => {
    closed = true
    for (const { program } of programs) program.fail(lost(host, ssh.broken() ?? 'the host closed it'))
  })
  ssh.carrier.on('data', () => {
    for (const { program, stream } of programs) {
      if (stream.readableLength > unreadLimit) program.fail(unreadFlood(host))
    }
  })

  return {
    execRoot(command, signal) {
      const start = rootStart(host, settings.become, settings.user === 'root', command)
      return new Promise((resolve, reject) => {
        const refuse = (why: string, cause?: unknown): void => {
          reject(closed ? lost(host, ssh.broken() ?? why, cause) : channelRefused(host, why, cause))
        }
        const abort = (): void => {
          reject(interrupted(host))
        }
        if (signal.aborted) {
          abort()
          return
        }
        signal.addEventListener('abort', abort, { once: true })
        try {
          ssh.client.exec(start.command, (error, stream) => {
            signal.removeEventListener('abort', abort)
            if (error !== undefined) {
              refuse(messageOf(error), error)
              return
            }
            if (signal.aborted) {
              stream.close()
              return
            }
            const program = createProgram(
              host,
              {
                stdin: stream,
                stdout: stream,
                stderr: stream.stderr,
                whenRoom: (then) => {
                  whenCarrierHasRoom(ssh.carrier, then)
                },
                close: () => {
                  stream.close()
                  return Promise.resolve()
                },
              },
              start.watch,
            )
            const entry = { program, stream }
            programs.add(entry)
            stream.on('exit', (code: number | null, name?: string) => {
              program.ended({ code: code ?? undefined, signal: name })
            })
            stream.on('close', () => {
              programs.delete(entry)
              program.fail(lost(host, ssh.broken() ?? 'the program ended without saying how'))
            })
            resolve(program.channel)
          })
        } catch (error) {
          signal.removeEventListener('abort', abort)
          refuse(messageOf(error), error)
        }
      })
    },
    [Symbol.asyncDispose]() {
      for (const { program } of programs) program.fail(lost(host, 'it was closed from this side'))
      ssh.client.end()
      return Promise.resolve()
    },
  }
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

function channelRefused(host: string, why: string, cause?: unknown): KmsfleetError {
  return new KmsfleetError('transport.channel', `${host}: expected sshd to start a program, found: ${why}`, {
    hint: 'Check MaxSessions, ForceCommand and the shell of the login on the host.',
    cause,
  })
}

function unreadFlood(host: string): KmsfleetError {
  return new KmsfleetError(
    'transport.flood',
    `${host}: expected the SSH server to keep to its flow-control window, found more than it allows`,
    { hint: 'The server misbehaves; the connection was closed.' },
  )
}
