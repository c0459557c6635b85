import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Lab, LabHost } from '../test/lab/lab.ts'
import { hostInit } from '../test/lab/slot.ts'

/** What a host did for one login: times that each program was started, and calls that wait for a disk. */
export interface Trace {
  readonly programs: ReadonlyMap<string, number>
  readonly syncs: number
}

/** Runs `work` under strace of the host's sshd; it is slow, so nothing of it is timed. Needs strace. */
export async function trace(lab: Lab, host: LabHost, work: () => Promise<unknown>): Promise<Trace> {
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-bench-'))
  const file = join(folder, 'trace')
  try {
    const calls = 'trace=execve,fsync,fdatasync,sync,syncfs'
    // Not quiet: it says when it is attached.
    const strace = spawn('strace', ['-f', '-e', calls, '-o', file, '-p', String(sshdOf(lab, host))], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = once(strace, 'exit')
    await Promise.race([once(strace.stderr, 'data'), ended])
    await work()
    strace.kill('SIGINT')
    await ended
    return read(readFileSync(file, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function sshdOf(lab: Lab, host: LabHost): number {
  const init = String(hostInit(lab.slot, host.name))
  const children = readFileSync(`/proc/${init}/task/${init}/children`, 'utf8').split(' ').filter(Boolean)
  const sshd = children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sshd\n')
  if (sshd === undefined) throw new Error(`expected sshd to run on ${host.name}, found none`)
  return Number(sshd)
}

function read(text: string): Trace {
  const programs = new Map<string, number>()
  let syncs = 0
  for (const line of text.split('\n')) {
    // What is looked for along PATH and is not there does not count; calls that were cut in two count once.
    const program = /execve\("(?:[^"]*\/)?([^"/]+)"/.exec(line)?.[1]
    if (program !== undefined && !line.includes('ENOENT'))
      programs.set(program, (programs.get(program) ?? 0) + 1)
    if (/ (?:fsync|fdatasync|sync|syncfs)\(/.test(line)) syncs += 1
  }
  return { programs: new Map([...programs].sort(([, a], [, b]) => b - a)), syncs }
}
