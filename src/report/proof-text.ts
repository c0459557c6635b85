import { actionWords } from '../model/access.ts'
import type { ActorFound, Check, HostProof, Verdict, VerdictKind } from '../model/access.ts'
import { showPlace } from '../errors/place.ts'
import { hostList } from './names.ts'
import { styled, type Line, type Span, type Style } from './paint.ts'
import { count, duration } from './words.ts'

/** What stands before an action in the matrix, and how it looks. */
const marks: Readonly<Record<VerdictKind, { readonly style: Style; readonly word: string }>> = {
  pass: { style: 'good', word: 'proved' },
  violated: { style: 'bad', word: 'VIOLATED' },
  unknown: { style: 'warn', word: 'UNKNOWN' },
  'not-enforceable': { style: 'dim', word: 'not enforceable' },
}

export interface ProofTextOptions {
  /** Show checks that passed too. */
  readonly verbose: boolean
}

/** The proofs of a fleet: hosts of which the same is to be said are told together. */
export function proofLines(proofs: readonly HostProof[], options: ProofTextOptions): readonly Line[] {
  const outside = new Map(
    proofs.flatMap((proof) => proof.outside.map((each) => [JSON.stringify(each), each] as const)),
  )
  return [
    ...[...alike(proofs).values()].flatMap((hosts) => groupLines(hosts, options)),
    ...[...outside.values()].map(({ actor, statement }): Line => [
      styled('dim', `outside the proof, ${actor}: ${statement}`),
    ]),
    ...(outside.size === 0 ? [] : [[]]),
  ]
}

/** One line that sums up: nothing unknown hides behind what passed. */
export function proofRecap(proofs: readonly HostProof[], milliseconds: number): Line {
  const kinds = proofs.flatMap(({ verdicts, checks }) =>
    [...verdicts, ...checks].map(({ verdict }) => verdict),
  )
  const number = (kind: VerdictKind): number => kinds.filter((each) => each === kind).length
  const part = (kind: VerdictKind): Span => {
    const found = number(kind)
    const text = `${marks[kind].word.toLowerCase()} ${String(found)}`
    return found === 0 && kind !== 'pass' ? text : styled(marks[kind].style, text)
  }
  return [
    `${count(proofs.length, 'host')}: `,
    part('pass'),
    ', ',
    part('violated'),
    ', ',
    part('unknown'),
    ', ',
    part('not-enforceable'),
    ` (${duration(milliseconds)})`,
  ]
}

/** Hosts by what is said of them: processes and ids may differ, verdicts and their reasons may not. */
function alike(proofs: readonly HostProof[]): ReadonlyMap<string, readonly HostProof[]> {
  const groups = new Map<string, HostProof[]>()
  for (const proof of proofs) {
    const { verdicts, checks } = proof
    const key = JSON.stringify([
      verdicts.map(({ rule, verdict, finding }) => [
        rule.actor,
        rule.action,
        rule.object,
        rule.must,
        verdict,
        finding,
      ]),
      checks,
    ])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [proof])
    else group.push(proof)
  }
  return groups
}

function groupLines(hosts: readonly HostProof[], options: ProofTextOptions): readonly Line[] {
  const [first] = hosts
  if (first === undefined) return []
  const { actors, verdicts, checks } = first
  return [
    [styled('strong', hostList(hosts.map(({ host }) => host)))],
    ...actors.map((actor): Line => ['  ', actorText(actor, hosts.length > 1)]),
    [],
    ...matrixLines(verdicts),
    [],
    ...reasonLines(verdicts),
    ...checkLines(checks, options),
    ...(options.verbose ? hosts.flatMap(socketLines) : []),
    [],
  ]
}

/** Numbers are each host's own: where several hosts are told together they are left out. */
function actorText({ name, description, from, identity }: ActorFound, several: boolean): string {
  if (several || identity === undefined)
    return `${name}: ${description} (${several ? from.replace(/, process \d+/, '') : from})`
  const groups = identity.groups.length === 0 ? 'no further groups' : `groups ${identity.groups.join(', ')}`
  const capabilities =
    identity.capabilities.size === 0
      ? 'no capabilities'
      : `${String(identity.capabilities.size)} capabilities`
  return `${name}: ${description} (${from}; uid ${String(identity.uid)}, gid ${String(identity.gid)}, ${groups}, ${capabilities})`
}

/** How long the provider took, as it was seen from here; it is each host's own. */
function socketLines({ host, sockets }: HostProof): readonly Line[] {
  return sockets.flatMap(({ path, through, calls }): readonly Line[] => {
    if (through === undefined) return []
    const times = calls.map(({ call, milliseconds }) => `${call} ${milliseconds.toFixed(1)} ms`)
    return [['  ', styled('dim', `${host}: ${path} asked through ${[through, ...times].join(', ')}`)]]
  })
}

