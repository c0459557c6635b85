import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { readRegularFile, showFailure, systemErrorCode } from '../document/read.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'

const extension = '.jsonl'

/** Bytes of a journal at most. */
const journalLimit = 512 * 1024 * 1024

/** The lines of a journal that say which hosts a run had, and how they ended. */
const Entry = z.union([
  z.object({ type: z.literal('journal'), hosts: z.array(z.string()) }),
  z.object({ type: z.literal('host-ended'), host: z.string(), outcome: z.string() }),
])

/** Every other end leaves something to be done on the host. */
const well: ReadonlySet<string> = new Set(['ok', 'changed', 'differs'])

/**
 * Hosts that a journaled run left failed, unreachable, stopped or never reached, in the order of its journal. At least
 * one; throws `inventory.pattern` where there is none, or no such run.
 *
 * @param run its id, or `last` for the one that began last
 */
export function failedHosts(stateFolder: string, run: string): readonly string[] {
  const folder = join(stateFolder, 'runs')
  const runs = journaledRuns(folder)
  const id = run === 'last' ? runs.at(-1) : runs.find((known) => known === run)
  if (id === undefined) {
    const hint = suggestion(run, runs.slice(-10))
    throw new KmsfleetError(
      'inventory.pattern',
      `expected a run that was journaled in ${folder}, found ${run === 'last' ? 'none' : `no ${run}`}`,
      hint === undefined ? {} : { hint },
    )
  }
  const failed = failedIn(join(folder, `${id}${extension}`))
  if (failed.length > 0) return failed
  throw new KmsfleetError('inventory.pattern', `expected hosts that failed in run ${id}, found none`)
}

/** Ids of all journaled runs, oldest first: they sort by time. */
function journaledRuns(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(extension))
      .map((name) => name.slice(0, -extension.length))
      .sort()
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT') return []
    throw new KmsfleetError('run.state', `expected to read the journals in ${folder}, found ${code}`)
  }
}

function failedIn(path: string): readonly string[] {
  const read = readRegularFile(path, journalLimit)
  if (read.is !== 'read') {
    throw new KmsfleetError('run.state', `expected a journal ${path}, ${showFailure(read, journalLimit)}`)
  }
  /** Hosts of the run; those that no line speaks of again were never reached. */
  const hosts: string[] = []
  const ends = new Map<string, boolean>()
  for (const line of Buffer.from(read.bytes).toString('utf8').split('\n')) {
    const entry = entryOf(line)
    if (entry?.type === 'journal') hosts.push(...entry.hosts)
    // A play that went well mends nothing of an earlier one that did not.
    if (entry?.type === 'host-ended') {
      ends.set(entry.host, ends.get(entry.host) !== false && well.has(entry.outcome))
    }
  }
  return hosts.filter((host) => ends.get(host) !== true)
}

/** Undefined for other lines, and for one that a run which was killed did not come to finish. */
function entryOf(line: string): z.infer<typeof Entry> | undefined {
  if (!line.includes('"type":"journal"') && !line.includes('"type":"host-ended"')) return undefined
  try {
    return Entry.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}
