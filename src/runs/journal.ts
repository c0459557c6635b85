import { randomBytes } from 'node:crypto'
import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import type { RunEvent } from '../model/event.ts'
import { planHash } from './plan-hash.ts'
import { privateFolder } from './state-folder.ts'

/** What a run says of itself in the first line of its journal. */
export interface JournalHead {
  readonly run: string
  readonly command: string
  /** Who runs it, from where. */
  readonly operator: string
  /** Of the project, where it is a repository. */
  readonly commit?: string
  /** Of kmsfleet. */
  readonly version: string
  readonly playbook: string
  readonly inventory: string
  readonly hosts: readonly string[]
}

export interface JournalOptions extends JournalHead {
  /** See `stateFolder`. */
  readonly stateFolder: string
  /** Removes secrets by value from each string; the last line of defence. */
  readonly redact?: (text: string) => string
}

/** One run on disk: JSON lines, append-only. */
export interface Journal {
  readonly path: string
  /** Appends an event. Must not throw: a full disk is told by `close`. */
  readonly record: (event: RunEvent) => void
  /** Writes the last line and syncs. Throws `run.state` where any line could not be written. */
  close(exitCode: number): void
}

/** A name for a run that sorts by time: `20261123T120301Z-9f3a1c`. */
export function runId(now: Date = new Date()): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')
  return `${time}-${randomBytes(3).toString('hex')}`
}

/** Begins the journal of a run. Throws `run.state` where it cannot be written: then nothing may be contacted. */
export function openJournal(options: JournalOptions): Journal {
  const { stateFolder, redact = (text: string) => text, ...head } = options
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(head.run)) {
    throw new KmsfleetError(
      'run.state',
      `expected a run id of letters, digits and dashes, found \`${head.run}\``,
    )
  }
  const runs = join(stateFolder, 'runs')
  const path = join(runs, `${head.run}.jsonl`)
  const descriptor = attempt(path, () => {
    privateFolder(stateFolder)
    privateFolder(runs)
    const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = constants
    return openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o600)
  })
  const append = (line: unknown): void => {
    const json = JSON.stringify(line, (_key, value: unknown) =>
      typeof value === 'string' ? redact(value) : value,
    )
    const bytes = Buffer.from(`${json}\n`)
    for (let sent = 0; sent < bytes.length;) sent += writeSync(descriptor, bytes, sent)
  }
  attempt(path, () => {
    append({ type: 'journal', v: 1, at: new Date().toISOString(), ...head })
    fsyncSync(descriptor)
    syncFolder(runs)
  })

  let trouble: Error | undefined
  return {
    path,
    record: (event) => {
      if (trouble !== undefined) return
      try {
        append(event.type === 'planned' ? { ...event, planHash: planHash(event.plan) } : event)
      } catch (error) {
        trouble = error instanceof Error ? error : new Error(String(error))
      }
    },
    close: (exitCode) => {
      attempt(path, () => {
        try {
          append({
            type: 'journal-end',
            at: new Date().toISOString(),
            exitCode,
            complete: trouble === undefined,
          })
          fsyncSync(descriptor)
        } finally {
          closeSync(descriptor)
        }
        if (trouble !== undefined) throw trouble
      })
    },
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof KmsfleetError) throw error
    const found = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new KmsfleetError('run.state', `expected to write the run's journal ${path}, found ${found}`, {
      hint: 'free or mend the state folder, or name another with KMSFLEET_STATE_DIR',
      cause: error,
    })
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
