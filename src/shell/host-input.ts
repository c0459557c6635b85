import { KmsfleetError } from '../errors/error.ts'
import type { Channel } from '../transport/channel.ts'

/** A total deadline: bytes that arrive do not extend it. */
export interface Deadline {
  /** Settles as `promise` does, or rejects with `host.deadline` or the abort reason, whichever is first. */
  race<T>(promise: Promise<T>): Promise<T>
  clear(): void
}

/** What a host's shell says, read once and under deadlines. */
export interface HostInput {
  /** The next bytes; throws `host.shell-ended` where there are none to come. */
  next(): Promise<Uint8Array>
  /** Drops everything up to and with `marker`, which must come within `limit` bytes. */
  skipPast(marker: string, limit: number, milliseconds: number, signal: AbortSignal): Promise<void>
  deadline(milliseconds: number, signal: AbortSignal): Deadline
}

const tailLength = 400

/** The end of what the host's shell complained of, on one line; raw otherwise. */
function complaint(channel: Channel): string {
  const text = channel.stderrTail().trim()
  if (text === '') return ''
  const tail = text.length > tailLength ? `…${text.slice(-tailLength)}` : text
  return `; it said: ${tail.replaceAll(/\s*\n\s*/g, ' | ')}`
}

async function ended(channel: Channel): Promise<KmsfleetError> {
  const { code, signal } = await channel.exited
  const how = signal === undefined ? `exit status ${String(code)}` : `signal ${signal}`
  const hint =
    code === 98
      ? 'the frame did not arrive whole, or the host has no dd that knows iflag=fullblock'
      : 'connect again'
  const message = `expected the shell to answer, found that it ended with ${how}${complaint(channel)}`
  return new KmsfleetError('host.shell-ended', message, { hint })
}

function deadlineOf(channel: Channel, milliseconds: number, signal: AbortSignal): Deadline {
  const { promise: expired, reject } = promiseWithReject()
  const timer = setTimeout(() => {
    const message = `expected an answer within ${String(Math.round(milliseconds / 1000))} s, found none${complaint(channel)}`
    reject(
      new KmsfleetError('host.deadline', message, {
        hint: 'the host is overloaded, or a program on it hangs',
      }),
    )
  }, milliseconds)
  const abort = (): void => {
    reject(signal.reason)
  }
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  return {
    race: (promise) => Promise.race([promise, expired]),
    clear() {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    },
  }
}

/** A promise that only ever rejects, and may do so while nobody looks. */
function promiseWithReject(): {
  readonly promise: Promise<never>
  readonly reject: (reason: unknown) => void
} {
  let reject: (reason: unknown) => void = () => undefined
  const promise = new Promise<never>((_, rejectPromise) => {
    reject = rejectPromise
  })
  promise.catch(() => undefined)
  return { promise, reject }
}

export function hostInput(channel: Channel): HostInput {
  const chunks = channel.stdout[Symbol.asyncIterator]()

  const next = async (): Promise<Uint8Array> => {
    const result = await chunks.next()
    if (result.done === true) throw await ended(channel)
    return result.value
  }

  return {
    next,
    deadline: (milliseconds, signal) => deadlineOf(channel, milliseconds, signal),
    async skipPast(marker, limit, milliseconds, signal) {
      const deadline = deadlineOf(channel, milliseconds, signal)
      let seen = Buffer.alloc(0)
      try {
        for (;;) {
          seen = Buffer.concat([seen, await deadline.race(next())])
          const at = seen.indexOf(marker)
          if (at !== -1 && at + marker.length === seen.length && at <= limit) return
          if (at !== -1 || seen.length > limit + marker.length) {
            const found = at === -1 ? `${String(seen.length)} bytes without it` : 'more bytes after it'
            throw new KmsfleetError('host.no-shell', `expected the begin line of the shell, found ${found}`, {
              hint: 'a login file of the account prints too much, or replaces the command',
            })
          }
        }
      } finally {
        deadline.clear()
      }
    },
  }
}
