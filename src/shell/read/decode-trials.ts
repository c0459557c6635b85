import type { ActingIdentity, Attempt } from '../../model/access.ts'
import type { Fact } from '../../model/facts.ts'
import type { ProcessState, SeenState, TrialState, Try } from '../../model/process.ts'
import type { AttemptsQuestion, Questions } from './atoms.ts'
import { capabilitiesOf, numbersOf } from './decode-processes.ts'
import { parseRow } from './decode-paths.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'

/** Numbers of `linux/capability.h`: those that decide about access, and one that lets trace everybody. */
const deciding: readonly number[] = [0, 1, 2, 3, 5]
const fowner = 3
const sysPtrace = 19

/** The capability that keeps others from tracing the process that tries, by its name in the words of `setpriv`. */
export function guardOf(how: string): number | undefined {
  const name = /--ambient-caps=-all,\+(wake_alarm|net_broadcast)\b/.exec(how)?.[1]
  return name === undefined ? undefined : { wake_alarm: 35, net_broadcast: 11 }[name]
}

/** What the prelude's `kf_trial` sends. */
interface Trial {
  readonly pid: string
  readonly problem: string
  readonly how: string
  /** `UID GID BITS GROUPS` that was to be taken. */
  readonly want: string
  readonly before: string
  readonly said: string
  readonly after: string
}

/** The controls that a denial of this action needs to have been seen with. */
const controls: Readonly<Record<Try['action'], readonly string[]>> = {
  connect: ['open', 'access'],
  read: ['open', 'access'],
  write: ['open', 'access'],
  traverse: ['traverse'],
  create: ['create'],
  replace: ['create'],
  execute: ['access'],
  signal: ['signal'],
}

/** Who the child says it was; undefined where it did not say all of it once. */
export function echoOf(said: readonly string[]): ActingIdentity | undefined {
  const value = (key: string): string | undefined => {
    const found = said.filter((line) => line.startsWith(key))
    return found.length === 1 ? found[0]?.slice(key.length).trim() : undefined
  }
  const [uids, gids] = [numbersOf(value('Uid:')), numbersOf(value('Gid:'))]
  const groups = value('Groups:')
  const capabilities = capabilitiesOf(value('CapEff:'))
  const [uid] = uids
  const [gid] = gids
  const alike = (ids: readonly number[]): boolean => ids.length === 4 && new Set(ids).size === 1
  if (uid === undefined || gid === undefined || groups === undefined || capabilities === undefined)
    return undefined
  return alike(uids) && alike(gids) ? { uid, gid, groups: numbersOf(groups), capabilities } : undefined
}

const sameSet = (left: readonly number[], right: readonly number[]): boolean =>
  new Set(left).size === new Set(right).size && left.every((each) => right.includes(each))

/** Is it exactly who was wanted? It may have the capability that guards it. */
export function isWanted(identity: ActingIdentity, want: string, guard: number | undefined): boolean {
  const [uid, gid, bits, groups = ''] = want.split(' ')
  const wanted = deciding.filter((bit) => (Number(bits) >> bit) & 1)
  const has = [...identity.capabilities].filter((bit) => bit !== guard)
  // the primary group may be repeated among the others
  const all = (ids: readonly number[]): readonly number[] => [...ids, identity.gid]
  return (
    String(identity.uid) === uid &&
    String(identity.gid) === gid &&
    sameSet(has, wanted) &&
    sameSet(all(identity.groups), all(numbersOf(groups.replaceAll(',', ' '))))
  )
}

interface Row {
  readonly raw: string
  readonly link: boolean
  readonly sticky: boolean
  readonly uid: number
  /** Could root write there? Not where it is read-only or immutable. */
  readonly writable: boolean
}

/** Rows by path as it was asked, without the `.` of another root. */
function rowsOf(text: string): ReadonlyMap<string, Row> {
  return new Map(
    lines(text).flatMap((line): [string, Row][] => {
      const [, writable, mode = '', uid, path = ''] =
        /^([w-]) ([0-9a-f]+) ([0-9]+) (?:\S+ ){8}\S+ \.?(\/.*)$/.exec(line) ?? []
      const bits = Number.parseInt(mode, 16)
      if (uid === undefined) return []
      const row = {
        raw: line,
        link: bits >> 12 === 0xa,
        sticky: (bits & 0o1000) !== 0,
        uid: Number(uid),
        writable: writable === 'w',
      }
      return [[path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path, row]]
    }),
  )
}

