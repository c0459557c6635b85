import type { ErrorCode } from './codes.ts'
import type { Place } from './place.ts'

/** What a {@link KmsfleetError} carries beside its one-line message. */
export interface ErrorDetails {
  /** Where in the operator's files the trouble is. */
  readonly place?: Place
  /** One sentence that says what to do about it. */
  readonly hint?: string
  /** Shown under `-v` only; must be free of secrets. */
  readonly cause?: unknown
}

/**
 * A known error: one line saying what was expected and what was found. The command line prints it
 * without a stack; anything that is not a KmsfleetError is a bug and is printed with one.
 */
export class KmsfleetError extends Error {
  readonly code: ErrorCode
  readonly place: Place | undefined
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'KmsfleetError'
    this.code = code
    this.place = details.place
    this.hint = details.hint
  }
}

/** Several independent errors found in one pass, so that a user mends them all at once. */
export class KmsfleetErrors extends Error {
  readonly errors: readonly KmsfleetError[]

  constructor(errors: readonly KmsfleetError[]) {
    super(errors.map((error) => error.message).join('\n'))
    this.name = 'KmsfleetErrors'
    this.errors = errors
  }
}
