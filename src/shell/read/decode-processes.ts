import type { Fact } from '../../model/facts.ts'
import type { ProcessAbout, ProcessIds, ProcessState } from '../../model/process.ts'
import type { Questions } from './atoms.ts'
import { parseMount } from './mounts.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'

/** USER_HZ: what `/proc/PID/stat` counts in, on every architecture that matters. */
const ticksPerSecond = 100

/** Bytes of a list of mounts that the prelude's `kf_live` sends at most. */
const mountsLimit = 131_072

/** A hexadecimal mask of /proc/PID/status. */
export function capabilitiesOf(mask: string | undefined): ReadonlySet<number> | undefined {
  if (mask === undefined || !/^[0-9a-f]{1,16}$/.test(mask)) return undefined
  const bits = BigInt(`0x${mask}`)
  return new Set(Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (bits >> BigInt(bit)) & 1n))
}

/** Decimal numbers of a row, such as `Groups:` of /proc/PID/status. */
export function numbersOf(row: string | undefined): readonly number[] {
  return (row ?? '')
    .split(/\s+/)
    .filter((word) => /^[0-9]{1,10}$/.test(word))
    .map(Number)
}

function idsOf(row: string | undefined): ProcessIds | undefined {
  const [real, effective, saved, filesystem] = numbersOf(row)
  if (real === undefined || effective === undefined || saved === undefined || filesystem === undefined)
    return undefined
  return { real, effective, saved, filesystem }
}

interface Found {
  readonly pid: string
  readonly container: string
  readonly row: string
  readonly exe: string
  readonly mounts: string
}

/** Undefined where a part of it is missing or is not what a kernel prints. */
function processOf(found: Found, initial: boolean): ProcessState | undefined {
  const [started = '', ...rows] = lines(found.row)
  const values = (key: string): readonly string[] =>
    rows.filter((row) => row.startsWith(`${key}:`)).map((row) => row.slice(key.length + 1).trim())
  const value = (key: string): string | undefined => values(key)[0]
  const uids = idsOf(value('Uid'))
  const gids = idsOf(value('Gid'))
  const effective = capabilitiesOf(value('CapEff'))
  const permitted = capabilitiesOf(value('CapPrm'))
  const bounding = capabilitiesOf(value('CapBnd'))
  // kernels before 4.3 have none
  const ambient = capabilitiesOf(value('CapAmb') ?? '0')
  const [program, users, mounts, ourUsers, ourMounts] = values('File')
  const groups = value('Groups')
  if (uids === undefined || gids === undefined || groups === undefined || !/^[0-9]+$/.test(started))
    return undefined
  if (!effective || !permitted || !bounding || !ambient || program === undefined || !ourMounts)
    return undefined
  const sameUsers = users === ourUsers
  return {
    pid: Number(found.pid),
    started,
    uids,
    gids,
    groups: numbersOf(groups),
    capabilities: { effective, permitted, bounding, ambient },
    noNewPrivileges: value('NoNewPrivs') === '1',
    userNamespace: !sameUsers ? 'other' : initial ? 'initial' : 'ours',
    mountNamespace: mounts === ourMounts ? 'ours' : 'other',
    // the prelude appends a `.` so that trailing newlines survive; readlink adds a newline of its own before it
    exe: { inode: program, path: found.exe.slice(0, -2) },
    ...(mounts !== ourMounts && found.mounts !== '' && Buffer.byteLength(found.mounts) < mountsLimit - 1
      ? { mounts: lines(found.mounts).map(parseMount) }
      : {}),
    ...(found.container === '' ? {} : { container: found.container }),
  }
}

/** What was asked of them beside, by number of the question and pid. */
function aboutAll(section: Section): ReadonlyMap<string, (started: string) => ProcessAbout> {
  const [boot = ''] = section.all('clock')[0] ?? []
  if (!/^[0-9]{1,12}$/.test(boot)) return new Map()
  return new Map(
    section.all('about').map(([index, pid, argv, sees]) => [
      `${index} ${pid}`,
      (started) => ({
        since: Number(boot) + Math.floor(Number(started) / ticksPerSecond),
        argv: lines(argv),
        ...(/^[0-9]+:[0-9]+$/.test(sees) ? { sees } : {}),
      }),
    ]),
  )
}

/** Processes as asked. One that moved while the frame ran makes all of its question unreadable. */
export function decodeProcesses(
  questions: Questions,
  section: Section,
): ReadonlyMap<string, Fact<readonly ProcessState[]>> {
  const initial = section.all('idmap')[0]?.[0].trim().split(/\s+/).join(' ') === '0 0 4294967295'
  const again = new Map(section.all('again').map(([index, pid, row]) => [`${index} ${pid}`, row]))
  const abouts = aboutAll(section)
  const answered = new Map(section.all('found'))
  const unreadable = (key: string, found: string): Fact<never> => {
    const message = `expected to read the processes of ${key}, found ${found}`
    return { is: 'unreadable', problem: { code: 'host.unreadable', message, subject: key } }
  }
  return new Map(
    questions.processes.map(({ key, about }, number): [string, Fact<readonly ProcessState[]>] => {
      const answer = answered.get(String(number))
      if (answer !== '') return [key, unreadable(key, answer ?? 'no answer')]
      const found = section.all('live').filter(([index]) => index === String(number))
      if (found.length === 0) return [key, { is: 'absent' }]
      const states: ProcessState[] = []
      for (const [, pid, container, row, exe, mounts] of found) {
        const name = `${String(number)} ${pid}`
        if (again.get(name) !== row) {
          return [key, unreadable(key, `that process ${pid} ended or became another while it was looked at`)]
        }
        const state = processOf({ pid, container, row, exe, mounts }, initial)
        if (state === undefined) return [key, unreadable(key, `that /proc/${pid} cannot be read`)]
        if (about === undefined) states.push(state)
        else {
          const told = abouts.get(name)
          if (told === undefined) return [key, unreadable(key, `no answer about process ${pid}`)]
          states.push({ ...state, about: told(state.started) })
        }
      }
      return [key, { is: 'present', state: states }]
    }),
  )
}
