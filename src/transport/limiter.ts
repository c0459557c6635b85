/**
 * Unauthenticated connections allowed to one sshd at a time. Its default MaxStartups 10:30:100 begins to drop at
 * ten; two are left for people.
 */
export const handshakesPerTarget = 8

/** Lets a bounded number of tasks run at once for each key; the others wait in order. */
export interface Limiter {
  /** Runs `task` when it is its turn. A task that waits is dropped when `signal` fires. */
  run<T>(key: string, signal: AbortSignal, task: () => Promise<T>): Promise<T>
}

export function createLimiter(limit: number): Limiter {
  const running = new Map<string, number>()
  const waiting = new Map<string, (() => void)[]>()

  function release(key: string): void {
    const next = waiting.get(key)?.shift()
    if (next !== undefined) {
      next()
      return
    }
    const left = (running.get(key) ?? 1) - 1
    if (left > 0) running.set(key, left)
    else {
      running.delete(key)
      waiting.delete(key)
    }
  }

  /** Takes a slot over from {@link release}, which then leaves the count as it is. */
  function slot(key: string, signal: AbortSignal): Promise<void> {
    const taken = running.get(key) ?? 0
    if (taken < limit) {
      running.set(key, taken + 1)
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(reasonOf(signal))
        return
      }
      const queue = waiting.get(key) ?? []
      waiting.set(key, queue)
      const start = (): void => {
        signal.removeEventListener('abort', drop)
        resolve()
      }
      const drop = (): void => {
        queue.splice(queue.indexOf(start), 1)
        reject(reasonOf(signal))
      }
      queue.push(start)
      signal.addEventListener('abort', drop, { once: true })
    })
  }

  return {
    async run(key, signal, task) {
      await slot(key, signal)
      try {
        return await task()
      } finally {
        release(key)
      }
    },
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted')
}
