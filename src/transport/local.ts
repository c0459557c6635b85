import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { KmsfleetError } from '../errors/error.ts'
import { rootStart } from './become.ts'
import type { Channel, Connect } from './channel.ts'
import { interrupted, messageOf } from './failures.ts'
import { createProgram } from './program.ts'

/** Time that a program gets to end by itself once its streams are closed, and again after a hang-up signal. */
const graceMs = 2000

type Child = ChildProcessByStdio<Writable, Readable, Readable>

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
          close: () => close(child),
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

/** As a lost connection does it: the streams close. A program that does not notice is hung up on, then killed. */
async function close(child: Child): Promise<void> {
  child.stdin.destroy()
  child.stdout.destroy()
  child.stderr.destroy()
  for (const name of ['SIGHUP', 'SIGKILL'] as const) {
    if (await endsWithin(child, graceMs)) return
    signalGroup(child, name)
  }
  await endsWithin(child, graceMs)
}

async function endsWithin(child: Child, ms: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return true
  const waited = new AbortController()
  const exit = once(child, 'exit', { signal: waited.signal }).then(
    () => true,
    () => false,
  )
  const timeout = delay(ms, false, { signal: waited.signal }).catch(() => false)
  const ended = await Promise.race([exit, timeout])
  waited.abort()
  return ended
}

function signalGroup(child: Child, name: 'SIGHUP' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, name)
  } catch {
    // Gone already, or root's through sudo: it ends on its closed streams.
  }
}
