import { showPlace } from '../errors/place.ts'
import type { HostOutcome } from '../model/outcome.ts'
import type { Problem } from '../model/problem.ts'
import { hostList } from './names.ts'
import { styled, type Line, type Style } from './paint.ts'
import { inHand, notReached, type HostSummary, type RunSummary } from './summary.ts'
import { resourceOfKey } from './view.ts'
import { duration } from './words.ts'

/** Best first: what needs a person stands last, next to the prompt. */
const order: readonly HostOutcome[] = [
  'ok',
  'changed',
  'differs',
  'not-run',
  'stopped',
  'unreachable',
  'failed',
]

const words: Readonly<Record<HostOutcome, { readonly word: string; readonly style: Style }>> = {
  ok: { word: 'ok', style: 'good' },
  changed: { word: 'changed', style: 'change' },
  differs: { word: 'differs', style: 'change' },
  failed: { word: 'failed', style: 'bad' },
  unreachable: { word: 'unreachable', style: 'bad' },
  stopped: { word: 'stopped', style: 'warn' },
  'not-run': { word: 'not run', style: 'warn' },
}

/** How every host ended, alike ones in one row, then a line that counts them. */
export function recapLines(summary: RunSummary): readonly Line[] {
  const hosts = [...summary.hosts.values()]
  const rows = groupBy(hosts, (host) => [host.outcome, numbers(host)].join('|')).sort(
    (a, b) => order.indexOf(a[0].outcome) - order.indexOf(b[0].outcome),
  )
  const cells = rows.map((group) => ({
    names: hostList(group.map(({ host }) => host)),
    ...words[group[0].outcome],
    numbers: numbers(group[0]),
    time: times(group),
  }))
  const wide = (of: (cell: (typeof cells)[number]) => string): number =>
    Math.min(60, Math.max(0, ...cells.map((cell) => of(cell).length)))
  const [names, word, number] = [wide((c) => c.names), wide((c) => c.word), wide((c) => c.numbers)]
  return [
    ...cells.map((cell): Line => {
      const rest = `${cell.numbers.padEnd(number)}  ${cell.time}`.trimEnd()
      return [
        `${cell.names.padEnd(names)}  `,
        ...(rest === ''
          ? [styled(cell.style, cell.word)]
          : [styled(cell.style, cell.word.padEnd(word)), `  ${rest}`]),
      ]
    }),
    totals(hosts, summary.milliseconds),
  ]
}

/** What hosts leave to others on purpose, each once with the hosts that do. */
export function dueRecapLines(summary: RunSummary): readonly Line[] {
  const all = [...summary.hosts.values()].flatMap((host) =>
    host.due.map((due) => ({ host: host.host, ...due })),
  )
  return groupBy(all, ({ resource, by }) => JSON.stringify([resource, by])).map((group): Line => {
    const [{ resource, by }] = group
    return [styled('warn', 'due'), ` on ${hostList(group.map(({ host }) => host))}: ${resource} (${by})`]
  })
}

/** Who can do what on the hosts that were changed, and cannot: hosts of which the same is to be said stand together. */
export function accessLines(summary: RunSummary): readonly Line[] {
  const all = [...summary.hosts.values()].flatMap(({ host, access }) =>
    access === undefined ? [] : [{ host, access }],
  )
  return groupBy(all, ({ access }) => JSON.stringify(access)).flatMap((group): readonly Line[] => {
    const [{ access }] = group
    const names = hostList(group.map(({ host }) => host))
    if (access.is === 'not-verified') {
      return [[styled('warn', 'access not verified'), ` on ${names}: ${access.because}`]]
    }
    const { pass, violated, unknown, 'not-enforceable': shape } = access.counts
    const counts = `proved ${String(pass)}, violated ${String(violated)}, unknown ${String(unknown)}, not enforceable ${String(shape)}`
    const open = access.findings.filter(({ due }) => !due)
    const style = access.findings.length === 0 ? 'good' : open.length === 0 ? 'warn' : 'bad'
    return [
      [styled(style, 'access'), ` on ${names}: ${counts}`],
      ...access.findings.map(({ text, due }): Line => [
        `  ${text}${due ? ' (what is due may mend it)' : ''}`,
      ]),
    ]
  })
}

/** What was done and what was left, in the words of the host's outcome. */
function numbers(host: HostSummary): string {
  const parts: string[] = []
  if (host.changed > 0) parts.push(`${String(host.changed)} changed`)
  if (host.due.length > 0) parts.push(`${String(host.due.length)} due`)
  if (host.differing > 0) parts.push(`${String(host.differing)} differing`)
  if (host.changed + host.differing + host.unchanged > 0) parts.push(`${String(host.unchanged)} unchanged`)
  return parts.join(', ')
}