/** Objects down, actors across; in each cell what was tried: `+` must, `-` must not, and how it came out by its mark. */
function matrixLines(verdicts: readonly Verdict[]): readonly Line[] {
  const actors = [...new Set(verdicts.map(({ rule }) => rule.actor))]
  const objects = [...new Set(verdicts.map(({ rule }) => rule.object))]
  const cells = objects.map((object) =>
    actors.map((actor) =>
      verdicts.filter(({ rule }) => rule.object === object && rule.actor === actor).map(cellWord),
    ),
  )
  const width = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length))
  const first = width(objects)
  const widths = actors.map((actor, column) =>
    width([actor, ...cells.map((row) => (row[column] ?? []).map(({ text }) => text).join(' '))]),
  )
  const header: Line = [
    `  ${''.padEnd(first)}`,
    ...actors.flatMap((actor, column) => [
      '  ',
      styled('strong', actor),
      blanks((widths[column] ?? 0) - actor.length),
    ]),
  ]
  const rows = objects.map((object, row): Line => [
    `  ${object.padEnd(first)}`,
    ...actors.flatMap((_, column) => cellSpans(cells[row]?.[column] ?? [], widths[column] ?? 0)),
  ])
  const legend = '+ must and can, - must not and cannot, ! violated, ? unknown, ~ not enforceable here'
  return [...[header, ...rows].map(withoutEnd), ['  ', styled('dim', legend)]]
}

const blanks = (number: number): string => ' '.repeat(Math.max(0, number))

/** The line without the blanks that fill up its last columns. */
function withoutEnd(line: Line): Line {
  const last = line.findLastIndex((span) => typeof span !== 'string' || span.trim() !== '')
  return line
    .slice(0, last + 1)
    .map((span, index) => (index === last && typeof span === 'string' ? span.trimEnd() : span))
}

interface Word {
  readonly text: string
  readonly style: Style
}

function cellWord({ rule, verdict }: Verdict): Word {
  const sign = { pass: rule.must ? '+' : '-', violated: '!', unknown: '?', 'not-enforceable': '~' }[verdict]
  return { text: `${sign}${rule.action}`, style: marks[verdict].style }
}

function cellSpans(words: readonly Word[], width: number): readonly Span[] {
  const length = words.reduce((sum, { text }, index) => sum + text.length + (index === 0 ? 0 : 1), 0)
  const spans = words.flatMap(({ text, style }, index) => [
    ...(index === 0 ? [] : [' ']),
    styled(style, text),
  ])
  return ['  ', ...spans, blanks(width - length)]
}

/** Every verdict that is no pass, with why it matters; those that say the same of several objects stand together. */
function reasonLines(verdicts: readonly Verdict[]): readonly Line[] {
  const groups = new Map<string, Verdict[]>()
  for (const verdict of verdicts) {
    if (verdict.verdict === 'pass') continue
    const { actor, must, because } = verdict.rule
    const excused = verdict.verdict === 'not-enforceable'
    const key = JSON.stringify([
      verdict.verdict,
      actor,
      must,
      because,
      verdict.finding,
      excused || verdict.rule.object,
    ])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [verdict])
    else group.push(verdict)
  }
  return [...groups.values()].flatMap(reasonOf)
}

function reasonOf(verdicts: readonly Verdict[]): readonly Line[] {
  const [first] = verdicts
  if (first === undefined) return []
  const { rule, verdict, finding } = first
  const { style, word } = marks[verdict]
  const unique = (texts: readonly string[]): string => [...new Set(texts)].join(', ')
  const actions = unique(verdicts.map((each) => actionWords[each.rule.action]))
  const objects = unique(verdicts.map((each) => each.rule.object))
  return [
    ['  ', styled(style, word), ` ${rule.actor} ${rule.must ? 'must' : 'must not'} ${actions} ${objects}`],
    ['      ', finding],
    ['      ', styled('dim', `${rule.because} (${rule.source}; ${showPlace(rule.place)})`)],
  ]
}

function checkLines(checks: readonly Check[], { verbose }: ProofTextOptions): readonly Line[] {
  return checks
    .filter(({ verdict }) => verbose || verdict !== 'pass')
    .flatMap(({ verdict, subject, expected, finding, source }): readonly Line[] => [
      ['  ', styled(marks[verdict].style, marks[verdict].word), ` ${subject}: ${expected}`],
      ...(finding === '' ? [] : [['      ', finding]]),
      ...(verdict === 'pass' ? [] : [['      ', styled('dim', source)]]),
    ])
}
