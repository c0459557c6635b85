import { expandMatrices, verifyFleet, type HostEnd, type HostMatrix } from '../access/fleet.ts'
import { exitOf, reasonOf } from '../access/outcome.ts'
import { actionWords, type AccessSummary, type Actor, type VerdictKind } from '../model/access.ts'
import type { EventSink, RunEventBody } from '../model/event.ts'
import { exitCode } from '../model/outcome.ts'
import { resourceOfKey } from '../report/view.ts'
import type { PreparedPlay } from './play.ts'
import type { RunRequest } from './request.ts'

/** What a run did to its hosts, gathered from what it told. */
export interface Touched {
  readonly emit: EventSink
  /** Names of hosts that were changed. */
  readonly changed: ReadonlySet<string>
  /** Resources that were left to others, by host, and that no later play of the run saw to. */
  readonly due: ReadonlyMap<string, ReadonlySet<string>>
}

/** Passes events on, and remembers which hosts were changed and what is due there. */
export function watchChanges(emit: EventSink): Touched {
  const changed = new Set<string>()
  const due = new Map<string, Set<string>>()
  const take = (event: RunEventBody): void => {
    if (event.type === 'done') due.get(event.host)?.delete(resourceOfKey(event.change))
    if (event.type === 'host-ended') {
      if (event.changed > 0) changed.add(event.host)
      const own = due.get(event.host) ?? new Set<string>()
      due.set(event.host, own)
      for (const { resource } of event.due) own.add(resource)
    }
    emit(event)
  }
  return { emit: take, changed, due }
}

/** What the hosts of a run are to be proved by. Throws KmsfleetErrors with all that is wrong with it. */
export function prepareProof(
  { playbook, inventory, extraVars }: RunRequest,
  plays: readonly PreparedPlay[],
): readonly HostMatrix[] {
  const hosts = new Set(plays.flatMap((play) => play.hosts.map(({ host }) => host)))
  return expandMatrices({ playbook, inventory, extraVars }, [...hosts])
}

/**
 * Verifies the access matrix of every host that was changed, and tells what came of it. Gives exit code bits. What a
 * restart that is due may mend is told and does not count.
 */
export async function proveAccess(
  request: RunRequest,
  matrices: readonly HostMatrix[],
  { changed, due, emit }: Touched,
): Promise<number> {
  const own = matrices.filter(({ host }) => changed.has(host.name))
  if (request.verify === false) {
    for (const { host } of own) {
      const access = { is: 'not-verified', because: '--no-verify was given' } as const
      emit({ type: 'access', host: host.name, access })
    }
    return exitCode.ok
  }
  const ends = await verifyFleet(own, request.connect, request.concurrency, request.stop)
  return ends.reduce((bits, end) => {
    const host = end.is === 'proved' ? end.proof.host : end.host
    const actors = own.find((each) => each.host.name === host)?.matrix.actors ?? new Map<string, Actor>()
    const access = summaryOf(end, actors, due.get(host) ?? new Set())
    emit({ type: 'access', host, access })
    const counts = access.is === 'not-verified' || access.findings.some((finding) => !finding.due)
    return counts ? bits | exitOf(end) : bits
  }, 0)
}

function summaryOf(
  end: HostEnd,
  actors: ReadonlyMap<string, Actor>,
  due: ReadonlySet<string>,
): AccessSummary {
  if (end.is === 'not-asked') return { is: 'not-verified', because: reasonOf(end.error) }
  const { verdicts, checks } = end.proof
  const all = [
    ...verdicts.map(({ rule: { actor, must, action, object }, verdict, finding }) => ({
      verdict,
      text: `${actor} ${must ? 'must' : 'must not'} ${actionWords[action]} ${object}: ${finding}`,
      due: must && isDue(actors.get(actor), due),
    })),
    ...checks.map(({ subject, actor = subject, expected, verdict, finding }) => ({
      verdict,
      text: `${subject}: ${expected}: ${finding}`,
      due: isDue(actors.get(actor), due),
    })),
  ]
  const count = (kind: VerdictKind): number => all.filter(({ verdict }) => verdict === kind).length
  return {
    is: 'verified',
    counts: {
      pass: count('pass'),
      violated: count('violated'),
      unknown: count('unknown'),
      'not-enforceable': count('not-enforceable'),
    },
    findings: all
      .filter(({ verdict }) => verdict === 'violated' || verdict === 'unknown')
      .map(({ verdict, text, due: excused }) => ({ text: `${verdict}: ${text}`, due: excused })),
  }
}

/** Is the unit or the pod of this actor among what is due? */
function isDue(actor: Actor | undefined, due: ReadonlySet<string>): boolean {
  const running = actor?.running
  if (running === undefined) return false
  const name = running.by === 'unit' ? `unit:${running.unit}` : running.manifest
  return [...due].some((resource) => resource === name || resource.endsWith(`:${name}`))
}
