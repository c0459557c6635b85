import type { Snapshot } from '../model/facts.ts'
import type { ChangeReport } from '../model/wire.ts'

/** What `openSession` gives: a resident root shell on one host that takes frames. */
export interface Session extends AsyncDisposable {
  /** Sends one compiled frame; yields change reports as they come, then the snapshot. Throws KmsfleetError `host.*` / `transport.*`. */
  send(frame: Frame, signal: AbortSignal): AsyncIterable<FrameMessage>
  readonly state: 'open' | 'poisoned' | 'closed'
  /** Frames sent so far: round trips after the handshake. */
  readonly roundTrips: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

export type FrameMessage =
  | { readonly is: 'report'; readonly report: ChangeReport }
  | { readonly is: 'snapshot'; readonly snapshot: Snapshot }

/**
 * A compiled frame: a script and the payload bytes that follow it on the wire. Made only by
 * `compileRead` (shell/read) and `compileWrite` (shell/write); the read compiler has no way to emit a write.
 */
export interface Frame {
  readonly access: 'read' | 'write'
  /** ASCII; must not end in a newline. `nonce` marks sections and the end. */
  script(nonce: string): string
  readonly payloads: readonly Uint8Array[]
  /** Milliseconds that the whole frame may take, however many bytes arrive. */
  readonly deadlineMs: number
  /** Bytes of output that are accepted. */
  readonly outputLimit: number
  /** Turns the fields of the probe section into facts; total: any fields give a snapshot or a typed error. */
  decode(fields: readonly string[]): Snapshot
}
