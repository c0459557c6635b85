import { KmsfleetError } from '../errors/error.ts'
import type { Host } from '../inventory/types.ts'
import type { Snapshot } from '../model/facts.ts'
import type { ChangeReport } from '../model/wire.ts'
import { rootShell } from '../shell/bootstrap.ts'
import { type Frame, openSession } from '../shell/session.ts'
import { compileStop } from '../shell/write/compile.ts'
import type { Connect } from '../transport/channel.ts'

/** One host's connection and resident root shell, for as long as its part of a run lasts. */
export interface Link extends AsyncDisposable {
  /** Sends a frame; change reports come as the host makes them. Gives the snapshot of the frame's probe section. */
  send(frame: Frame, signal: AbortSignal, onReport?: (report: ChangeReport) => void): Promise<Snapshot>
  /** Asks the host, over a second channel, to start no further change of the frame under way. */
  stop(run: string, signal: AbortSignal): Promise<void>
  readonly roundTrips: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** Connects and waits for the root shell. Throws KmsfleetError `transport.*`. */
export async function openLink(host: Host, connect: Connect, signal: AbortSignal): Promise<Link> {
  const connection = await connect(host.name, host.connection, signal)
  try {
    const session = await openSession(await connection.execRoot(rootShell, signal), signal)
    return {
      send: async (frame, abort, onReport) => {
        let snapshot: Snapshot | undefined
        for await (const message of session.send(frame, abort)) {
          if (message.is === 'snapshot') snapshot = message.snapshot
          else onReport?.(message.report)
        }
        if (snapshot !== undefined) return snapshot
        throw new KmsfleetError('host.protocol', 'expected a probe section at the end of a frame, found none')
      },
      stop: async (run, abort) => {
        const second = await openSession(await connection.execRoot(rootShell, abort), abort)
        try {
          await drain(second.send(compileStop(run), abort))
        } finally {
          await second[Symbol.asyncDispose]()
        }
      },
      get roundTrips() {
        return session.roundTrips
      },
      get bytesSent() {
        return session.bytesSent
      },
      get bytesReceived() {
        return session.bytesReceived
      },
      [Symbol.asyncDispose]: async () => {
        await session[Symbol.asyncDispose]()
        await connection[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw error
  }
}

/** Waits for the end of a frame whose answer says nothing. */
async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  const iterator = messages[Symbol.asyncIterator]()
  while ((await iterator.next()).done !== true);
}
