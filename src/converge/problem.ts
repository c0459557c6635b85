import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import type { Problem } from '../model/problem.ts'

/** An error as plain data, and whether it means that the host could not be reached. */
export interface KnownProblem {
  readonly problem: Problem
  readonly unreachable: boolean
}

/** Failures of `become` are the host's refusal, not the network's. */
const refusal = 'transport.sudo'

/** Turns what was thrown into a problem. Anything that is not a known error is a bug and is thrown again. */
export function problemOf(error: unknown): KnownProblem {
  const known = error instanceof KmsfleetErrors ? error.errors[0] : error
  if (!(known instanceof KmsfleetError)) throw error
  return {
    problem: {
      code: known.code,
      message: known.message,
      ...(known.hint === undefined ? {} : { hint: known.hint }),
      ...(known.place === undefined ? {} : { place: known.place }),
    },
    unreachable: known.code.startsWith('transport.') && !known.code.startsWith(refusal),
  }
}