/** What root saw from another root directory, whose paths begin with a `.`. */
function seenIn(text: string): ReadonlyMap<string, SeenState> {
  return new Map(
    lines(text).flatMap((line): [string, SeenState][] => {
      const name = line.indexOf(' ./')
      return name === -1 ? [] : [[line.slice(name + 2), parseRow(`${line.slice(2, name)} `).state]]
    }),
  )
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'
const unknown = (detail: string): Attempt => ({ is: 'unknown', detail })

/** A word of the child. */
function answerOf(word: string): Attempt {
  if (word === 'granted' || word === 'missing') return { is: word }
  if (word === 'EACCES' || word === 'EPERM' || word === 'EROFS') return { is: 'denied', errno: word }
  return unknown(word.startsWith('unknown ') ? word.slice(8) : `neither granted nor denied: ${word}`)
}

/** The kernel asks for more than to write in the directory: whose it is, where the directory is sticky. */
function replaceable(
  path: string,
  rows: ReadonlyMap<string, Row>,
  { uid, capabilities }: ActingIdentity,
): Attempt {
  const [row, parent] = [rows.get(path), rows.get(parentOf(path))]
  if (row === undefined || parent === undefined) return unknown('root itself does not see it')
  if (!row.writable) return unknown('it is immutable, or on a read-only mount')
  if (parent.sticky && row.uid !== uid && parent.uid !== uid && !capabilities.has(fowner)) {
    return { is: 'denied', errno: 'EPERM' }
  }
  return { is: 'granted' }
}

/** A directory's row without what changes when something is made in it: number of links, size and times. */
function withoutContent(raw: string): string {
  const [writable = '', mode = '', uid = '', gid = '', , device = '', inode = ''] = raw.split(' ')
  return mode.startsWith('4') && mode.length === 4 ? [writable, mode, uid, gid, device, inode].join(' ') : raw
}

/** What one try came to, by what root saw before and after and what the child said. */
function attemptOf(
  tried: Try,
  number: number,
  trial: Trial,
  said: readonly string[],
  identity: ActingIdentity,
): Attempt {
  const words = said.filter((line) => line.startsWith(`${String(number)} `))
  const [word] = words
  if (word === undefined || words.length > 1) return unknown('there is not one answer')
  let answer = answerOf(word.slice(word.indexOf(' ') + 1))
  if (tried.action !== 'signal') {
    const [before, after] = [rowsOf(trial.before), rowsOf(trial.after)]
    const touched = (rows: ReadonlyMap<string, Row>): readonly string[] =>
      [...rows]
        .filter(([path]) => path === tried.path || tried.path.startsWith(path === '/' ? path : `${path}/`))
        .filter(([path, { raw }]) => path === tried.path || raw.includes(' ./'))
        .map(([, { raw }]) => (tried.action === 'replace' ? withoutContent(raw) : raw))
    if (touched(before).join('\n') !== touched(after).join('\n')) {
      return unknown('what stands there moved while it was tried')
    }
    if (answer.is === 'granted' && !before.has(tried.path)) {
      return unknown('root itself sees nothing there')
    }
    if (trial.before.includes(' ./')) {
      const link = [...before].find(
        ([path, { link }]) => link && (path === tried.path || tried.path.startsWith(`${path}/`)),
      )
      if (link !== undefined) return unknown(`${link[0]} is a link in its mount namespace`)
    }
    if (tried.action === 'replace' && answer.is === 'granted') {
      answer = replaceable(tried.path, before, identity)
    }
    if (tried.action === 'write' && answer.is === 'denied' && before.get(tried.path)?.writable === false) {
      answer = { is: 'denied', errno: 'EROFS' }
    }
  }
  if (answer.is === 'denied' && !controls[tried.action].some((name) => said.includes(`control ${name}`))) {
    return unknown('it was refused, as was what everybody may do')
  }
  return answer
}

function trialState(question: AttemptsQuestion, trial: Trial, process: ProcessState | undefined): TrialState {
  const said = lines(trial.said)
  const identity = echoOf(said)
  const guard = guardOf(trial.how)
  const unguarded =
    guard === undefined ||
    (process !== undefined && [sysPtrace, guard].some((bit) => process.capabilities.permitted.has(bit)))
  const failed =
    trial.problem !== ''
      ? trial.problem
      : identity === undefined || !said.includes('control end')
        ? 'it did not come to its end'
        : !isWanted(identity, trial.want, guard)
          ? 'it was made as somebody else'
          : undefined
  return {
    ...(trial.pid === '' ? {} : { pid: Number(trial.pid) }),
    ...(identity === undefined ? {} : { identity }),
    selfReported: unguarded,
    ...(process?.mountNamespace === 'other' ? { seen: seenIn(trial.before) } : {}),
    attempts: question.tries.map((tried, number) =>
      failed !== undefined || identity === undefined
        ? unknown(failed ?? 'it did not come to its end')
        : attemptOf(tried, number, trial, said, identity),
    ),
  }
}

/** Attempts as asked; those of a process are known only where the process stayed the same. */
export function decodeTrials(
  questions: Questions,
  section: Section,
  processes: ReadonlyMap<string, Fact<readonly ProcessState[]>>,
): ReadonlyMap<string, Fact<readonly TrialState[]>> {
  return new Map(
    questions.attempts.map((question, number): [string, Fact<readonly TrialState[]>] => {
      const { key } = question
      const actors = question.as.by === 'process' ? processes.get(question.as.key) : undefined
      if (actors !== undefined && actors.is !== 'present') return [key, actors]
      const states = section
        .all('trial')
        .filter(([index]) => index === String(number))
        .map(([, pid, problem, how, want, before, said, after]) =>
          trialState(
            question,
            { pid, problem, how, want, before, said, after },
            actors?.state.find((process) => String(process.pid) === pid),
          ),
        )
      const expected = actors?.state.length ?? 1
      if (states.length !== expected) {
        const message = `expected ${String(expected)} answers to the attempts of ${key}, found ${String(states.length)}`
        return [key, { is: 'unreadable', problem: { code: 'host.unreadable', message, subject: key } }]
      }
      return [key, { is: 'present', state: states }]
    }),
  )
}
