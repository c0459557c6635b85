import type { Fact, PathState, Snapshot, TestState } from '../../model/facts.ts'
import { owedFolder, runFolder } from '../layout.ts'
import type { Questions } from './atoms.ts'
import { decodeAccounts } from './decode-accounts.ts'
import { decodeEntries } from './decode-entries.ts'
import { decodeHeld, decodeSaid } from './decode-service.ts'
import { decodeFolders } from './decode-folders.ts'
import { decodeHost } from './decode-host.ts'
import { decodePolicy } from './decode-labels.ts'
import { decodePairs } from './decode-pairs.ts'
import { decodePaths } from './decode-paths.ts'
import { decodeProcesses } from './decode-processes.ts'
import { decodeTrials } from './decode-trials.ts'
import { decodeUnits } from './decode-units.ts'
import { sectionOf } from './section.ts'
import type { Section } from './section.ts'

function tests(
  questions: Questions,
  section: Section,
  paths: ReadonlyMap<string, Fact<PathState>>,
): ReadonlyMap<string, TestState> {
  const answers = new Map(section.all('test').map(([key, answer, detail]) => [key, { answer, detail }]))
  return new Map(
    questions.tests.map((test): [string, TestState] => {
      if (test.atom === 'exists') {
        const is = paths.get(test.path)?.is
        if (is !== 'present' && is !== 'absent')
          return [test.key, { answer: 'unknown', detail: 'unreadable' }]
        if ((is === 'present') === test.present) return [test.key, { answer: 'yes' }]
        return [
          test.key,
          { answer: 'no', detail: is === 'present' ? 'something is there' : 'nothing is there' },
        ]
      }
      const answer = answers.get(test.key)
      if (answer?.answer === 'yes') return [test.key, { answer: 'yes' }]
      if (answer?.answer === 'no') return [test.key, { answer: 'no', detail: answer.detail }]
      return [test.key, { answer: 'unknown', detail: answer?.detail ?? 'the host did not answer' }]
    }),
  )
}

/** Is this one of our own folders, which nobody but root can read or write? Only then is it believed. */
function rootOnly(fact: Fact<PathState> | undefined): boolean {
  if (fact?.is !== 'present') return false
  const { type, mode, uid } = fact.state
  return type === 'directory' && (mode & 0o777) === 0o700 && uid.known && uid.value === 0
}

/**
 * The fields of a probe section to facts. Total: any fields give a snapshot or KmsfleetError `host.protocol`; what the
 * host left out is unreadable, never absent.
 */
export function decodeSnapshot(questions: Questions, fields: readonly string[]): Snapshot {
  const section = sectionOf(fields)
  const { host, files } = decodeHost(section)
  const paths = decodePaths(questions, section)
  const trusted = rootOnly(paths.get(runFolder))
  const processes = decodeProcesses(questions, section)
  return {
    host: { ...host, uid: section.uid() },
    paths,
    ...decodeAccounts(questions, section, files),
    units: decodeUnits(questions, section, trusted ? files : new Map(), paths),
    policyLabels: decodePolicy(section, paths),
    folders: decodeFolders(questions, section),
    pairs: decodePairs(questions, section),
    processes,
    attempts: decodeTrials(questions, section, processes),
    held: decodeHeld(questions, section),
    said: decodeSaid(questions, section),
    entries: decodeEntries(questions, section),
    tests: tests(questions, section, paths),
    owed: new Set(
      trusted && rootOnly(paths.get(owedFolder))
        ? section
            .all('owed')
            .map(([id]) => id)
            .filter((id) => /^[a-z0-9._-]+$/.test(id))
        : [],
    ),
  }
}
