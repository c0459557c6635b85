import type { ErrorCode } from '../errors/codes.ts'
import { KmsfleetError } from '../errors/error.ts'
import { createClusterGates } from '../fleet/clusters.ts'
import type { JobEnd } from '../fleet/run.ts'
import { exitCode } from '../model/outcome.ts'
import { checkTags } from '../playbook/tags.ts'
import { createContexts } from './context.ts'
import { prepareProof, proveAccess, watchChanges } from './final-proof.ts'
import { type ContextRequest, createMemory, type RunMemory, tagChoice } from './memory.ts'
import { checkAccepted } from './new-identity.ts'
import { type PreparedPlay, preparePlay, type RunState, runPlay, skipPlay } from './play.ts'
import type { RunRequest, RunResult } from './request.ts'
import { openSecrets } from './secrets.ts'
import { checkLimit } from './selection.ts'

/**
 * Plans or converges every play of a playbook. Everything that can be wrong in the operator's files is thrown
 * (KmsfleetErrors) before the first connection; what hosts do wrong is told through events and the exit code.
 */
export async function runPlaybook(asked: RunRequest): Promise<RunResult> {
  const touched = watchChanges(asked.emit)
  const request = { ...asked, emit: touched.emit }
  const startedAt = performance.now()
  const [unread] = request.playbook.unread
  if (unread !== undefined) {
    throw new KmsfleetError(
      'run.usage',
      `expected a playbook with all of its tasks, found that ${unread.file} was not run`,
      {
        hint: 'load it with loadPlaybookAndCode',
      },
    )
  }
  const memory = createMemory()
  await openSecrets(request, memory)
  const plays = prepareRun(request, memory)
  const proof = request.verify === undefined ? undefined : prepareProof(request, plays)
  checkAccepted(request.acceptNewIdentity ?? [], plays)
  await request.beforeContact?.()
  const state: RunState = {
    gates: createClusterGates(),
    forecast: new Map(),
    newIdentities: new Set(request.acceptNewIdentity),
  }
  let code: number = exitCode.ok
  for (const play of plays) {
    // A later play may rest on what an earlier one was to make.
    const ruined = request.stop.aborted || (code & ~exitCode.differs) !== 0
    const ends = ruined ? await skipPlay(request, play, state) : await runPlay(request, play, state)
    code |= exitBits([...ends.values()])
  }
  if (proof !== undefined && !request.stop.aborted) code |= await proveAccess(request, proof, touched)
  const result = request.stop.aborted ? exitCode.interrupted : code
  request.emit({
    type: 'run-ended',
    exitCode: result,
    milliseconds: Math.round(performance.now() - startedAt),
  })
  return { exitCode: result }
}

/** All plays of a run, each task expanded for each host; contacts nothing and opens no secret source. */
export function prepareRun(
  request: ContextRequest & Pick<RunRequest, 'diff'>,
  memory: RunMemory = createMemory(),
): readonly PreparedPlay[] {
  checkTags(request.playbook.plays, tagChoice(request))
  checkLimit(request, request.playbook.plays)
  return request.playbook.plays.map((play) =>
    preparePlay(play, createContexts(request, play, memory), { diff: request.diff }),
  )
}

function exitBits(ends: readonly JobEnd[]): number {
  return ends.reduce((bits, end) => bits | bitsOf(end), 0)
}

/** A changed identity is a rail's refusal and not a host's failure. */
const rails: ReadonlySet<ErrorCode> = new Set(['run.rail', 'run.locked', 'resource.identity'])

function bitsOf(end: JobEnd): number {
  if (end.problem !== undefined && rails.has(end.problem.code)) return exitCode.rail
  switch (end.outcome) {
    case 'ok':
    case 'changed':
      return 0
    case 'differs':
      return exitCode.differs
    case 'failed':
      return exitCode.hostFailed
    case 'unreachable':
      return exitCode.unreachable
    case 'stopped':
    case 'not-run':
      return exitCode.rail
  }
}