function times(group: readonly HostSummary[]): string {
  const known = group.flatMap(({ cost }) => (cost === undefined ? [] : [cost.milliseconds]))
  if (known.length === 0) return ''
  const [least, most] = [duration(Math.min(...known)), duration(Math.max(...known))]
  return least === most ? least : `${least} to ${most}`
}

function totals(hosts: readonly HostSummary[], milliseconds: number): Line {
  const parts = order.flatMap((outcome) => {
    const number = hosts.filter((host) => host.outcome === outcome).length
    return number === 0 ? [] : [`${String(number)} ${words[outcome].word}`]
  })
  const total = `${String(hosts.length)} ${hosts.length === 1 ? 'host' : 'hosts'}`
  return [styled('strong', total), `: ${parts.join(', ')} in ${duration(milliseconds)}`]
}

/**
 * Every problem once with the hosts that have it: host and resource, then what was expected and found, where it is
 * asked for, what to do. Rails stand last.
 */
export function failureLines(summary: RunSummary): readonly Line[] {
  const all = [...summary.hosts.values()].flatMap((host) =>
    host.problems.map((entry) => ({ host: host.host, ...entry })),
  )
  const alike = groupBy(all, ({ change, problem }) => JSON.stringify([change, problem]))
  return [
    ...alike.flatMap((group) => {
      const [{ change, problem }] = group
      const resource = change === undefined ? problem.subject : resourceOfKey(change)
      return failure(
        `${hostList(group.map(({ host }) => host))}${resource === undefined ? '' : `: ${resource}`}`,
        problem,
      )
    }),
    ...summary.rails.flatMap((problem) => failure('the run was stopped', problem)),
    ...widenedLines(summary),
  ]
}

/** What hosts that did not come to the end of their plan have left undone. */
export function notDoneLines(summary: RunSummary): readonly Line[] {
  const hosts = [...summary.hosts.values()]
    .map((host) => ({ host: host.host, left: summary.command === 'converge' ? notDone(host) : [] }))
    .filter(({ left }) => left.length > 0)
  return groupBy(hosts, ({ left }) => JSON.stringify(left)).flatMap((group): readonly Line[] => [
    [styled('warn', 'NOT DONE'), ' ', styled('strong', hostList(group.map(({ host }) => host)))],
    ...group[0].left.map((resource): Line => [`  ${resource}`]),
    [],
  ])
}

/** Hosts that a rail or an interruption kept from being run. */
export function notReachedLines(summary: RunSummary): readonly Line[] {
  const hosts = notReached(summary)
  if (hosts.length === 0) return []
  return [
    [styled('warn', 'NOT REACHED'), ' ', styled('strong', hostList(hosts))],
    [
      '  their turn did not come; run them again with ',
      styled('strong', `--limit @run:${summary.run}:failed`),
    ],
    [],
  ]
}

/** What was being done when everything was dropped: nobody heard how it ended. */
export function inHandLines(summary: RunSummary): readonly Line[] {
  return [...summary.hosts.values()].flatMap((host): readonly Line[] => {
    const changes = inHand(host)
    if (changes.length === 0) return []
    return [
      [styled('bad', 'MAY BE HALF DONE'), ' ', styled('strong', host.host)],
      ...changes.map((key): Line => [`  ${resourceOfKey(key)}`]),
      ['  hint: run again: what is there then is probed anew'],
      [],
    ]
  })
}

function notDone(host: HostSummary): readonly string[] {
  if (host.outcome === 'ok' || host.outcome === 'changed') return []
  const done = new Set(host.done)
  const items = host.plans.flatMap(({ plan }) => plan.stages.flatMap((stage) => stage.items))
  return items
    .filter((item) => !done.has(item.key))
    .map((item) => (item.item === 'undecided' ? item.task.name : (item.resource ?? item.task.name)))
}

function failure(head: string, problem: Problem): readonly Line[] {
  return [
    [styled('bad', 'FAILED'), ' ', styled('strong', head)],
    [`  ${problem.message}`, styled('dim', `  [${problem.code}]`)],
    ...(problem.place === undefined ? [] : [[`  at ${showPlace(problem.place)}`]]),
    ...(problem.hint === undefined ? [] : [[`  hint: ${problem.hint}`]]),
    [],
  ]
}

function widenedLines(summary: RunSummary): readonly Line[] {
  const hosts = [...summary.hosts.values()].filter(({ widened }) => widened.length > 0)
  return groupBy(hosts, ({ widened }) => JSON.stringify(widened)).flatMap((group): readonly Line[] => [
    [styled('warn', 'WIDENED'), ' ', styled('strong', hostList(group.map(({ host }) => host)))],
    ...group[0].widened.map((key): Line => [
      `  ${resourceOfKey(key)} was not in the plan that was made first`,
    ]),
    [],
  ])
}

/** Groups in order of appearance; none is empty. */
function groupBy<T>(list: readonly T[], keyOf: (each: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>()
  for (const each of list) {
    const key = keyOf(each)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [each])
    else group.push(each)
  }
  return [...groups.values()]
}
