/** Exit codes of the command line; 2, 4, 8 and 16 add up. */
export const exitCode = {
  ok: 0,
  /** Usage, validation or internal error. */
  error: 1,
  /** plan: something differs. */
  differs: 2,
  hostFailed: 4,
  unreachable: 8,
  rail: 16,
  interrupted: 130,
} as const

/** How a host's part of a run ended. `not-run` is never shown as fine. */
export type HostOutcome = 'ok' | 'changed' | 'differs' | 'failed' | 'unreachable' | 'stopped' | 'not-run'
