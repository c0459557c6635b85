import { describe, expect, test } from 'vitest'
import type { RunEventBody } from '../../src/model/event.ts'
import { createLines } from '../../src/report/lines.ts'
import { createOutput } from '../../src/report/output.ts'
import { change, check, cost, differs, events, planOf } from './fixtures.ts'

function printed(bodies: readonly RunEventBody[], verbose = false): string {
  let out = ''
  const output = createOutput({ write: (part) => (out += part) }, { color: false, redact: (text) => text })
  const report = createLines(output, { verbose })
  for (const event of events(bodies)) report.take(event)
  return out
}

const key = 'file:/etc/x@play/1'
const problem = { code: 'host.conflict', message: 'expected inode 1, found 2', hint: 'Run again.' } as const

describe('one line for each event of interest', () => {
  /** What is printed, and what under -v where that is more. */
  const cases: readonly (readonly [name: string, event: RunEventBody, line: string, verbose?: string])[] = [
    [
      'run-started',
      {
        type: 'run-started',
        run: 'r',
        command: 'plan',
        playbook: 'p.yml',
        hosts: ['h1', 'h2'],
        version: '1',
      },
      'run r: plan p.yml on 2 hosts\n',
    ],
    ['play-started', { type: 'play-started', play: 'Roll out', hosts: ['h1'] }, 'play Roll out on h1\n'],
    ['paused', { type: 'paused', seconds: 30 }, 'pause of 30 s before the next batch\n'],
    ['batch-started', { type: 'batch-started', hosts: ['h1', 'h2'] }, 'batch of 2 hosts: h1, h2\n'],
    ['connecting', { type: 'connecting', host: 'h1' }, '', 'h1: connecting\n'],
    ['connected', { type: 'connected', host: 'h1' }, '', 'h1: connected\n'],
    [
      'planned',
      {
        type: 'planned',
        host: 'h1',
        plan: planOf('h1', [[change('file:/x', [differs('mode', '1', '2')]), check('a:b', 'pending')]], {
          unchanged: 7,
        }),
      },
      'h1: planned 1 change, 1 check, 7 unchanged\n',
    ],
    ['waiting', { type: 'waiting', host: 'h1', for: 'h2' }, 'h1: waits for h2\n'],
    ['acting', { type: 'acting', host: 'h1', change: key }, '', 'h1: begins file:/etc/x\n'],
    ['done', { type: 'done', host: 'h1', change: key }, 'h1: done file:/etc/x\n'],
    ['stopped', { type: 'stopped', host: 'h1', change: key }, 'h1: stopped before file:/etc/x\n'],
    [
      'conflict',
      { type: 'conflict', host: 'h1', change: key, problem },
      'h1: conflict file:/etc/x\n  error[host.conflict]: expected inode 1, found 2\n    hint: Run again.\n',
    ],
    ['proved', { type: 'proved', host: 'h1', stage: 1, left: [] }, '', 'h1: stage 1 is proved\n'],
    [
      'not proved',
      { type: 'proved', host: 'h1', stage: 1, left: [differs('mode', '1', '2')] },
      'h1: 1 difference left after stage 1\n',
    ],
    ['widened', { type: 'widened', host: 'h1', changes: [key] }, 'h1: more than was planned: file:/etc/x\n'],
    [
      'host-ended',
      {
        type: 'host-ended',
        host: 'h1',
        outcome: 'changed',
        changed: 1,
        differing: 0,
        due: [],
        unchanged: 0,
        cost,
      },
      'h1: changed after 1.2 s\n',
    ],
    [
      'rail',
      { type: 'rail', problem: { code: 'run.rail', message: 'too many' } },
      'error[run.rail]: too many\n',
    ],
    ['run-ended', { type: 'run-ended', exitCode: 0, milliseconds: 1 }, ''],
  ]
  for (const [name, event, line, verbose = line] of cases) {
    test(name, () => {
      expect(printed([event])).toBe(line)
      expect(printed([event], true)).toBe(verbose)
    })
  }

  test('a batch of the whole play goes without saying', () => {
    const play: RunEventBody = { type: 'play-started', play: 'p', hosts: ['h1', 'h2'] }
    expect(printed([play, { type: 'batch-started', hosts: ['h1', 'h2'] }])).toBe('play p on h1, h2\n')
    expect(printed([play, { type: 'batch-started', hosts: ['h1'] }])).toContain('batch of 1 host: h1\n')
  })

  test('a line that a host chose is no workflow command', () => {
    const waits: RunEventBody = { type: 'waiting', host: '::stop-commands::x', for: '##vso[task.complete]' }
    expect(printed([waits])).toBe(':\\:stop-commands::x: waits for #\\#vso[task.complete]\n')
  })
})
