import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

/** A program of the workstation in a session of its own (`detached`), all its streams piped. */
export type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** Time that a program gets to end after each thing that is done to end it. */
const graceMs = 2000

/** Closes a program's streams, waits `patienceMs` for it to end by itself, then hangs up on it, then kills it. */
export async function endChild(child: Child, patienceMs = graceMs): Promise<void> {
  child.stdin.destroy()
  child.stdout.destroy()
  child.stderr.destroy()
  if (await endsWithin(child, patienceMs)) return
  for (const name of ['SIGHUP', 'SIGKILL'] as const) {
    signalGroup(child, name)
    if (await endsWithin(child, graceMs)) return
  }
}

async function endsWithin(child: Child, ms: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return true
  if (ms === 0) return false
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
