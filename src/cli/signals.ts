/** What the operator's signals ask for. */
export interface Signals extends Disposable {
  /** First: finish the change in hand, start nothing new. */
  readonly stop: AbortSignal
  /** Second: drop everything. */
  readonly abort: AbortSignal
}

/** A closed terminal and a polite end are stops too; only Ctrl-C can be said twice by accident. */
const stopping = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Watches for signals until disposed. The first stops, the second aborts; a third has its usual effect.
 * `notice` tells the operator what was understood.
 */
export function watchSignals(notice: (text: string) => void): Signals {
  const stop = new AbortController()
  const abort = new AbortController()
  const unwatch = (): void => {
    for (const signal of stopping) process.off(signal, onSignal)
  }
  const onSignal = (): void => {
    if (!stop.signal.aborted) {
      notice('stopping: changes in hand are finished, nothing new is begun; Ctrl-C again drops everything')
      stop.abort()
      return
    }
    notice('dropping everything; a host may be left in the middle of a change')
    abort.abort()
    unwatch()
  }
  for (const signal of stopping) process.on(signal, onSignal)
  return { stop: stop.signal, abort: abort.signal, [Symbol.dispose]: unwatch }
}
