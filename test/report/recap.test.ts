import { describe, expect, test } from 'vitest'
import type { RunEventBody } from '../../src/model/event.ts'
import type { HostOutcome } from '../../src/model/outcome.ts'
import type { Problem } from '../../src/model/problem.ts'
import { runDocument } from '../../src/report/json.ts'
import {
  failureLines,
  inHandLines,
  notDoneLines,
  notReachedLines,
  recapLines,
} from '../../src/report/recap.ts'
import { createSummarizer, type RunSummary } from '../../src/report/summary.ts'
import { change, cost, differs, events, planOf, text, textOf, undecided } from './fixtures.ts'

const full: Problem = {
  code: 'host.change-failed',
  message: 'expected room on /run, found "No space left on device"',
  hint: 'Free some space.',
  place: { file: 'play.yml', line: 3, column: 7 },
}

function started(hosts: readonly string[]): RunEventBody {
  return { type: 'run-started', run: 'r1', command: 'converge', hosts, version: '1.0.0' }
}

function ended(
  host: string,
  outcome: HostOutcome,
  [changed, differing, unchanged]: readonly [number, number, number],
  milliseconds: number,
  problem?: Problem,
): RunEventBody {
  const more = problem === undefined ? {} : { problem }
  return {
    type: 'host-ended',
    host,
    outcome,
    changed,
    differing,
    due: [],
    unchanged,
    cost: { ...cost, milliseconds },
    ...more,
  }
}

function summaryOf(bodies: readonly RunEventBody[]): RunSummary {
  const { summary, take } = createSummarizer()
  for (const event of events(bodies)) take(event)
  return summary
}

describe('the recap', () => {
  test('puts alike hosts in one row, what needs a person last, and counts', () => {
    const summary = summaryOf([
      started(['h1', 'h2', 'h3', 'h4', 'h5', 'h6']),
      ended('h4', 'failed', [1, 2, 3], 2100, full),
      ended('h5', 'unreachable', [0, 0, 0], 10_000),
      ended('h1', 'changed', [14, 0, 26], 812),
      ended('h2', 'changed', [14, 0, 26], 1240),
      ended('h3', 'changed', [14, 0, 26], 900),
      { type: 'run-ended', exitCode: 12, milliseconds: 65_000 },
    ])
    expect(textOf(recapLines(summary))).toBe(text`
      h1–h3 (3 hosts)  changed      14 changed, 26 unchanged             812 ms to 1.2 s
      h6               not run
      h5               unreachable                                       10.0 s
      h4               failed       1 changed, 2 differing, 3 unchanged  2.1 s
      6 hosts: 3 changed, 1 not run, 1 unreachable, 1 failed in 1 min 5 s
    `)
  })
})

describe('failures', () => {
  test('are told once for all hosts that have them, with what to do', () => {
    const key = 'directory:/run/kms@play/2'
    const summary = summaryOf([
      started(['h1', 'h2', 'h3']),
      { type: 'failed', host: 'h1', change: key, problem: full },
      { type: 'failed', host: 'h2', change: key, problem: full },
      { type: 'failed', host: 'h3', change: key, problem: full },
      ended('h1', 'failed', [0, 0, 0], 1, full),
      ended('h2', 'failed', [0, 0, 0], 1, full),
      ended('h3', 'failed', [0, 0, 0], 1, full),
    ])
    expect(textOf(failureLines(summary))).toBe(text`
      FAILED h1–h3 (3 hosts): directory:/run/kms
        expected room on /run, found "No space left on device"  [host.change-failed]
        at play.yml:3:7
        hint: Free some space.

    `)
  })

  test('name the subject where there is no change, and rails and widened plans stand last', () => {
    const bare: Problem = {
      code: 'transport.unreachable',
      message: 'expected an answer, found none',
      subject: '10.0.0.1',
    }
    const summary = summaryOf([
      started(['h1']),
      { type: 'failed', host: 'h1', problem: bare },
      { type: 'widened', host: 'h1', changes: ['file:/etc/x@play/9'] },
      { type: 'rail', problem: { code: 'run.rail', message: 'expected at most 10 %, found 50 %' } },
    ])
    expect(textOf(failureLines(summary))).toBe(text`
      FAILED h1: 10.0.0.1
        expected an answer, found none  [transport.unreachable]

      FAILED the run was stopped
        expected at most 10 %, found 50 %  [run.rail]

      WIDENED h1
        file:/etc/x was not in the plan that was made first

    `)
  })

  test('text of hosts cannot fake a line of the recap', () => {
    const summary = summaryOf([
      started(['h1']),
      { type: 'failed', host: 'h1', problem: { ...full, message: 'x\nh2  ok\u001b[1A' } },
    ])
    expect(textOf(failureLines(summary))).toContain('  x\\nh2  ok\\x1b[1A  [host.change-failed]\n')
  })
})

describe('what was not done', () => {
  const made = change('file:/a', [differs('mode', '1', '2')], { key: 'file:/a@play/1' })
  const left = change('file:/b', [differs('mode', '1', '2')], { key: 'file:/b@play/2' })
  const plan = (host: string): RunEventBody => ({
    type: 'planned',
    host,
    plan: planOf(host, [[made, left, undecided('loop', [])]]),
  })

  test('is listed for hosts that did not come to their end, alike ones together', () => {
    const summary = summaryOf([
      started(['h1', 'h2', 'h3', 'h4']),
      ...['h1', 'h2', 'h3'].map(plan),
      ...['h1', 'h2', 'h3'].map((host): RunEventBody => ({ type: 'done', host, change: made.key })),
      ended('h1', 'stopped', [1, 1, 0], 1),
      ended('h2', 'failed', [1, 1, 0], 1, full),
      ended('h3', 'changed', [1, 0, 0], 1),
    ])
    expect(textOf(notDoneLines(summary))).toBe(text`
      NOT DONE h1, h2
        file:/b
        Maybe

    `)
  })
})

test('hosts whose turn never came, and changes of which nobody heard the end', () => {
  const [file, unit] = ['file:/a@play/1', 'unit:x.service@play/2']
  const summary = summaryOf([
    started(['h1', 'h2', 'h3', 'h4', 'h5']),
    { type: 'acting', host: 'h1', change: file },
    { type: 'done', host: 'h1', change: file },
    { type: 'acting', host: 'h1', change: unit },
    ended('h1', 'stopped', [1, 1, 0], 1),
    { type: 'acting', host: 'h2', change: file },
    ended('h2', 'failed', [0, 1, 0], 1, full),
    ended('h3', 'not-run', [0, 0, 0], 1),
  ])
  expect(textOf(inHandLines(summary))).toBe(text`
    MAY BE HALF DONE h1
      unit:x.service
      hint: run again: what is there then is probed anew

  `)
  expect(textOf(notReachedLines(summary))).toBe(text`
    NOT REACHED h3–h5 (3 hosts)
      their turn did not come; run them again with --limit @run:r1:failed

  `)
  expect(runDocument(summary)).toMatchObject({
    notReached: ['h3', 'h4', 'h5'],
    hosts: [{ inHand: [unit] }, { inHand: [] }, { inHand: [] }, { inHand: [] }, { inHand: [] }],
  })
})
