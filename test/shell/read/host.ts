import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Snapshot, Fact } from '../../../src/model/facts.ts'
import type { ReadAtom } from '../../../src/model/wire.ts'
import { quote } from '../../../src/shell/quote.ts'
import { compileRead } from '../../../src/shell/read/compile.ts'
import { openSession } from '../../../src/shell/session.ts'
import type { Session } from '../../../src/shell/session.ts'
import { commandFor, localChannel } from '../local-shell.ts'
import type { ShellUnderTest } from '../local-shell.ts'

const never = new AbortController().signal

/** A session with this machine as the host. */
export function openHere(shell: ShellUnderTest, path = shell.path): Promise<Session> {
  return openSession(localChannel(commandFor({ ...shell, path })), never)
}

/** What one read frame sees. */
export async function ask(session: Session, atoms: readonly ReadAtom[]): Promise<Snapshot> {
  for await (const message of session.send(compileRead(atoms), never)) {
    if (message.is === 'snapshot') return message.snapshot
  }
  throw new Error('no snapshot')
}

/** Runs shell text in the resident shell after the prelude, as one report; gives what it printed. */
export async function run(session: Session, script: string): Promise<string> {
  const frame = compileRead([])
  const wrapped = {
    ...frame,
    script: (nonce: string): string =>
      `kf_captured=$(${script}\n) </dev/null\nkf_mark done 1 "$?" "$kf_captured"\n${frame.script(nonce)}`,
  }
  let output = ''
  for await (const message of session.send(wrapped, never)) {
    if (message.is === 'report' && message.report.says === 'done') output = message.report.output ?? ''
  }
  return output
}

/** A folder only root can change, removed by `dispose`. */
export function rootFolder(): { readonly path: string; readonly [Symbol.dispose]: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'kmsfleet-read-'))
  chmodSync(path, 0o755)
  return {
    path,
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** The state of a fact that must be present. */
export function present<T>(fact: Fact<T> | undefined): T {
  if (fact?.is !== 'present') throw new Error(`expected a present fact, found ${JSON.stringify(fact)}`)
  return fact.state
}

export { quote }
