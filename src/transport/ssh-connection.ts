import type { ClientChannel } from 'ssh2'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { rootStart } from './become.ts'
import type { Connection } from './channel.ts'
import { whenCarrierHasRoom, type SshClient } from './client.ts'
import { interrupted, lost, messageOf } from './failures.ts'
import { createProgram, type Program } from './program.ts'

/**
 * Unread output that is held for a program. A server that keeps to its window stays below 2 MiB; ssh2 does not
 * enforce the window, so one that does not would fill the workstation's memory.
 */
const unreadLimit = 8 * 1024 * 1024

/** Times the time to connect that a host gets to start a program: PAM may wait 25 s for a bus that does not answer. */
const startPatience = 3

/** Time for a host to close its end after ours. */
const goodbyeMs = 2000

/** Programs over one authenticated connection. */
export function createConnection(host: string, settings: ConnectionSettings, ssh: SshClient): Connection {
  const programs = new Set<{ readonly program: Program; readonly stream: ClientChannel }>()
  let closed = false

  ssh.client.on('close', () => {
    closed = true
    for (const { program } of programs) program.fail(lost(host, ssh.broken() ?? 'the host closed it'))
  })
  ssh.carrier.on('data', () => {
    for (const { program, stream } of programs) {
      if (stream.readableLength <= unreadLimit) continue
      program.fail(unreadFlood(host))
      // Closing the channel is a request only, and this server does not keep to requests.
      ssh.carrier.destroy()
    }
  })

  return {
    execRoot(command, signal) {
      const start = rootStart(host, settings.become, settings.user === 'root', command)
      return new Promise((resolve, reject) => {
        const refuse = (why: string, cause?: unknown): void => {
          reject(
            closed || ssh.carrier.destroyed
              ? lost(host, ssh.broken() ?? why, cause)
              : channelRefused(host, why, cause),
          )
        }
        const abort = (): void => {
          clearTimeout(timer)
          reject(interrupted(host))
        }
        let late = false
        const patienceMs = startPatience * settings.connectTimeoutMs
        const timer = setTimeout(() => {
          late = true
          signal.removeEventListener('abort', abort)
          refuse(`no answer within ${String(patienceMs / 1000)} s`)
        }, patienceMs)
        if (signal.aborted) {
          abort()
          return
        }
        signal.addEventListener('abort', abort, { once: true })
        try {
          ssh.client.exec(start.command, (error, stream) => {
            clearTimeout(timer)
            signal.removeEventListener('abort', abort)
            if (error !== undefined) {
              refuse(messageOf(error), error)
              return
            }
            if (signal.aborted || late) {
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
          clearTimeout(timer)
          signal.removeEventListener('abort', abort)
          refuse(messageOf(error), error)
        }
      })
    },
    [Symbol.asyncDispose]() {
      for (const { program } of programs) program.fail(lost(host, 'it was closed from this side'))
      ssh.client.end()
      // A frozen host would never answer the goodbye, and its socket would keep the process alive.
      setTimeout(() => ssh.carrier.destroy(), goodbyeMs).unref()
      return Promise.resolve()
    },
  }
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
