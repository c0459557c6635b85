import { expect, test } from 'vitest'
import type { PathState, UnitState } from '../../src/model/facts.ts'
import { Digest } from '../../src/model/secret.ts'
import { known } from '../../src/model/value.ts'
import { contentOf } from '../../src/resources/file/content.ts'
import { fileResource } from '../../src/resources/file/file.ts'
import { unitResource, type UnitDesired } from '../../src/resources/unit/unit.ts'
import {
  directory,
  file,
  opNames,
  planAll,
  summary,
  take,
  unit,
  worldFor,
  type Paths,
  type Units,
  type WorldSpec,
} from './world.ts'

const name = 'kms.service'
const config = '/etc/kms.yaml'
const exe = '/usr/bin/kms'
const digest = (text: string): Digest => Digest.of(Buffer.from(text))
const active = { kind: 'active' } as const

function wanted(desired: Partial<UnitDesired> = {}): ReturnType<typeof unitResource> {
  return unitResource({ unit: name, state: 'started', ready: active, within: 60, restartOn: [], ...desired })
}

function put(path: string, text: string, mode = 0o644): ReturnType<typeof fileResource> {
  const content = contentOf(text, { secretsOpened: true, once: (_, make) => make() })
  return fileResource({ path, owner: 'root', group: 'root', mode, content })
}

const configured = (text: string, state: Partial<PathState> = {}): Paths => ({
  [config]: file({ size: text.length, content: known(digest(text)), ...state }),
})
const started = (state: Partial<UnitState> = {}): Units => ({ [name]: unit(state) })
const recorded = new Map([[config, digest('a').reveal()]])

test.each<
  [what: string, desired: Partial<UnitDesired>, spec: WorldSpec, expected: unknown, ops: readonly string[]]
>([
  ['runs', {}, { units: started() }, 'same', []],
  [
    'does not run',
    {},
    { units: started({ active: 'inactive' }) },
    ['active: inactive → active'],
    ['unit-run'],
  ],
  [
    'failed',
    {},
    { units: started({ active: 'failed', result: 'exit-code' }) },
    ['active: failed (exit-code) → active'],
    ['unit-run'],
  ],
  [
    'is starting over and over',
    {},
    { units: started({ active: 'activating' }) },
    ['active: activating → active'],
    ['unit-run'],
  ],
  [
    'has a condition that was not met',
    {},
    { units: started({ active: 'inactive', conditionMet: false, since: 0 }) },
    ['active: inactive (condition not met) → active'],
    ['unit-run'],
  ],
  [
    'has newer files than systemd read',
    {},
    { units: started({ needReload: true }) },
    [
      'definition: out of date: its files changed since systemd read them → loaded',
      'restart: not needed → needed: its files changed since systemd read them',
    ],
    ['daemon-reload', 'unit-run'],
  ],
  ['is not found', {}, {}, 'refused: expected the unit kms.service to be loadable, found it not-found', []],
  [
    'is masked',
    {},
    { units: started({ load: 'masked', active: 'inactive' }) },
    'refused: expected the unit kms.service to be loadable, found it masked',
    [],
  ],
  [
    'runs another program',
    { exe },
    { units: started({ runningExe: '1:old' }), paths: { [exe]: file() } },
    [`restart: not needed → needed: ${exe} is another file than the one running`],
    ['unit-run'],
  ],
  [
    'runs its program',
    { exe },
    { units: started({ runningExe: `1:i${exe}` }), paths: { [exe]: file() } },
    'same',
    [],
  ],
  [
    'was started with other configuration',
    { restartOn: [config] },
    { units: started({ startedWith: recorded }), paths: configured('b') },
    [`restart: not needed → needed: ${config} differs from what it was started with`],
    ['unit-run'],
  ],
  [
    'was started with this configuration, written again since',
    { restartOn: [config] },
    { units: started({ startedWith: recorded }), paths: configured('a', { modified: 3000 }) },
    'same',
    [],
  ],
  [
    'was started by somebody else before the configuration was written',
    { restartOn: [config] },
    { units: started(), paths: configured('a', { modified: 3000 }) },
    [`restart: not needed → needed: ${config} is newer than the start`],
    ['unit-run'],
  ],
  [
    'was started by somebody else after it',
    { restartOn: [config] },
    { units: started(), paths: configured('a') },
    'same',
    [],
  ],
  [
    'lost its configuration',
    { restartOn: [config] },
    { units: started({ startedWith: recorded }) },
    [`restart: not needed → needed: ${config} is gone since the start`],
    ['unit-run'],
  ],
  [
    'shall be enabled',
    { enabled: true },
    { units: started({ enabled: 'disabled' }) },
    ['enabled: disabled → enabled'],
    ['unit-enable'],
  ],
  [
    'is enabled until the next boot only',
    { enabled: true },
    { units: started({ enabled: 'enabled-runtime' }) },
    ['enabled: enabled-runtime → enabled'],
    ['unit-enable'],
  ],
  [
    'shall be disabled',
    { enabled: false },
    { units: started() },
    ['enabled: enabled → disabled'],
    ['unit-enable'],
  ],
  [
    'cannot be enabled',
    { enabled: true },
    { units: started({ enabled: 'static' }) },
    'refused: expected kms.service to be one that can be enabled, found it static: it has no [Install] section',
    [],
  ],
  ['shall stop', { state: 'stopped' }, { units: started() }, ['active: active → inactive'], ['unit-run']],
  ['has stopped', { state: 'stopped' }, { units: started({ active: 'failed' }) }, 'same', []],
  ['shall stop and is unknown', { state: 'stopped', enabled: false }, {}, 'same', []],
  [
    'shall be restarted',
    { state: 'restarted' },
    { units: started() },
    ['restart: not done → done'],
    ['unit-run'],
  ],
  [
    'shall be restarted and does not run',
    { state: 'restarted' },
    { units: started({ active: 'inactive' }) },
    ['active: inactive → active'],
    ['unit-run'],
  ],
  [
    'shall be reloaded',
    { state: 'reloaded' },
    { units: started() },
    ['reload: not done → done'],
    ['unit-run'],
  ],
  [
    'is on a host without systemd',
    {},
    { host: { systemd: false } },
    'refused: expected systemd to run on the host for kms.service, found another init',
    [],
  ],
  [
    'runs and is not ready',
    { ready: { kind: 'http', url: 'http://127.0.0.1:1/ready' } },
    {
      units: started(),
      tests: { 'http:kms.service:http://127.0.0.1:1/ready': { answer: 'no', detail: 'status 503' } },
    },
    ['ready: no: status 503 → yes'],
    ['await'],
  ],
  [
    'runs and cannot be asked whether it is ready',
    { ready: { kind: 'http', url: 'http://127.0.0.1:1/ready' } },
    {
      units: started(),
      tests: { 'http:kms.service:http://127.0.0.1:1/ready': { answer: 'unknown', detail: 'no tool' } },
    },
    ['ready: unknown: no tool → yes'],
    ['await'],
  ],
  [
    'runs and is ready',
    { ready: { kind: 'socket', path: '/run/kms.sock' } },
    { units: started(), tests: { 'listens:kms.service:/run/kms.sock': { answer: 'yes' } } },
    'same',
    [],
  ],
])('a unit that %s', (_, desired, spec, expected, ops) => {
  const resource = wanted(desired)
  const planned = resource.plan(worldFor(spec, resource))
  expect([summary(planned), opNames(planned)]).toEqual([expected, ops])
})

