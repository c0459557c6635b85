import type { RunEvent } from '../model/event.ts'

/** A consumer of the event stream. It must not throw, and must not slow the run down. */
export interface Report {
  take(event: RunEvent): void
  /** The run is over, or broke off: print what is left and let go of the terminal. */
  close(): void | Promise<void>
}

/** The report on standard error, which shares the terminal with questions and notices. */
export interface Conversation extends Report {
  /** Tells the operator something that is not an event, such as that a signal was understood. */
  notice(text: string): void
  /** Leaves the terminal to somebody else until `resume`. */
  pause(): Promise<void>
  resume(): void
}
