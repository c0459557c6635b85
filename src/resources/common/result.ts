import type { ErrorCode } from '../../errors/codes.ts'
import type { Planned } from '../../model/resource.ts'
import type { Problem } from '../../model/problem.ts'

/** A value, or the reason why there is none. */
export type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

export type Refused = Extract<Planned, { readonly is: 'refused' }>

export function success<T>(value: T): Result<T> {
  return { ok: true, value }
}

/**
 * A problem with something on the host.
 *
 * @param subject path, account or unit that it is about
 * @param hint one sentence on what to do about it
 */
export function problem(code: ErrorCode, subject: string, message: string, hint?: string): Problem {
  return hint === undefined ? { code, subject, message } : { code, subject, message, hint }
}

export function failure(of: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: of }
}

export function refused(of: Problem): Refused {
  return { is: 'refused', problem: of }
}
