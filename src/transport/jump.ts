import type { Duplex } from 'node:stream'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import type { SshClient } from './client.ts'
import { AttemptError } from './dial.ts'
import { abortable, messageOf, target } from './failures.ts'

/** The jump hosts of a run, each connected to once for all hosts behind it. */
export interface JumpHosts extends AsyncDisposable {
  /** A way through `jump` to a host's sshd. Throws `transport.jump-failed`. */
  carry(
    host: string,
    settings: ConnectionSettings,
    jump: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<Duplex>
}

/** `open` connects to a jump host; its signal is that of all hosts, since none may take it down for the others. */
export function createJumpHosts(
  open: (jump: ConnectionSettings, signal: AbortSignal) => Promise<SshClient>,
): JumpHosts {
  const clients = new Map<string, Promise<SshClient>>()
  const shutdown = new AbortController()

  function clientOf(jump: ConnectionSettings): Promise<SshClient> {
    const key = sameWay(jump)
    const known = clients.get(key)
    if (known !== undefined) return known
    const opening = open(jump, shutdown.signal)
    clients.set(key, opening)
    opening.catch(() => undefined)
    return opening
  }

  return {
    async carry(host, settings, jump, signal) {
      let client: SshClient
      try {
        client = await abortable(host, clientOf(jump), signal)
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
    },
    async [Symbol.asyncDispose]() {
      shutdown.abort()
      const opened = await Promise.allSettled(clients.values())
      for (const jump of opened) if (jump.status === 'fulfilled') jump.value.client.end()
      clients.clear()
    },
  }
}

/** Hosts that trust other keys of a jump host, or enter it with other credentials, have no part in a connection. */
function sameWay(jump: ConnectionSettings): string {
  const { identityFiles, identitiesOnly, agent, agentSocket, knownHostsFiles } = jump
  return JSON.stringify([target(jump), identityFiles, identitiesOnly, agent, agentSocket, knownHostsFiles])
}

export function jumpFailed(
  host: string,
  jump: ConnectionSettings,
  why: string,
  cause?: unknown,
): KmsfleetError {
  return new KmsfleetError(
    'transport.jump-failed',
    `${host}: expected a way through the jump host ${target(jump)}, found: ${why}`,
    {
      hint: `Try "ssh -p ${String(jump.port)} ${jump.user}@${jump.address}"; all hosts behind it are unreachable until it works.`,
      cause,
    },
  )
}
