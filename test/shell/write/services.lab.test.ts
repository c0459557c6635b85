import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Readiness, WireChange, WriteOp } from '../../../src/model/wire.ts'
import { bootstrapCommand } from '../../../src/shell/bootstrap.ts'
import { quote } from '../../../src/shell/quote.ts'
import { openSession } from '../../../src/shell/session.ts'
import type { Session } from '../../../src/shell/session.ts'
import { startLab } from '../../lab/lab.ts'
import type { Lab } from '../../lab/lab.ts'
import { localChannel } from '../local-shell.ts'
import { changesOf, detailOf, last, payloadOf, send } from './host.ts'

let lab: Lab
let session: Session

async function open(): Promise<Session> {
  const [host] = lab.hosts
  if (host === undefined) throw new Error('a lab of one host')
  const options = `-F /dev/null -o UserKnownHostsFile=${lab.knownHostsFile} -o StrictHostKeyChecking=yes -o BatchMode=yes`
  const login = `-i ${lab.keyFile} -p ${String(host.port)} ${host.user}@${host.address}`
  return openSession(
    localChannel(`ssh ${options} ${login} ${quote(bootstrapCommand)}`),
    new AbortController().signal,
  )
}

async function exec(command: string): Promise<string> {
  const [host] = lab.hosts
  return host === undefined ? '' : lab.exec(host, command)
}

beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }] })
  session = await open()
})

afterAll(async () => {
  await session[Symbol.asyncDispose]()
  await lab.down()
})

function unit(name: string, text: string): WriteOp {
  return {
    op: 'file-put',
    parent: { path: '/etc/systemd/system', anchor: '/etc/systemd' },
    name,
    expect: { absent: true },
    payload: payloadOf(text),
    to: { owner: 'root', group: 'root', mode: 0o644 },
  }
}

function start(name: string, within: number, ready: Readiness = { kind: 'active' }): WriteOp {
  return {
    op: 'unit-run',
    unit: name,
    verb: 'start',
    ready,
    within,
    record: ['/etc/hostname', '/nowhere'],
    runsWith: [],
  }
}

const install = (name: string, text: string): readonly WireChange[] =>
  changesOf(unit(name, text), { op: 'daemon-reload' })

it('starts a unit, waits until it is ready, and records what it was started with', async () => {
  await send(
    session,
    install(
      'kf-good.service',
      '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n',
    ),
  )
  const said = await send(
    session,
    changesOf({ op: 'unit-enable', unit: 'kf-good.service', enable: true }, start('kf-good.service', 20)),
  )
  expect(last(said)).toEqual({ change: 2, says: 'done' })
  const invocation = await exec('systemctl show -p InvocationID --value kf-good.service')
  const digest = await exec('sha256sum </etc/hostname | cut -d" " -f1')
  expect(await exec('cat /run/kmsfleet/started/kf-good.service')).toBe(
    `${invocation}${digest.trim()} /etc/hostname\n`,
  )
  expect((await exec('systemctl is-enabled kf-good.service')).trim()).toBe('enabled')
  const stopped = await send(
    session,
    changesOf({
      op: 'unit-run',
      unit: 'kf-good.service',
      verb: 'stop',
      ready: { kind: 'active' },
      within: 10,
      record: [],
      runsWith: [],
    }),
  )
  expect(last(stopped)).toEqual({ change: 1, says: 'done' })
  expect(await exec('ls /run/kmsfleet/started; systemctl show -p ActiveState --value kf-good.service')).toBe(
    'inactive\n',
  )
})

it('tells a unit that keeps restarting, one whose condition is not met, and one that fails', async () => {
  const units = [
    [
      'kf-crash.service',
      '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sh -c "sleep 0.3; exit 1"\nRestart=always\nRestartSec=0\n',
    ],
    ['kf-never.service', '[Unit]\nConditionPathExists=/nowhere\n[Service]\nExecStart=/bin/sleep 1000\n'],
    ['kf-fail.service', '[Service]\nType=oneshot\nExecStart=/bin/false\n'],
    ['kf-once.service', '[Service]\nType=oneshot\nExecStart=/bin/true\n'],
  ] as const
  await send(session, changesOf(...units.map(([name, text]) => unit(name, text)), { op: 'daemon-reload' }))
  const crash = await send(session, changesOf(start('kf-crash.service', 4)))
  expect(last(crash)).toMatchObject({ says: 'failed', step: 'ready' })
  expect(detailOf(crash)).toContain('ready within 4 s')
  const never = await send(session, changesOf(start('kf-never.service', 4)))
  expect(detailOf(never)).toContain('a condition of the unit is not met')
  const fail = await send(session, changesOf(start('kf-fail.service', 4)))
  expect(last(fail)).toMatchObject({ says: 'failed', step: 'unit' })
  expect(detailOf(fail)).toContain('exit-code')
  expect(last(await send(session, changesOf(start('kf-once.service', 4))))).toEqual({
    change: 1,
    says: 'done',
  })
})

it('waits for a socket and leaves a line in syslog for each change', async () => {
  const socket = '/run/kf-test.sock'
  await send(
    session,
    changesOf(
      unit('kf-sock.socket', `[Socket]\nListenStream=${socket}\nService=kf-good.service\n`),
      { op: 'daemon-reload' },
      start('kf-sock.socket', 10, { kind: 'socket', path: socket }),
      {
        op: 'await',
        test: { atom: 'reach', key: 'r', socket, as: { by: 'number', uid: 65534, gid: 65534, groups: [] } },
        within: 5,
      },
    ),
  ).then((said) => {
    expect(last(said)).toEqual({ change: 4, says: 'done' })
  })
  expect(await exec('journalctl -t kmsfleet -o cat --no-pager')).toContain('test:3')
})
