import { describe, expect, test } from 'vitest'
import { stayedCheck, type Look } from '../../../src/access/sockets/look.ts'
import { judgeProbe, ownViewChecks } from '../../../src/access/sockets/own-view.ts'
import type { KmsSocket } from '../../../src/model/access.ts'
import type { HeldState, SaidState } from '../../../src/model/process.ts'
import { known } from '../../../src/model/value.ts'
import { snapshotWith } from '../snapshot.ts'

const socket: KmsSocket = {
  ...{ path: '/run/kms.sock', heldBy: 'provider', usedBy: 'api', group: 'kms', mode: 0o660 },
  ...{ program: '/usr/bin/kms', configuration: '/etc/kms.yaml', doctor: ['a', 'b'] },
  ...{ because: 'b', source: 's', place: { file: 'access.yml', line: 1, column: 1 } },
}

const look = (inode: string, held: Partial<HeldState> = {}): Look => ({
  held: { answer: 'yes', detail: '', connections: [], ...held },
  file: {
    is: 'present',
    state: {
      ...{ type: 'socket', mode: 0o660, uid: known(1), gid: known(2), size: 0, links: 1, acl: 'none' },
      ...{ device: '24', inode },
    },
  },
  snapshot: snapshotWith(),
})

test.each<readonly [string, Look, Look, boolean, string]>([
  ['a new connection of the provider', look('1'), look('1', { connections: ['7'] }), true, 'pass'],
  [
    'only connections that were there before',
    look('1', { connections: ['7'] }),
    look('1', { connections: ['7'] }),
    true,
    'violated',
  ],
  ['none where nothing was proved', look('1'), look('1'), false, 'pass'],
  ['another file', look('1'), look('2', { connections: ['7'] }), true, 'violated'],
  ['another holder', look('1'), look('1', { answer: 'no', detail: 'x' }), true, 'violated'],
  ['nobody who tells', look('1'), look('1', { answer: 'unknown', detail: 'x' }), true, 'unknown'],
])('while it was asked there was %s', (_is, before, after, connected, verdict) => {
  expect(stayedCheck(socket, before, after, connected).verdict).toBe(verdict)
})

const said = (status: number, ...checks: readonly (readonly [id: string, status: string])[]): SaidState => ({
  is: 'said',
  status,
  output: JSON.stringify({
    name: 'x',
    checks: checks.map(([id, each]) => ({ id, title: id, status: each, message: `m ${id}` })),
  }),
})

describe('what the provider says of itself', () => {
  const verdicts = (doctor: SaidState | undefined, config: SaidState = said(0)): readonly string[] =>
    ownViewChecks(
      socket,
      snapshotWith({
        said: new Map([['config', config], ...(doctor === undefined ? [] : [['doctor', doctor] as const])]),
      }),
    ).map(({ verdict, finding }) => `${verdict} ${finding}`.trim())

  test.each<readonly [string, SaidState | undefined, readonly string[]]>([
    ['all passed', said(0, ['a', 'pass'], ['b', 'pass']), ['pass', 'pass', 'pass']],
    ['a warning is told and passes', said(0, ['a', 'warn'], ['b', 'pass']), ['pass', 'pass m a', 'pass']],
    ['one is absent', said(0, ['a', 'pass']), ['pass', 'pass', 'unknown it says nothing of that']],
    [
      'one was skipped',
      said(0, ['a', 'pass'], ['b', 'skip']),
      ['pass', 'pass', 'unknown it was skipped: m b'],
    ],
    ['one failed', said(4, ['a', 'fail'], ['b', 'pass']), ['pass', 'violated m a', 'pass']],
    [
      'one failed that need not be there',
      said(4, ['a', 'pass'], ['b', 'pass'], ['c', 'fail']),
      ['pass', 'pass', 'pass', 'violated m c'],
    ],
    [
      'no report',
      { is: 'said', status: 137, output: '' },
      ['pass', 'unknown expected a report, found that it was killed'],
    ],
    ['not run', { is: 'not-run', detail: 'nothing of it runs' }, ['pass', 'unknown nothing of it runs']],
    ['no answer', undefined, ['pass', 'unknown the host did not answer']],
  ])('%s', (_is, doctor, expected) => {
    expect(verdicts(doctor)).toEqual(expected)
  })

  test('a configuration that it refuses is violated', () => {
    const refused: SaidState = { is: 'said', status: 3, output: 'config: no issuer\n' }
    expect(verdicts(said(0, ['a', 'pass'], ['b', 'pass']), refused)[0]).toBe(
      'violated exit status 3: config: no issuer',
    )
  })
})

test.each<readonly [string, SaidState | undefined, string]>([
  [
    'all five passed',
    said(
      0,
      ['socket.connect', 'pass'],
      ['kms.status', 'pass'],
      ['kms.encrypt', 'pass'],
      ['kms.decrypt', 'pass'],
      ['kms.key_id', 'pass'],
    ),
    'pass',
  ],
  ['only that it connects', said(0, ['socket.connect', 'pass']), 'unknown'],
  ['a failure', said(4, ['socket.connect', 'fail']), 'violated'],
  ['nothing', undefined, 'unknown'],
])('probe says %s', (_is, probe, verdict) => {
  expect(judgeProbe(socket, probe).check.verdict).toBe(verdict)
})
