import { expandMatrices, verifyFleet, type HostEnd } from '../access/fleet.ts'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { actionWords, type AccessSummary, type HostProof, type VerdictKind } from '../model/access.ts'
import type { EventSink, RunEventBody } from '../model/event.ts'
import { exitCode } from '../model/outcome.ts'
import type { RunRequest } from './request.ts'

/** What a run did to its hosts, gathered from what it told. */
export interface Touched {
  readonly emit: EventSink
  /** Names of hosts that were changed, each with whether something is still due there. */
  readonly hosts: ReadonlyMap<string, { readonly due: boolean }>
}

/** Passes events on, and remembers which hosts were changed. */
export function watchChanges(emit: EventSink): Touched {
  const hosts = new Map<string, { readonly due: boolean }>()
  const take = (event: RunEventBody): void => {
    if (event.type === 'host-ended' && event.changed > 0) {
      const due = event.due.length > 0 || hosts.get(event.host)?.due === true
      hosts.set(event.host, { due })
    }
    emit(event)
  }
  return { emit: take, hosts }
}

/**
 * Verifies the access matrix of every host that was changed, and tells what came of it. Gives exit code bits: a
 * violation where nothing is due counts, since then nothing is left that would mend it.
 */
export async function proveAccess(request: RunRequest, { hosts, emit }: Touched): Promise<number> {
  const changed = request.inventory.hosts.filter(({ name }) => hosts.has(name))
  const tell = (host: string, access: AccessSummary): void => {
    emit({ type: 'access', host, access })
  }
  if (request.verify === false) {
    for (const { name } of changed) tell(name, { is: 'not-verified', because: '--no-verify was given' })
    return exitCode.ok
  }
  const { playbook, inventory, extraVars } = request
  let matrices
  try {
    matrices = expandMatrices({ playbook, inventory, extraVars }, changed)
  } catch (error) {
    if (!(error instanceof KmsfleetError) && !(error instanceof KmsfleetErrors)) throw error
    for (const { name } of changed) tell(name, { is: 'not-verified', because: error.message })
    return exitCode.hostFailed
  }
  const ends = await verifyFleet(matrices, request.connect, request.concurrency, request.stop)
  return ends.reduce((bits, end) => {
    const name = end.is === 'proved' ? end.proof.host : end.host
    const summary = summaryOf(end, hosts.get(name)?.due === true)
    tell(name, summary)
    return bits | bitsOf(summary)
  }, 0)
}

function summaryOf(end: HostEnd, excused: boolean): AccessSummary {
  if (end.is === 'not-asked') {
    return { is: 'not-verified', because: end.error instanceof Error ? end.error.message : String(end.error) }
  }
  const { verdicts, checks }: HostProof = end.proof
  const all = [
    ...verdicts.map(({ rule: { actor, must, action, object }, verdict, finding }) => ({
      verdict,
      text: `${actor} ${must ? 'must' : 'must not'} ${actionWords[action]} ${object}: ${finding}`,
    })),
    ...checks.map(({ subject, expected, verdict, finding }) => ({
      verdict,
      text: `${subject}: ${expected}: ${finding}`,
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
      .map(({ verdict, text }) => `${verdict}: ${text}`),
    excused,
  }
}

function bitsOf(summary: AccessSummary): number {
  if (summary.is === 'not-verified') return exitCode.hostFailed
  return summary.findings.length === 0 || summary.excused ? exitCode.ok : exitCode.differs
}
