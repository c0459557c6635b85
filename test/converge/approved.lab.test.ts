import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHostRun, type HostRun } from '../../src/converge/host.ts'
import type { RunRequest } from '../../src/converge/request.ts'
import { prepareRun } from '../../src/converge/run.ts'
import { createClusterGates } from '../../src/fleet/clusters.ts'
import { createPermits } from '../../src/fleet/permits.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import type { RunEventBody } from '../../src/model/event.ts'
import { modules } from '../../src/modules/registry.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { createConnector } from '../../src/transport/connect.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { testTransport } from '../lab/transport.ts'
import { drive, openDesk, type Desk } from './drive.ts'

let lab: Lab
const desk: Desk = openDesk()
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }, { variant: 'plain' }] })
  await Promise.all(lab.hosts.map((host) => lab.exec(host, 'mkdir -p /srv/data')))
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

const rooted = { owner: 'root', group: 'root', mode: '0644' } as const
const line = (name: string): object => ({
  copy: { dest: `/srv/data/${name}`, content: 'x\n', ...rooted },
})

const host = (index: number): LabHost => {
  const found = lab.hosts[index - 1]
  if (found === undefined) throw new Error(`expected a host h${String(index)}, found none`)
  return found
}

interface Reading extends AsyncDisposable {
  readonly run: HostRun
  readonly events: readonly RunEventBody[]
}

/** A host's run as it is while a person reads the plan: planned, and then disconnected. */
async function readFor5Minutes(playbook: string): Promise<Reading> {
  const connector = createConnector()
  const never = new AbortController().signal
  const events: RunEventBody[] = []
  const request: RunRequest = {
    command: 'converge',
    playbook: loadPlaybook(playbook, { modules: new Set(modules.keys()) }),
    inventory: loadInventory(lab.inventoryFile, {
      ssh: { kind: 'ssh', connectTimeoutMs: 10_000, ...testTransport() },
    }),
    limit: 'h1',
    tags: [],
    extraVars: new Map(),
    connect: connector.connect,
    concurrency: 1,
    diff: false,
    approve: () => Promise.resolve(true),
    emit: (event) => events.push(event),
    stop: never,
    abort: never,
    operator: 'tester@bench',
    run: `run-${String(Math.floor(Math.random() * 1e9))}`,
  }
  const [prepared] = prepareRun(request)[0]?.hosts ?? []
  if (prepared === undefined) throw new Error('expected a host, found none')
  const { context, atoms } = prepared
  const run = createHostRun({
    request,
    context,
    atoms,
    before: [],
    gates: createClusterGates(),
    newIdentity: false,
    permits: createPermits(),
  })
  await run.plan()
  await run.release()
  return { run, events, [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose]() }
}

test('after a long reading the host is asked again, and does what was shown', async () => {
  await using reading = await readFor5Minutes(desk.playbook({ tasks: [line('read')] }))
  await reading.run.converge()
  expect(await reading.run.end()).toEqual({ outcome: 'changed' })
})

test('what became impossible while a person read changes nothing at all', async () => {
  await using reading = await readFor5Minutes(desk.playbook({ tasks: [line('first'), line('second')] }))
  await lab.exec(host(1), 'mkdir /srv/data/second')
  await reading.run.converge()
  expect(await reading.run.end()).toMatchObject({
    outcome: 'failed',
    problem: { code: 'resource.wrong-type' },
  })
  expect(reading.events.filter(({ type }) => type === 'acting')).toEqual([])
  expect(await lab.exec(host(1), 'ls /srv/data/first 2>/dev/null || echo none')).toBe('none\n')
})

test('what came up while a person read is a rail', async () => {
  await using reading = await readFor5Minutes(desk.playbook({ tasks: [line('read'), line('more')] }))
  await reading.run.converge()
  await reading.run.end()
  await using again = await readFor5Minutes(desk.playbook({ tasks: [line('read'), line('third')] }))
  await lab.exec(host(1), 'rm /srv/data/read')
  await again.run.converge()
  expect(await again.run.end()).toMatchObject({ outcome: 'failed', problem: { code: 'run.rail' } })
  expect(await lab.exec(host(1), 'ls /srv/data/third 2>/dev/null || echo none')).toBe('none\n')
})

const turnBook = (seconds: number): string =>
  desk.playbook({
    tasks: [
      {
        copy: {
          dest: '/etc/systemd/system/turn.service',
          content: `[Service]\nType=exec\nExecStart=/usr/bin/sleep ${String(seconds)}\n`,
          ...rooted,
        },
      },
      { unit: { name: 'turn.service', state: 'started', within: 20 } },
    ],
  })

test('a host that waits for its turn in the cluster when the operator stops is stopped, not failed', async () => {
  expect((await drive(lab, 'converge', { playbook: turnBook(1000) })).exitCode).toBe(0)
  const stop = new AbortController()
  let waiting = 0
  let acting = false
  const run = await drive(lab, 'converge', {
    playbook: turnBook(2000),
    stop: stop.signal,
    onEvent: (event) => {
      if (event.type === 'waiting' && event.for.startsWith('its turn')) waiting += 1
      if (event.type === 'acting') acting = true
      if (waiting === 2 && acting) stop.abort()
    },
  })
  expect(run.exitCode).toBe(130)
  expect(run.of('failed')).toEqual([])
  const outcomes = ['h1', 'h2'].map((name) => run.ended(name))
  expect(outcomes.map(({ changed }) => changed).sort()[0]).toBe(0)
  expect(outcomes.map(({ outcome }) => outcome)).toContain('stopped')
})

test('an unreachable host of a cluster keeps its peers from interrupting their service', async () => {
  expect((await drive(lab, 'converge', { playbook: turnBook(3000) })).exitCode).toBe(0)
  const inventory = desk.file(
    'unreachable.yml',
    readFileSync(lab.inventoryFile, 'utf8').replace(
      `ansible_host: ${host(2).address}`,
      'ansible_host: 127.77.255.1',
    ),
  )
  const run = await drive(lab, 'converge', {
    inventory,
    playbook: turnBook(4000),
    approve: () => Promise.resolve(true),
  })
  expect(run.ended('h2').outcome).toBe('unreachable')
  expect(run.problem('h1')).toMatchObject({ code: 'run.rail' })
  expect(run.problem('h1').message).toContain('h2')
  expect(run.done('h1')).toEqual([])
  expect(run.exitCode).toBe(8 + 16)
})

test('plays are planned one upon the other, on a host where none was converged', async () => {
  const playbook = desk.file(
    'two-plays.yml',
    `- hosts: all
  tasks:
    - group: {name: twoplays}
- hosts: all
  tasks:
    - directory: {path: /srv/twoplays, owner: root, group: twoplays, mode: "0750"}
`,
  )
  const plan = await drive(lab, 'plan', { playbook, limit: 'h1' })
  expect(plan.exitCode).toBe(2)
  expect(plan.of('planned').map((event) => event.plan.stages.length)).toEqual([1, 1])
  const converge = await drive(lab, 'converge', { playbook, limit: 'h1' })
  expect(converge.exitCode).toBe(0)
  expect((await drive(lab, 'plan', { playbook, limit: 'h1' })).exitCode).toBe(0)
})
