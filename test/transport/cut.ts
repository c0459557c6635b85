import { KmsfleetError } from '../../src/errors/error.ts'
import type { Channel, Connect } from '../../src/transport/channel.ts'

export interface CutPoint {
  /** The connection breaks when this many bytes were sent; what comes later never arrives. */
  readonly bytesSent?: number
  /** The connection breaks when this many bytes of output were delivered. */
  readonly bytesReceived?: number
}

/** Breaks every channel of `connect` at an exact byte: for tests that a broken run can be finished by the next one. */
export function cutAfter(connect: Connect, point: CutPoint): Connect {
  return async (host, settings, signal) => {
    const connection = await connect(host, settings, signal)
    return {
      execRoot: async (command, start) => cut(host, await connection.execRoot(command, start), point),
      [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    }
  }
}

function cut(host: string, channel: Channel, point: CutPoint): Channel {
  let sent = 0
  let received = 0
  let broken: KmsfleetError | undefined
  const breakIt = async (): Promise<KmsfleetError> => {
    broken ??= new KmsfleetError('transport.lost', `${host}: cut by the test`)
    await channel[Symbol.asyncDispose]()
    return broken
  }

  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    const limit = point.bytesReceived ?? Infinity
    try {
      for await (const chunk of channel.stdout) {
        const room = limit - received
        received += Math.min(room, chunk.length)
        if (room > 0) yield chunk.subarray(0, Math.min(room, chunk.length))
        if (received >= limit) throw await breakIt()
      }
    } catch (error) {
      throw broken ?? error
    }
  }

  return {
    stdout: read(),
    stderrTail: () => channel.stderrTail(),
    get exited() {
      return channel.exited.catch((error: unknown) => {
        throw broken ?? error
      })
    },
    get bytesSent() {
      return channel.bytesSent
    },
    get bytesReceived() {
      return channel.bytesReceived
    },
    async write(bytes) {
      if (broken !== undefined) throw broken
      const room = (point.bytesSent ?? Infinity) - sent
      const part = bytes.subarray(0, Math.min(room, bytes.length))
      sent += part.length
      if (part.length > 0) await channel.write(part)
      if (part.length === room) throw await breakIt()
    },
    end: () => {
      channel.end()
    },
    [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
  }
}
