import type { ErrorCode } from '../errors/codes.ts'
import type { Place } from '../errors/place.ts'

/** A {@link KmsfleetError} as plain data, for events, journals and reports. Free of secrets; host text is still raw. */
export interface Problem {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly place?: Place
  /** Path, account or unit on the host, where there is one. */
  readonly subject?: string
}
