import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { KmsfleetError } from '../../../src/errors/error.ts'
import type { Snapshot } from '../../../src/model/facts.ts'
import type { Payload } from '../../../src/model/payload.ts'
import { Digest } from '../../../src/model/secret.ts'
import type { ChangeReport, WireChange, WriteOp } from '../../../src/model/wire.ts'
import { openSession } from '../../../src/shell/session.ts'
import type { Frame, Session } from '../../../src/shell/session.ts'
import { compileWrite } from '../../../src/shell/write/compile.ts'
import type { LockHolder } from '../../../src/shell/write/compile.ts'
import { commandFor, localChannel } from '../local-shell.ts'
import type { ShellUnderTest } from '../local-shell.ts'

const never = new AbortController().signal

export const holder: LockHolder = { who: 'alice@laptop', since: '2026-01-01T00:00:00Z', run: 'run-1' }

/** A mount namespace with a /run of its own; `keeper` keeps it, so that several shells can be one host. */
export interface TestHost extends AsyncDisposable {
  /** Trusted folder on the disk that all this test does lies in. */
  readonly base: string
  /** Command line of the host's root shell. */
  readonly command: string
  open(): Promise<Session>
  /** Closing the session only closes its pipes, as a lost connection does; what runs on the host runs on. */
  openRemote(): Promise<Session>
  /** Runs a command in the host's mount namespace. */
  run(script: string): string
}

export async function testHost(shell: ShellUnderTest): Promise<TestHost> {
  const base = mkdtempSync('/var/lib/kmsfleet-write-')
  chmodSync(base, 0o755)
  const prepare = 'mount -t tmpfs tmpfs /run && echo up && exec sleep 1000'
  const keeper = localChannel(`unshare -m --propagation private /bin/sh -c '${prepare}'`)
  for await (const bytes of keeper.stdout) if (Buffer.from(bytes).toString().includes('up')) break
  const inside = `nsenter -t ${String(keeper.pid)} -m --`
  return {
    base,
    command: `${inside} ${commandFor(shell)}`,
    open: () => openSession(localChannel(`${inside} ${commandFor(shell)}`), never),
    openRemote: () => openSession(localChannel(`setsid -w ${inside} ${commandFor(shell)}`), never),
    run(script) {
      const ended = spawnSync('nsenter', ['-t', String(keeper.pid), '-m', '--', '/bin/sh', '-c', script], {
        encoding: 'utf8',
      })
      return `${ended.stdout}${ended.stderr}`
    },
    async [Symbol.asyncDispose]() {
      await keeper[Symbol.asyncDispose]()
      rmSync(base, { recursive: true, force: true })
    },
  }
}

export function payloadOf(text: string): Payload {
  const bytes = Buffer.from(text)
  return { digest: Digest.of(bytes), bytes, secret: true }
}

/** Each operation as a change of its own, with ids from 1. */
export function changesOf(...ops: readonly WriteOp[]): readonly WireChange[] {
  return ops.map((op, index) => ({
    id: index + 1,
    label: `test:${String(index + 1)}`,
    ops: [op],
    owes: [],
    settles: [],
  }))
}

/** What a frame said; `ended` is the code of the error where the shell ended with it. */
export interface Said {
  readonly reports: readonly ChangeReport[]
  readonly snapshot?: Snapshot
  readonly ended?: string
}

export async function sendFrame(session: Session, frame: Frame): Promise<Said> {
  const reports: ChangeReport[] = []
  let snapshot: Snapshot | undefined
  try {
    for await (const message of session.send(frame, never)) {
      if (message.is === 'report') reports.push(message.report)
      else snapshot = message.snapshot
    }
  } catch (error) {
    if (error instanceof KmsfleetError) return { reports, ended: error.code }
    throw error
  }
  return { reports, ...(snapshot === undefined ? {} : { snapshot }) }
}

export function send(session: Session, changes: readonly WireChange[], lock = holder): Promise<Said> {
  return sendFrame(session, compileWrite({ changes, probe: [], lock }))
}

/** `4750 0:0` of a path; `-` where nothing is. */
export function look(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat === undefined
    ? '-'
    : `${(stat.mode & 0o7777).toString(8)} ${String(stat.uid)}:${String(stat.gid)}`
}

/** Stages that were left behind in a folder. */
export function stages(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith('.kmsfleet'))
}

export function makeFolder(base: string, name: string): string {
  mkdirSync(join(base, name))
  return join(base, name)
}

/** What the last report says. */
export function last(said: Said): ChangeReport | undefined {
  return said.reports[said.reports.length - 1]
}

/** Why the last report says that something failed or moved. */
export function detailOf(said: Said): string {
  const report = last(said)
  return report !== undefined && 'detail' in report ? report.detail : ''
}
