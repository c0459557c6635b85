import { containerKey, type ContainerProcess, type ContainerState, type Fact } from '../../model/facts.ts'
import type { Questions } from './atoms.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'

/** USER_HZ: what `/proc/PID/stat` counts in, on every architecture that matters. */
const ticksPerSecond = 100

/** Containers as asked; one without a process is absent. What the host left out is unreadable. */
export function decodeContainers(
  questions: Questions,
  section: Section,
): ReadonlyMap<string, Fact<ContainerState>> {
  const clocks = new Map(section.all('container').map(([key, boot, up]) => [key, { boot, up }]))
  return new Map(
    questions.containers.map(({ container, sees }): [string, Fact<ContainerState>] => {
      const key = containerKey(container, sees)
      const { boot, up } = clocks.get(key) ?? { boot: '', up: '' }
      if (!/^[0-9]{1,12}$/.test(boot) || !/^[0-9]{1,12}$/.test(up)) {
        const message = `expected to find the processes of the container ${container}, found no answer`
        return [key, { is: 'unreadable', problem: { code: 'host.unreadable', message, subject: container } }]
      }
      const processes = section
        .all('process')
        .flatMap(([of, ...fields]) => (of === key ? [processOf(fields, Number(boot))] : []))
      if (processes.length === 0) return [key, { is: 'absent' }]
      return [key, { is: 'present', state: { now: Number(boot) + Number(up), processes } }]
    }),
  )
}

function processOf(fields: readonly string[], boot: number): ContainerProcess {
  const [pid = '', ticks = '', uids = '', gids = '', groups = '', users, pod = '', id = '', sees = '', argv] =
    fields
  return {
    process: `${pid}:${ticks}`,
    started: boot + Math.floor(Number(ticks) / ticksPerSecond),
    uid: effective(uids),
    gid: effective(gids),
    groups: numbers(groups),
    hostUsers: users === 'host',
    pod,
    id,
    argv: lines(argv),
    ...(/^[0-9]+:[0-9]+$/.test(sees) ? { sees } : {}),
  }
}

/** The second of `real effective saved file system`. */
function effective(ids: string): number {
  return numbers(ids)[1] ?? -1
}

function numbers(text: string): readonly number[] {
  return text
    .split(/\s+/)
    .filter((word) => /^[0-9]{1,10}$/.test(word))
    .map(Number)
}
