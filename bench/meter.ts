import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab, LabHost } from '../test/lab/lab.ts'
import { hostGroups } from '../test/lab/slot.ts'

/** What one run took. */
export interface Sample {
  readonly wallMs: number
  /** User and system time of this process. */
  readonly clientCpuMs: number
  /** The same of everything on all hosts. */
  readonly hostCpuMs: number
  /** Processes that the metered host made meanwhile, those of its sshd and systemd among them. */
  readonly processes: number
}

/** Measures one run at a time on a lab's hosts. */
export interface Meter {
  measure(work: () => Promise<unknown>): Promise<Sample>
}

export function createMeter(lab: Lab, watched: LabHost): Meter {
  return {
    measure: async (work) => {
      const processes = await lastProcess(lab, watched)
      const hostCpu = hostCpuMs(lab)
      const clientCpu = process.cpuUsage()
      const start = performance.now()
      await work()
      const wallMs = performance.now() - start
      const { user, system } = process.cpuUsage(clientCpu)
      return {
        wallMs,
        clientCpuMs: (user + system) / 1000,
        hostCpuMs: hostCpuMs(lab) - hostCpu,
        // One is the process that looks.
        processes: (await lastProcess(lab, watched)) - processes - 1,
      }
    },
  }
}

/** Process ids of a host are its own and are given out in order: their distance is the number of processes. */
async function lastProcess(lab: Lab, host: LabHost): Promise<number> {
  const id = /(\d+)$/.exec((await lab.exec(host, 'read -r line </proc/loadavg; echo "$line"')).trim())?.[1]
  if (id === undefined) throw new Error('expected the last process id in /proc/loadavg, found none')
  return Number(id)
}

/** CPU that a lab's hosts have taken since they were booted, by their control groups. */
function hostCpuMs(lab: Lab): number {
  // The unified hierarchy, the last of them, counts without a controller.
  return lab.hosts.reduce((sum, { name }) => {
    const stat = readFileSync(join(hostGroups(lab.slot, name).at(-1) ?? '', 'cpu.stat'), 'utf8')
    return sum + Number(/^usage_usec (\d+)$/m.exec(stat)?.[1] ?? Number.NaN) / 1000
  }, 0)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length - 1 - middle], sorted[middle]]
  return (low + high) / 2
}
