import { expect, test } from 'vitest'
import { UnknownText } from '../../src/model/text.ts'
import type { Resource } from '../../src/model/resource.ts'
import { createHealthCheck, silent, worse } from '../../src/plan/health.ts'
import { assertResource } from '../../src/resources/check/assert.ts'
import { existsCheck } from '../../src/resources/check/exists.ts'
import { unitResource, type UnitDesired } from '../../src/resources/unit/unit.ts'
import { unit, worldFor, type WorldSpec } from '../resources/world.ts'

const service = (name: string, more: Partial<UnitDesired> = {}): Resource =>
  unitResource({ unit: name, state: 'started', ready: { kind: 'active' }, within: 1, restartOn: [], ...more })
const kms = service('kms.service')
const ready = service('kms.service', { ready: { kind: 'socket', path: '/run/kms' } })
const mark = existsCheck({ path: '/srv/mark', present: true, within: 1 })
const answer = (key: string, is: 'yes' | 'no' | 'unknown'): NonNullable<WorldSpec['tests']> => ({
  [key]: { answer: is, detail: is === 'yes' ? '' : 'nothing there' },
})
const running = { 'kms.service': unit({}) }

test.each<[what: string, resources: readonly Resource[], spec: WorldSpec, expected: string]>([
  ['nothing is asked for', [], {}, 'well'],
  ['a service runs', [kms], { units: running }, 'well'],
  [
    'and is stopped',
    [kms],
    { units: { 'kms.service': unit({ active: 'failed' }) } },
    'unit:kms.service active failed',
  ],
  [
    'and is to be restarted',
    [service('kms.service', { restartOn: ['/etc/x'] })],
    { units: { 'kms.service': unit({ needReload: true }) } },
    'well',
  ],
  ['and is ready', [ready], { units: running, tests: answer('listens:kms.service:/run/kms', 'yes') }, 'well'],
  [
    'and is not',
    [ready],
    { units: running, tests: answer('listens:kms.service:/run/kms', 'no') },
    'unit:kms.service ready no: nothing there',
  ],
  [
    'and nobody can say',
    [ready],
    { units: running, tests: answer('listens:kms.service:/run/kms', 'unknown') },
    'unit:kms.service ready unknown: nothing there',
  ],
  ['and nobody asked', [ready], { units: running }, 'unit:kms.service ready not asked'],
  ['a check is met', [mark], { tests: answer('exists:/srv/mark', 'yes') }, 'well'],
  [
    'a check is not met',
    [kms, mark],
    { units: running, tests: answer('exists:/srv/mark', 'no') },
    'exists:/srv/mark exists no: nothing there',
  ],
  [
    'an assertion',
    [assertResource('play/1', [{ expression: 'a == b', holds: false }])],
    {},
    'assert:play/1 a == b false',
  ],
  [
    'one that waits',
    [
      assertResource('play/1', [
        { expression: 'a', holds: new UnknownText([{ after: 'group:x', field: 'gid' }]) },
      ]),
    ],
    {},
    'well',
  ],
  ['no service was ever installed', [kms, mark], { tests: answer('exists:/srv/mark', 'no') }, 'not-here'],
  [
    'one is, another is not',
    [kms, service('other.service')],
    { units: running },
    'a service that is not installed',
  ],
  [
    'what shall not run may be stopped',
    [service('kms.service', { state: 'stopped' })],
    { units: { 'kms.service': unit({ active: 'inactive' }) } },
    'well',
  ],
])('%s', (_, resources, spec, expected) => {
  const check = createHealthCheck(() => worldFor(spec, ...resources))
  for (const resource of resources) check.ask(resource)
  const { result } = check
  expect(result.is === 'sick' ? [...result.failing.values()][0] : result.is).toBe(expected)
})

test.each<[what: string, resources: readonly Resource[], down: readonly string[]]>([
  ['a check behind a service speaks of it', [kms, mark], ['kms.service']],
  ['before all services, of none', [mark, kms], []],
  ['an assertion of none', [kms, assertResource('play/1', [{ expression: 'a', holds: false }])], []],
  [
    'each service for itself',
    [kms, service('other.service', { ready: { kind: 'socket', path: '/srv/mark' } })],
    ['other.service'],
  ],
])('what is down: %s', (_, resources, down) => {
  const units = { ...running, 'other.service': unit({}) }
  const check = createHealthCheck(() =>
    worldFor({ units, tests: answer('exists:/srv/mark', 'no') }, ...resources),
  )
  for (const resource of resources) check.ask(resource)
  const { result } = check
  expect([...(result.is === 'sick' ? result.down : [])]).toEqual(down)
})

test('what is wrong with both is no difference', () => {
  const down = (...ids: readonly string[]): ReturnType<typeof silent> => ({
    is: 'sick',
    failing: new Map(ids.map((id) => [id, `${id} is down`])),
    down: new Set(),
  })
  expect(worse(down('a', 'b'), down('b', 'c'))).toEqual(['a is down'])
  expect(worse(down('b'), down('b', 'c'))).toEqual([])
  expect(worse(down('b'), { is: 'well' })).toEqual(['b is down'])
  expect(worse({ is: 'not-here' }, { is: 'well' })).toEqual([])
})
