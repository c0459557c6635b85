import type { AccessSummary } from './access.ts'
import type { HostOutcome } from './outcome.ts'
import type { Due, Plan } from './plan.ts'
import type { Problem } from './problem.ts'
import type { Difference } from './resource.ts'

/** What one host's run cost, for recap and bench. */
export interface HostCost {
  readonly milliseconds: number
  /** Frames sent, that is round trips after the handshake. */
  readonly roundTrips: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/**
 * The stream that every report consumes. Plans in it hold typed differences only: a secret has no way
 * in. Host text is raw; every sink escapes it.
 */
export type RunEvent = { readonly v: 1; readonly seq: number; readonly at: string } & (
  | {
      readonly type: 'run-started'
      readonly run: string
      readonly command: 'plan' | 'converge'
      readonly playbook?: string
      readonly hosts: readonly string[]
      readonly version: string
    }
  | { readonly type: 'play-started'; readonly play: string; readonly hosts: readonly string[] }
  | { readonly type: 'batch-started'; readonly hosts: readonly string[] }
  /** Between two batches. */
  | { readonly type: 'paused'; readonly seconds: number }
  | { readonly type: 'connecting' | 'connected'; readonly host: string }
  | { readonly type: 'planned'; readonly host: string; readonly plan: Plan }
  | { readonly type: 'waiting'; readonly host: string; readonly for: string }
  | { readonly type: 'acting' | 'done' | 'stopped'; readonly host: string; readonly change: string }
  | {
      readonly type: 'conflict' | 'failed'
      readonly host: string
      readonly change?: string
      readonly problem: Problem
    }
  | {
      readonly type: 'proved'
      readonly host: string
      readonly stage: number
      readonly left: readonly Difference[]
    }
  | { readonly type: 'widened'; readonly host: string; readonly changes: readonly string[] }
  | {
      readonly type: 'host-ended'
      readonly host: string
      readonly outcome: HostOutcome
      readonly changed: number
      readonly differing: number
      /** What is left to others on purpose, as the last plan has it. */
      readonly due: readonly Due[]
      readonly unchanged: number
      readonly problem?: Problem
      readonly cost: HostCost
    }
  /** At the end of a converge, of a host that it changed: who can do what, and cannot. */
  | { readonly type: 'access'; readonly host: string; readonly access: AccessSummary }
  | { readonly type: 'rail'; readonly problem: Problem }
  | { readonly type: 'run-ended'; readonly exitCode: number; readonly milliseconds: number }
)

type WithoutHead<T> = T extends unknown ? Omit<T, 'v' | 'seq' | 'at'> : never

/** An event before the stream numbers and dates it. */
export type RunEventBody = WithoutHead<RunEvent>

/** Takes events in order; must not throw. */
export type EventSink = (event: RunEventBody) => void
