import { randomBytes } from 'node:crypto'
import { KmsfleetError } from '../errors/error.ts'
import type { Snapshot } from '../model/facts.ts'
import type { ChangeReport } from '../model/wire.ts'
import type { Channel } from '../transport/channel.ts'
import { beginLine } from './bootstrap.ts'
import { hostInput } from './host-input.ts'
import { readPrelude } from './read/prelude.ts'
import { recordDecoder } from './records.ts'

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
  /**
   * POSIX sh for the resident shell, no NUL; must not end in a newline. It may use everything that
   * shell/read/prelude.sh defines (the session sends that first). `nonce` is also in `$kf_nonce`; records start
   * with `kf_mark WORD`. The script prints reports and one probe section; the session itself appends the end mark.
   */
  script(nonce: string): string
  readonly payloads: readonly Uint8Array[]
  /** Milliseconds that the whole frame may take, however many bytes arrive. */
  readonly deadlineMs: number
  /** Bytes of output that are accepted. */
  readonly outputLimit: number
  /** Turns the fields of the probe section into facts; total: any fields give a snapshot or a typed error. */
  decode(fields: readonly string[]): Snapshot
}

/** Bytes of login noise that may stand before the begin line. */
export const preambleLimit = 64 * 1024

/** Milliseconds that login files, sudo and the shell may take before the begin line. */
export const startDeadlineMs = 30_000

/** Payloads go out in slices of this many bytes, each awaited, so that a slow host holds no copies in memory. */
const sliceBytes = 64 * 1024

/** Sends bytes in slices that are each awaited. */
export async function writeSlices(channel: Channel, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += sliceBytes) {
      await channel.write(chunk.subarray(start, start + sliceBytes))
    }
  }
}

/** Header line and script of a frame. The script must arrive whole or not run: its length is counted in bytes. */
export function frameHead(nonce: string, script: string): Uint8Array {
  const bytes = Buffer.from(script)
  if (bytes.includes(0) || script.endsWith('\n')) {
    throw new KmsfleetError(
      'host.unsendable',
      'expected a script without NUL and trailing newline, found one',
      {
        hint: 'this is a bug of kmsfleet',
      },
    )
  }
  return Buffer.concat([Buffer.from(`${nonce} ${String(bytes.length)}\n`), bytes])
}

/**
 * Waits for the begin line of {@link bootstrapCommand}'s loop on a channel that runs it; sends nothing before. Throws
 * KmsfleetError `host.no-shell`, `host.deadline` or what the channel throws. The session owns the channel.
 */
export async function openSession(channel: Channel, signal: AbortSignal): Promise<Session> {
  const input = hostInput(channel)
  let state: Session['state'] = 'open'
  let roundTrips = 0

  const close = async (): Promise<void> => {
    if (state === 'open') state = 'closed'
    channel.end()
    await channel[Symbol.asyncDispose]()
  }

  try {
    await input.skipPast(beginLine, preambleLimit, startDeadlineMs, signal)
  } catch (error) {
    await close()
    throw error
  }

  async function* send(frame: Frame, abort: AbortSignal): AsyncGenerator<FrameMessage> {
    if (state !== 'open') {
      throw new KmsfleetError('host.shell-ended', `expected an open session, found it ${state}`, {
        hint: 'connect again',
      })
    }
    const nonce = randomBytes(16).toString('hex')
    const prelude = roundTrips === 0 ? `${readPrelude}\n` : ''
    const head = frameHead(nonce, `${prelude}${frame.script(nonce)}\nkf_mark end "$?"`)
    const records = recordDecoder(nonce, frame.outputLimit)
    const deadline = input.deadline(frame.deadlineMs, abort)
    let snapshot: Snapshot | undefined
    // until the end mark was seen, nobody knows what the shell will take the next bytes for
    state = 'poisoned'
    roundTrips += 1
    try {
      const written = writeSlices(channel, [head, ...frame.payloads])
      // reported by the race below; a rejection must not be unhandled meanwhile
      written.catch(() => undefined)
      while (!records.ended) {
        for (const record of records.push(await deadline.race(input.next()))) {
          if (record.is === 'report') yield record
          else if (record.is === 'probe') snapshot = frame.decode(record.fields)
        }
      }
      await deadline.race(written)
      if (snapshot === undefined) {
        throw new KmsfleetError('host.protocol', 'expected a probe section in every frame, found none', {
          hint: 'this is a bug of kmsfleet, or the host is hostile',
        })
      }
      state = 'open'
    } finally {
      deadline.clear()
      // also where the consumer stops early: what it did not read would be taken for the next frame's answer
      if (state === 'poisoned') await channel[Symbol.asyncDispose]()
    }
    yield { is: 'snapshot', snapshot }
  }

  return {
    send,
    get state() {
      return state
    },
    get roundTrips() {
      return roundTrips
    },
    get bytesSent() {
      return channel.bytesSent
    },
    get bytesReceived() {
      return channel.bytesReceived
    },
    [Symbol.asyncDispose]: close,
  }
}
