import { expect, test } from 'vitest'
import type { TestState } from '../../src/model/facts.ts'
import { UnknownText } from '../../src/model/text.ts'
import type { Resource } from '../../src/model/resource.ts'
import { assertResource } from '../../src/resources/check/assert.ts'
import { existsCheck } from '../../src/resources/check/exists.ts'
import { httpCheck } from '../../src/resources/check/http.ts'
import { reachResource } from '../../src/resources/check/reach.ts'
import { commandResource, type CommandGuard } from '../../src/resources/command/command.ts'
import { absentResource } from '../../src/resources/absent/absent.ts'
import { linkResource } from '../../src/resources/link/link.ts'
import { file, opNames, planAll, summary, take, user, worldFor, type WorldSpec } from './world.ts'

const socket = '/run/kms.sock'
const reach = reachResource({ socket, as: { by: 'account', user: 'api' }, within: 30 })
const users = { api: user(1) }
const no: TestState = { answer: 'no', detail: 'EACCES' }

test.each<[what: string, check: Resource, key: string, state: TestState, expected: unknown]>([
  ['reach yes', reach, `reach:${socket} as api`, { answer: 'yes' }, 'same'],
  ['reach no', reach, `reach:${socket} as api`, no, ['reachable as api: no: EACCES → yes']],
  [
    'reach unknown is not yes',
    reach,
    `reach:${socket} as api`,
    { answer: 'unknown', detail: 'no tool' },
    ['reachable as api: unknown: no tool → yes'],
  ],
  [
    'http no',
    httpCheck({ url: 'http://localhost/', within: 5 }),
    'http:http://localhost/',
    { answer: 'no', detail: '' },
    ['answers 200: no → yes'],
  ],
  [
    'http of a unit, where somebody else answers',
    httpCheck({ url: 'http://localhost/', unit: 'x.service', within: 5 }),
    'http:x.service:http://localhost/',
    { answer: 'no', detail: 'who listens at http://localhost/ is no process of x.service' },
    ['x.service answers 200: no: who listens at http://localhost/ is no process of x.service → yes'],
  ],
  [
    'path yes',
    existsCheck({ path: '/run/x', present: true, within: 5 }),
    'exists:/run/x',
    { answer: 'yes' },
    'same',
  ],
  [
    'path gone',
    existsCheck({ path: '/run/x', present: false, within: 5 }),
    'gone:/run/x',
    { answer: 'yes' },
    'same',
  ],
])('%s', (_, check, key, state, expected) => {
  const planned = check.plan(worldFor({ users, tests: { [key]: state } }, check))
  expect(summary(planned)).toEqual(expected)
  expect(opNames(planned)).toEqual(expected === 'same' ? [] : ['await'])
})

test('behind a change a check is pending, even where it is met now', () => {
  const planned = planAll(
    { users, tests: { [`reach:${socket} as api`]: { answer: 'yes' } } },
    linkResource({ path: '/etc/x', target: '/y' }),
    reach,
  )
  expect(planned[1]).toEqual({
    is: 'pending',
    ops: [{ op: 'await', test: reach.atoms[0], within: 30 }],
  })
})

test('an identity that does not exist is refused; numbers need no account', () => {
  expect(summary(reach.plan(worldFor({}, reach)))).toBe(
    'refused: expected the user api to exist, found no such user',
  )
  const numeric = reachResource({
    socket,
    as: { by: 'number', uid: 65532, gid: 65532, groups: [7] },
    within: 30,
  })
  const key = `reach:${socket} as 65532:65532 groups 7`
  expect(numeric.plan(worldFor({ tests: { [key]: { answer: 'yes' } } }, numeric))).toEqual({ is: 'same' })
})

test('assertions are judged by what the expressions came to', () => {
  const later = new UnknownText([{ after: 'group:kms', field: 'gid' }])
  const plan = (...holds: readonly (boolean | UnknownText)[]): unknown => {
    const check = assertResource(
      'play/1',
      holds.map((one, index) => ({ expression: `e${String(index)}`, holds: one })),
      'why',
    )
    return summary(check.plan(worldFor({}, check)))
  }
  expect([plan(true), plan(true, later), plan(later, false)]).toEqual([
    'same',
    'pending',
    'refused: expected e1 to hold, found false',
  ])
})

const command = (guard: CommandGuard): Resource =>
  commandResource({ key: 'play/1', argv: ['make', 'it now'], within: 300, guard })
const creates = command({ by: 'creates', path: '/etc/made' })
const removes = command({ by: 'removes', path: '/etc/made' })
const unless = command({ by: 'unless', argv: ['test', '-e', '/x'] })
const unlessKey = 'run:["test","-e","/x"]'

test.each<[what: string, resource: Resource, spec: WorldSpec, expected: unknown]>([
  ['creates, missing', creates, { tests: { 'exists:/etc/made': no } }, ['command: not run → make "it now"']],
  ['creates, there', creates, { tests: { 'exists:/etc/made': { answer: 'yes' } } }, 'same'],
  ['removes, there', removes, { tests: { 'gone:/etc/made': no } }, ['command: not run → make "it now"']],
  ['removes, gone', removes, { tests: { 'gone:/etc/made': { answer: 'yes' } } }, 'same'],
  ['unless, no', unless, { tests: { [unlessKey]: no } }, ['command: not run → make "it now"']],
  ['unless, yes', unless, { tests: { [unlessKey]: { answer: 'yes' } } }, 'same'],
  ['always', command({ by: 'always' }), {}, ['command: not run → make "it now"']],
])('command: %s', (_, resource, spec, expected) => {
  expect(summary(resource.plan(worldFor(spec, resource)))).toEqual(expected)
})

test('a path that an earlier change makes or removes counts for creates and removes', () => {
  const made = worldFor({ tests: { 'exists:/etc/made': no } }, creates)
  take(made, linkResource({ path: '/etc/made', target: '/y' }))
  expect(creates.plan(made)).toEqual({ is: 'same' })
  const gone = worldFor({ paths: { '/etc/made': file() }, tests: { 'gone:/etc/made': no } }, removes)
  take(gone, absentResource({ path: '/etc/made' }))
  expect(removes.plan(gone)).toEqual({ is: 'same' })
})

test('a command as somebody who does not exist is refused where it still has to run', () => {
  const as = { by: 'account', user: 'bob' } as const
  const guard = { by: 'always' } as const
  const wanted = commandResource({ key: 'play/1', argv: ['x'], as, within: 1, guard })
  expect(summary(wanted.plan(worldFor({}, wanted)))).toBe(
    'refused: expected the user bob to exist, found no such user',
  )
})

test('only a command without a guard is outside proof', () => {
  expect([creates, removes, unless].map(({ transient }) => transient)).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(command({ by: 'always' }).transient).toBe(true)
})
