import { afterAll, beforeAll, expect, test } from 'vitest'
import { createConnector } from '../../src/transport/connect.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { cutAfter } from '../transport/cut.ts'
import { startKmsfleet } from './cli.ts'
import { drive, openDesk } from './drive.ts'
import { identityModel, modelOn } from './model.ts'

/** What is representative of `npm run test:lab:openssh`, which runs all of the lab's tests over the OpenSSH client. */
let lab: Lab
const desk = openDesk()
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'noisy' }, { variant: 'sudo-password' }, { variant: 'plain' }] })
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

const host = (index: number): LabHost => {
  const found = lab.hosts[index - 1]
  if (found === undefined) throw new Error(`expected a host h${String(index)}, found none`)
  return found
}
const openssh = { transport: 'openssh' } as const
const file = (name: string): object => ({
  name,
  copy: { dest: `/srv/${name}`, content: `${name}\n`, owner: 'root', group: 'root', mode: '0644' },
})

test('from bare hosts to the identity model; a second converge is one round trip and no change', async () => {
  const options = { ...openssh, limit: 'h1,h2', becomePassword: lab.secrets.password }
  const made = await drive(lab, 'converge', options)
  expect(made.exitCode).toBe(0)
  for (const each of [host(1), host(2)]) expect(await modelOn(lab, each)).toEqual(identityModel)
  const again = await drive(lab, 'converge', options)
  expect(again.exitCode).toBe(0)
  for (const name of ['h1', 'h2']) {
    expect(again.ended(name)).toMatchObject({ outcome: 'ok', changed: 0, cost: { roundTrips: 1 } })
  }
})

test('a connection that breaks in a write frame fails the host, and the next run finishes', async () => {
  await using connector = createConnector()
  const playbook = desk.playbook({ hosts: 'h3', tasks: [file('one'), file('two')] })
  const planned = await drive(lab, 'plan', { ...openssh, playbook })
  const { bytesSent } = planned.ended('h3').cost
  const cut = await drive(lab, 'converge', {
    ...openssh,
    playbook,
    connect: cutAfter(connector.connect, { bytesSent: bytesSent + 1000 }),
  })
  expect(cut.problem('h3').code).toBe('transport.lost')
  const next = await drive(lab, 'converge', { ...openssh, playbook })
  expect(next.exitCode).toBe(0)
  expect(await lab.exec(host(3), 'cat /srv/one /srv/two')).toBe('one\ntwo\n')
})

test('the first Ctrl-C reaches the host by a second ssh, and what is in hand is finished', async () => {
  const playbook = desk.playbook({
    hosts: 'h3',
    tasks: [
      {
        command: {
          argv: ['/bin/sh', '-c', 'echo >/srv/begun; sleep 2; echo >/srv/ended'],
          always: true,
        },
      },
      file('after-interrupt'),
    ],
  })
  const run = startKmsfleet(
    desk.folder,
    'converge',
    ...['--transport', 'openssh', '--yes', '--format', 'jsonl', '-i', lab.inventoryFile, playbook],
  )
  await run.says('"acting"')
  run.interrupt()
  const end = await run.end
  expect(end.code).toBe(130)
  expect(end.stdout).toContain('"outcome":"stopped"')
  expect(await lab.exec(host(3), 'cd /srv; ls ended; ls after-interrupt 2>/dev/null || echo none')).toBe(
    'ended\nnone\n',
  )
})
