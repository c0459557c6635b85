import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A process that this test started. */
export interface Running extends AsyncDisposable {
  readonly pid: number
}

/**
 * Starts a program that prints a line when it is ready, puts it into a control group, such as `/kubepods/podUID/ID`, and
 * ends both when disposed.
 */
export async function start(argv: readonly string[], group?: string): Promise<Running> {
  const [program = '', ...rest] = argv
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  if (group !== undefined) enterGroup(group, child.pid ?? 0)
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      if (group !== undefined) leaveGroup(group, child.pid ?? 0)
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

const top = '/sys/fs/cgroup'
const hierarchy = existsSync(join(top, 'cgroup.controllers')) ? top : join(top, 'pids')

function enterGroup(path: string, pid: number): void {
  mkdirSync(join(hierarchy, path), { recursive: true })
  writeFileSync(join(hierarchy, path, 'cgroup.procs'), String(pid))
}

/** Removes what is left empty: another test may have its own in it. */
function leaveGroup(path: string, pid: number): void {
  writeFileSync(join(hierarchy, 'cgroup.procs'), String(pid))
  for (let each = join(hierarchy, path); each !== hierarchy; each = dirname(each)) {
    const members = existsSync(each) && readdirSync(each, { withFileTypes: true })
    if (!members || members.some((entry) => entry.isDirectory())) return
    rmdirSync(each)
  }
}
