import { KmsfleetError } from '../errors/error.ts'
import type { HostProof } from '../model/access.ts'
import { exitCode } from '../model/outcome.ts'
import type { HostEnd } from './fleet.ts'

/** Exit code bits of one host: nothing but proof is 0; what is unknown is as little proved as what is violated. */
export function exitOf(end: HostEnd): number {
  if (end.is === 'proved') return isProved(end.proof) ? exitCode.ok : exitCode.differs
  return end.error instanceof KmsfleetError && end.error.code.startsWith('transport.')
    ? exitCode.unreachable
    : exitCode.hostFailed
}

function isProved({ verdicts, checks }: HostProof): boolean {
  return [...verdicts, ...checks].every(({ verdict }) => verdict === 'pass' || verdict === 'not-enforceable')
}

/** What went wrong with a host that was not asked, on one line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
