import type { EventSink, RunEvent } from './event.ts'

/** Takes numbered events; must not throw. */
export type RunSink = (event: RunEvent) => void

export interface EventStream {
  readonly emit: EventSink
  /** Number of the last event; 0 before the first. */
  readonly seq: number
}

/** Numbers and dates events and hands each to every sink, in order. */
export function createEventStream(
  sinks: readonly RunSink[],
  clock: () => Date = () => new Date(),
): EventStream {
  let seq = 0
  return {
    emit: (body) => {
      seq += 1
      const event: RunEvent = { v: 1, seq, at: clock().toISOString(), ...body }
      for (const sink of sinks) sink(event)
    },
    get seq() {
      return seq
    },
  }
}