test.each<[state: UnitDesired['state'], now: string, disruptive: boolean]>([
  ['started', 'inactive', false],
  ['restarted', 'active', true],
  ['restarted', 'inactive', false],
  ['reloaded', 'active', false],
  ['stopped', 'active', true],
])('%s where it is %s: disruptive %s', (state, now, disruptive) => {
  const resource = wanted({ state })
  expect(resource.plan(worldFor({ units: started({ active: now }) }, resource))).toMatchObject({ disruptive })
})

test('a unit whose file this run makes is enabled and started in the same plan', () => {
  const planned = planAll(
    { paths: { '/etc/systemd/system': directory() } },
    put('/etc/systemd/system/kms.service', '[Service]\n'),
    wanted({ enabled: true, restartOn: [config] }),
  )
  expect(planned.map(opNames)).toEqual([['file-put'], ['daemon-reload', 'unit-enable', 'unit-run']])
  expect(planned[1]).toMatchObject({
    disruptive: false,
    ops: [{}, {}, { verb: 'start', within: 60, record: [config] }],
  })
})

test('a drop-in or a template file of this run makes systemd read its files again', () => {
  const folder = '/etc/systemd/system/kms@.service.d'
  const resource = unitResource({
    unit: 'kms@a.service',
    state: 'started',
    ready: active,
    within: 60,
    restartOn: [],
  })
  const planned = planAll(
    { paths: { [folder]: directory() }, units: { 'kms@a.service': unit() } },
    put(`${folder}/10-user.conf`, '[Service]\n'),
    resource,
  )
  expect(planned.map(opNames)).toEqual([['file-put'], ['daemon-reload', 'unit-run']])
  expect(planned[1]).toMatchObject({ disruptive: true })
})

const observedConfig = { units: started({ startedWith: recorded }) }

test('configuration that this run changes restarts', () => {
  const planned = planAll(
    { ...observedConfig, paths: configured('a') },
    put(config, 'b'),
    wanted({ restartOn: [config] }),
  )
  expect(planned.map(summary)[1]).toEqual([
    `restart: not needed → needed: ${config} differs from what it was started with`,
  ])
})

test.each<[what: string, spec: WorldSpec]>([
  [
    'of configuration that our start recorded',
    { ...observedConfig, paths: configured('a', { mode: 0o600 }) },
  ],
  ['of configuration of an unknown start', { units: started(), paths: configured('a', { mode: 0o600 }) }],
  ['that puts a new inode, recorded', { ...observedConfig, paths: configured('a', { uid: known(7) }) }],
])('a mended owner or mode %s never restarts', (_, spec) => {
  const planned = planAll(spec, put(config, 'a'), wanted({ restartOn: [config] }))
  expect(planned.map(({ is }) => is)).toEqual(['change', 'same'])
})

test('a mended mode of the unit file needs no reload', () => {
  const path = '/etc/systemd/system/kms.service'
  const text = '[Service]\n'
  const paths = { [path]: file({ mode: 0o600, size: text.length, content: known(digest(text)) }) }
  const planned = planAll({ units: started(), paths }, put(path, text), wanted())
  expect(planned.map(({ is }) => is)).toEqual(['change', 'same'])
})

test('a handler restarts even after a start of this run, with the definition as it is then', () => {
  const path = '/etc/systemd/system/kms.service'
  const start = wanted()
  const change = put(path, '[Service]\n')
  const restart = wanted({ state: 'restarted' })
  const world = worldFor(
    { units: started({ active: 'inactive' }), paths: { '/etc/systemd/system': directory() } },
    start,
    change,
    restart,
  )
  expect([start, change, restart].map((one) => opNames(take(world, one)))).toEqual([
    ['unit-run'],
    ['file-put'],
    ['daemon-reload', 'unit-run'],
  ])
  expect(restart.transient).toBe(true)
  expect(restart.subject).toBe(start.subject)
  expect(restart.id).not.toBe(start.id)
})
