import type { Readable, Writable } from 'node:stream'
import { KmsfleetError } from '../errors/error.ts'
import type { Channel, Exit } from './channel.ts'
import { lost, messageOf } from './failures.ts'

/** Bytes of standard error that a program may write; more is taken for a flood and ends the channel. */
const stderrLimit = 256 * 1024
/** Bytes of standard error that are kept for messages. */
const stderrKept = 16 * 1024

/** The streams of a started program and the way to drop it. */
export interface ProgramStreams {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Calls back once what lies below `stdin` (a socket) has room again. */
  whenRoom(then: () => void): void
  /** Drops the program: its input and output are closed. */
  close(): Promise<void>
}

/** Looks at a program until its first {@link Channel.write}: answers sudo, and explains its failure. */
export interface StartWatch {
  /** Takes standard error as it comes. */
  onStderr(text: string): { readonly send: Uint8Array } | { readonly fail: KmsfleetError } | undefined
  /** Explains a program that ended before anything was sent to it. */
  onEnd(exit: Exit): KmsfleetError | undefined
}

/** A {@link Channel} with the levers of whoever knows how the program ends. */
export interface Program {
  readonly channel: Channel
  /** The program ended by itself. */
  ended(exit: Exit): void
  /** The channel is broken; the first reason stays. */
  fail(error: KmsfleetError): void
}

/** Makes a channel of a program's streams. */
export function createProgram(host: string, streams: ProgramStreams, watch?: StartWatch): Program {
  let bytesSent = 0
  let bytesReceived = 0
  let stderrTaken = 0
  let stderrTail = ''
  let watching = watch
  let exit: Exit | undefined
  let failure: KmsfleetError | undefined
  let stdoutEnded = false
  const stderrEnded = new Promise<void>((resolve) =>
    streams.stderr.once('end', resolve).once('close', resolve),
  )
  const pendingWrites = new Set<(error: KmsfleetError) => void>()
  let wake: () => void = () => undefined

  let settleExit: { resolve: (exit: Exit) => void; reject: (error: KmsfleetError) => void } | undefined
  const exited = new Promise<Exit>((resolve, reject) => {
    settleExit = { resolve, reject }
  })
  // Whoever reads stdout gets the same error; nobody is obliged to look at both.
  exited.catch(() => undefined)

  const fail = (error: KmsfleetError): void => {
    if (failure !== undefined || (exit !== undefined && stdoutEnded)) return
    failure = error
    settleExit?.reject(error)
    for (const reject of pendingWrites) reject(error)
    wake()
    void streams.close()
  }
  const ended = (by: Exit): void => {
    if (exit !== undefined || failure !== undefined) return
    exit = by
    settleExit?.resolve(by)
    for (const reject of pendingWrites) reject(lost(host, 'the program ended and takes no more input'))
    wake()
  }

  streams.stdin.on('error', (error: Error) => {
    for (const reject of pendingWrites) reject(lost(host, messageOf(error), error))
  })
  streams.stdout.on('error', (error: Error) => {
    fail(lost(host, messageOf(error), error))
  })
  streams.stderr.on('error', () => undefined)
  streams.stdout.on('readable', () => {
    wake()
  })
  streams.stdout.once('end', () => {
    stdoutEnded = true
    wake()
  })
  streams.stderr.on('data', (chunk: Buffer) => {
    bytesReceived += chunk.length
    stderrTaken += chunk.length
    // latin1: one character a byte, so that a cut never splits one.
    const text = chunk.toString('latin1')
    stderrTail = (stderrTail + text).slice(-stderrKept)
    const answer = watching?.onStderr(text)
    if (answer !== undefined && 'send' in answer) streams.stdin.write(answer.send)
    else if (answer !== undefined) fail(answer.fail)
    if (stderrTaken > stderrLimit) fail(stderrFlood(host))
  })

  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk: unknown = streams.stdout.read()
      if (chunk instanceof Uint8Array) {
        bytesReceived += chunk.length
        yield chunk
        continue
      }
      if (failure !== undefined) throw failure
      if (stdoutEnded && exit !== undefined) break
      await new Promise<void>((resolve) => (wake = resolve))
    }
    if (watching === undefined) return
    await stderrEnded
    const explained = watching.onEnd(exit)
    if (explained !== undefined) throw explained
  }

  const channel: Channel = {
    stdout: read(),
    stderrTail: () => Buffer.from(stderrTail, 'latin1').toString('utf8'),
    exited,
    get bytesSent() {
      return bytesSent
    },
    get bytesReceived() {
      return bytesReceived
    },
    write(bytes) {
      watching = undefined
      return new Promise<void>((resolve, reject) => {
        if (failure !== undefined) {
          reject(failure)
          return
        }
        if (exit !== undefined || streams.stdin.writableEnded) {
          reject(lost(host, 'the program takes no more input'))
          return
        }
        const settle = (error?: KmsfleetError): void => {
          pendingWrites.delete(settle)
          if (error === undefined) resolve()
          else reject(error)
        }
        pendingWrites.add(settle)
        bytesSent += bytes.length
        streams.stdin.write(bytes, (error) => {
          if (error) settle(lost(host, messageOf(error), error))
          else
            streams.whenRoom(() => {
              settle()
            })
        })
      })
    },
    end() {
      streams.stdin.end()
    },
    async [Symbol.asyncDispose]() {
      fail(lost(host, 'it was closed from this side'))
      await streams.close()
    },
  }
  return { channel, ended, fail }
}

function stderrFlood(host: string): KmsfleetError {
  return new KmsfleetError(
    'transport.flood',
    `${host}: expected at most ${String(stderrLimit / 1024)} KiB on standard error, found more`,
    { hint: 'Look for a login script or sudo module on the host that prints without end.' },
  )
}
