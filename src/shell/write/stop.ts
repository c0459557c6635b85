import { quote } from '../quote.ts'
import { runFolder, stopFile } from '../layout.ts'
import { compileRead } from '../read/compile.ts'
import type { Frame } from '../session.ts'

/** Who writes; a second writer is told. */
export interface LockHolder {
  /** Person and machine, such as `alice@laptop`. */
  readonly who: string
  /** ISO time at which the run began. */
  readonly since: string
  /** Id of the run, which {@link compileStop} stops; unlike that of any other run on the host. */
  readonly run: string
}

export const printable = (text: string): string => text.replace(/[^ -~]/g, '?')

/** The line of the stop file that is meant for this run: it leaves another writer, who holds the lock, alone. */
export function stopLine(run: string): string {
  return quote(printable(run).replaceAll(/[\\ ]/g, '_'))
}

/**
 * One frame, for a second shell of the same host, that keeps the run from starting another change there. The
 * folder is made too: the write frame that is to be stopped may only just be on its way.
 */
export function compileStop(run: string): Frame {
  const script = [
    '(',
    `mkdir ${runFolder} 2>/dev/null`,
    `case $(stat -c '%u %f' ${runFolder}) in '0 41c0') echo ${stopLine(run)} >${stopFile} ;; esac`,
    ')',
  ].join('\n')
  const probe = compileRead([])
  return { ...probe, access: 'write', script: (nonce) => `${script}\n${probe.script(nonce)}` }
}
