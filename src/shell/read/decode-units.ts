import type { Fact, PathState, UnitState } from '../../model/facts.ts'
import { keptFolder, startedFolder } from '../layout.ts'
import type { Questions } from './atoms.ts'
import type { SmallFiles } from './decode-host.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'

type Properties = ReadonlyMap<string, string>

function properties(block: string): Properties {
  return new Map(
    lines(block).map((line) => {
      const equals = line.indexOf('=')
      return [line.slice(0, equals), line.slice(equals + 1)]
    }),
  )
}

function number(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : 0
}

/** `Mon 2026-11-23 11:46:01 UTC`; the bootstrap sets TZ so that it is UTC. */
function seconds(text: string | undefined): number {
  const found = /([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) UTC$/.exec(text ?? '')
  const time = Date.parse(`${found?.[1] ?? ''}T${found?.[2] ?? ''}Z`)
  return Number.isNaN(time) ? 0 : time / 1000
}

/** Programs of running processes as `dev:ino`, by pid. */
function programs(
  section: Section,
  paths: ReadonlyMap<string, Fact<PathState>>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [pid, path] of section.all('exe')) {
    const fact = paths.get(path)
    if (fact?.is === 'present') found.set(pid, `${fact.state.device ?? ''}:${fact.state.inode ?? ''}`)
  }
  for (const row of section.all('exes').flatMap(([text]) => lines(text))) {
    const [, inode, pid] = /^([0-9]+:[0-9]+) \/proc\/([0-9]+)\/exe$/.exec(row) ?? []
    if (inode !== undefined && pid !== undefined) found.set(pid, inode)
  }
  return found
}

/** `Groups:` of /proc/PID/status. */
function groupsOf(row: string): readonly number[] {
  return row
    .split(/\s+/)
    .filter((word) => /^[0-9]{1,10}$/.test(word))
    .map(Number)
}

/** The start record, where it is of the invocation that runs now. */
function startedWith(
  record: readonly string[] | undefined,
  invocation: string,
): ReadonlyMap<string, string> | undefined {
  if (record === undefined || invocation === '' || record[0] !== invocation) return undefined
  return new Map(record.slice(1).map((line) => [line.slice(65), line.slice(0, 64)]))
}

function unitState(
  found: Properties,
  program: string | undefined,
  record: readonly string[] | undefined,
  kept: readonly string[] | undefined,
): UnitState {
  const text = (key: string): string => found.get(key) ?? ''
  const started = startedWith(record, text('InvocationID'))
  return {
    load: text('LoadState'),
    active: text('ActiveState'),
    sub: text('SubState'),
    result: text('Result'),
    enabled: text('UnitFileState'),
    needReload: text('NeedDaemonReload') === 'yes',
    conditionMet: text('ConditionResult') === 'yes',
    mainPid: number(found.get('MainPID')),
    restarts: number(found.get('NRestarts')),
    fragment: text('FragmentPath'),
    user: text('User'),
    dropIns: text('DropInPaths')
      .split(' ')
      .filter((path) => path !== ''),
    invocation: text('InvocationID'),
    since: seconds(found.get('ActiveEnterTimestamp')),
    ...(program === undefined ? {} : { runningExe: program }),
    ...(started === undefined ? {} : { startedWith: started }),
    ...(kept === undefined || kept.length === 0 ? {} : { kept }),
  }
}

/** Units as asked; `not-found` and inactive is absent. Start records count only where their folder is root's alone. */
export function decodeUnits(
  questions: Questions,
  section: Section,
  records: SmallFiles,
  paths: ReadonlyMap<string, Fact<PathState>>,
): ReadonlyMap<string, Fact<UnitState>> {
  const [status, text] = section.all('units')[0] ?? []
  const blocks = (text ?? '')
    .split(/\n\n+/)
    .map(properties)
    .filter((block) => block.has('Id'))
  const running = programs(section, paths)
  const gids = new Map(section.all('gids').map(([pid, row]) => [pid, groupsOf(row)]))
  return new Map(
    questions.units.map((unit, index): [string, Fact<UnitState>] => {
      const named = (block: Properties): boolean =>
        block.get('Id') === unit || (block.get('Names') ?? '').split(' ').includes(unit)
      // answers come in the order of the questions; an alias answers with its own Id
      const block = blocks.length === questions.units.length ? blocks[index] : blocks.find(named)
      if (block === undefined) {
        const found = status === undefined ? 'no systemctl' : `exit status ${status}: ${lines(text)[0] ?? ''}`
        const message = `expected systemctl to show ${unit}, found ${found}`
        return [unit, { is: 'unreadable', problem: { code: 'host.unreadable', message, subject: unit } }]
      }
      if (block.get('LoadState') === 'not-found' && block.get('ActiveState') === 'inactive') {
        return [unit, { is: 'absent' }]
      }
      const program = running.get(block.get('MainPID') ?? '')
      const groups = gids.get(block.get('MainPID') ?? '')
      return [
        unit,
        {
          is: 'present',
          state: {
            ...unitState(
              block,
              program,
              records.get(`${startedFolder}/${unit}`),
              records.get(`${keptFolder}/${unit}`),
            ),
            ...(groups === undefined ? {} : { groups }),
          },
        },
      ]
    }),
  )
}
