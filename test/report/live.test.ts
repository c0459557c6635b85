import { expect, test } from 'vitest'
import type { RunEventBody } from '../../src/model/event.ts'
import { createLiveState, liveHostLine, liveSummaryLine, liveTake } from '../../src/report/live-state.ts'
import { change, cost, differs, events, planOf } from './fixtures.ts'

const first = change('file:/a', [differs('mode', '1', '2')], { key: 'file:/a@play/1' })
const second = change('file:/b', [differs('mode', '1', '2')], { key: 'file:/b@play/2' })

/** The row of h1 after each event. */
test('a host’s row follows its events', () => {
  const steps: readonly (readonly [RunEventBody, string])[] = [
    [{ type: 'run-started', run: 'r', command: 'converge', hosts: ['h1', 'h2'], version: '1' }, 'h1'],
    [{ type: 'connecting', host: 'h1' }, 'h1  connecting'],
    [{ type: 'connected', host: 'h1' }, 'h1  reading its state'],
    [{ type: 'planned', host: 'h1', plan: planOf('h1', [[first], [second]]) }, 'h1  0/2  planned 2 changes'],
    [{ type: 'waiting', host: 'h1', for: 'h2' }, 'h1  0/2  waits for h2'],
    [{ type: 'acting', host: 'h1', change: first.key }, 'h1  0/2  file:/a'],
    [{ type: 'done', host: 'h1', change: first.key }, 'h1  1/2  file:/a'],
    // A later plan holds only what is left: the total stays.
    [{ type: 'planned', host: 'h1', plan: planOf('h1', [[second]]) }, 'h1  1/2  planned 1 change'],
    [{ type: 'done', host: 'h1', change: second.key }, 'h1  2/2  planned 1 change'],
    [{ type: 'proved', host: 'h1', stage: 2, left: [] }, 'h1  2/2  proved'],
    [
      {
        type: 'host-ended',
        host: 'h1',
        outcome: 'changed',
        changed: 2,
        differing: 0,
        due: [],
        unchanged: 0,
        cost,
      },
      'h1  2/2  changed  proved',
    ],
  ]
  const state = createLiveState()
  for (const [body, row] of steps) {
    for (const event of events([body])) liveTake(state, event)
    const host = state.hosts.get('h1')
    expect(host === undefined ? undefined : liveHostLine(host), body.type).toBe(row)
  }
})

test('the summary counts hosts and carries the last notice', () => {
  const state = createLiveState()
  const problem = { code: 'transport.unreachable', message: 'no answer' } as const
  const bodies: readonly RunEventBody[] = [
    { type: 'run-started', run: 'r', command: 'plan', hosts: ['h1', 'h2', 'h3'], version: '1' },
    { type: 'connecting', host: 'h1' },
    { type: 'connecting', host: 'h2' },
    {
      type: 'host-ended',
      host: 'h1',
      outcome: 'unreachable',
      changed: 0,
      differing: 0,
      due: [],
      unchanged: 0,
      problem,
      cost,
    },
  ]
  for (const event of events(bodies)) liveTake(state, event)
  expect(liveSummaryLine(state)).toBe('1 of 3 hosts done, 1 active, 1 failed')
  state.notice = 'stopping'
  expect(liveSummaryLine(state)).toBe('1 of 3 hosts done, 1 active, 1 failed: stopping')
})
