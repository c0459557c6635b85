import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { KmsfleetError } from '../errors/error.ts'
import { rootStart } from './become.ts'
import type { Channel, Connect } from './channel.ts'
import { endChild } from './child.ts'
import { interrupted, messageOf } from './failures.ts'
import { createProgram } from './program.ts'

/** The machine itself, through `/bin/sh`. Needs root, or `become`. */
export const connectLocal: Connect = (host, settings, signal) => {
  if (signal.aborted) return Promise.reject(interrupted(host))
  const channels = new Set<Channel>()
  return Promise.resolve({
    async execRoot(command, startSignal) {
      if (startSignal.aborted) throw interrupted(host)
      const start = rootStart(host, settings.become, process.getuid?.() === 0, command)
      // A session of its own: a program that runs as another user could otherwise type into root's terminal (TIOCSTI).
      const child = spawn('/bin/sh', ['-c', start.command], {
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
        cwd: '/',
      })
      try {
        await once(child, 'spawn')
      } catch (error) {
        throw new KmsfleetError(
          'transport.channel',
          `${host}: expected /bin/sh to start, found: ${messageOf(error)}`,
          { hint: 'A local target needs a POSIX sh at /bin/sh.', cause: error },
        )
      }
      const program = createProgram(
        host,
        {
          stdin: child.stdin,
          stdout: child.stdout,
          stderr: child.stderr,
          whenRoom: (then) => {
            then()
          },
          // As a lost connection does it: the streams close first.
          close: () => endChild(child),
        },
        start.watch,
      )
      child.once('exit', (code, name) => {
        channels.delete(program.channel)
        program.ended({ code: code ?? undefined, signal: name ?? undefined })
      })
      channels.add(program.channel)
      return program.channel
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...channels].map((channel) => channel[Symbol.asyncDispose]()))
    },
  })
}
