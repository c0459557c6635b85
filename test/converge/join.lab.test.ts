import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { kmsfleet } from './cli.ts'
import { drive, openDesk, type Desk, type Driven } from './drive.ts'
import { listing, touched } from './listing.ts'

/*
 * A new host gets state and checkpoint of a peer. h1 is the peer, h2 joins its cluster c1, h4 is of another. The service
 * account of the peer is hostile where a test says so.
 */

const planted = ['PlantedStateOfH1', 'PlantedCheckpointOfH1'] as const
const folder = '/var/lib/openbao-kms/state'
const state = `${folder}/key-registry.json`
const checkpoint = `${state}.checkpoint`
const playbook = 'playbooks/join.yml'

let lab: Lab
const desk: Desk = openDesk()
const hostNamed = (name: string): LabHost => {
  const found = lab.hosts.find((host) => host.name === name)
  if (found === undefined) throw new Error(`expected ${name} in the lab, found none`)
  return found
}
const on = (name: string, script: string): Promise<string> => lab.exec(hostNamed(name), script)

beforeAll(async () => {
  const hosts = Array.from({ length: 4 }, () => ({ variant: 'plain' }) as const)
  lab = await startLab({ hosts })
  await Promise.all(lab.hosts.map((host) => lab.exec(host, `sed -i '/pam_motd/d' /etc/pam.d/sshd`)))
  expect((await drive(lab, 'converge', { limit: 'h1' })).exitCode).toBe(0)
  await on('h1', pairOn(folder))
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

/** Writes the planted pair as the service account does. */
const pairOn = (where: string): string => `
  rm -rf ${where}/key-registry.json ${where}/key-registry.json.checkpoint*
  echo '{"planted":"${planted[0]}"}' >${where}/key-registry.json
  printf '{"planted":"${planted[1]}"}\\n\\n' >${where}/key-registry.json.checkpoint
  chown openbao-kms:openbao-kms ${where}/key-registry.json*
  chmod 0640 ${where}/key-registry.json ${where}/key-registry.json.checkpoint`

const seed = (
  command: 'plan' | 'converge',
  extraVars: Readonly<Record<string, unknown>> = {},
  limit = 'h2',
): Promise<Driven> =>
  drive(lab, command, { playbook, limit, extraVars: { openbao_kms_seed_from: 'h1', ...extraVars } })

describe('is refused before any contact', () => {
  test.each([
    ['no peer', '', 'h2', 'found none for h2'],
    ['one that the inventory does not have', 'cp9', 'h2', 'found cp9, which the inventory does not have'],
    ['one that joins itself', 'h1', 'h1:h2', 'found h1, which is itself a host of this play'],
    ['one of another cluster', 'h4', 'h2', 'found h4 of cluster c2, and h2 is of cluster c1'],
  ])('%s', async (_, peer, limit, message) => {
    const contacted: string[] = []
    const run = drive(lab, 'plan', {
      playbook,
      limit,
      extraVars: { openbao_kms_seed_from: peer },
      connect: (host) => {
        contacted.push(host)
        return Promise.reject(new Error('contacted'))
      },
    })
    await expect(run).rejects.toThrow(message)
    expect(contacted).toEqual([])
  })
})

describe('a host that has nothing yet', () => {
  /** Nothing is written where a run is refused, and nothing on the peer ever. */
  async function refusal(command: 'plan' | 'converge', extraVars = {}): Promise<Driven> {
    const before = await listing(lab, hostNamed('h2'))
    const run = await seed(command, extraVars)
    expect(touched(before, await listing(lab, hostNamed('h2')))).toEqual([])
    expect(JSON.stringify(run.events)).not.toMatch(/Planted/)
    return run
  }

  test('is shown what it would get, and from whom, by a plan that reads none of it', async () => {
    const peer = await listing(lab, hostNamed('h1'))
    const plan = await refusal('plan')
    expect(plan.exitCode).toBe(2)
    const lines = plan.planned('h2').filter((line) => line.startsWith('state-pair:'))
    expect(lines).toEqual([
      `state-pair:${state} state absent -> state and checkpoint`,
      `state-pair:${state} content absent -> that of h1 (secret)`,
      expect.stringMatching(/^state-pair:.* identity absent -> cfg1\.[\w-]{43}$/),
      `state-pair:${state} owner absent -> openbao-kms`,
      `state-pair:${state} group absent -> openbao-kms`,
      `state-pair:${state} mode absent -> 0640`,
    ])
    expect(touched(peer, await listing(lab, hostNamed('h1')))).toEqual([])
  })

  test('gets nothing of a peer with another identity', async () => {
    const run = await refusal('converge', { openbao_kms_key_lineage_id: 'another' })
    expect(run.exitCode).toBe(16)
    expect(run.problem('h2')).toMatchObject({ code: 'resource.identity' })
    expect(run.problem('h2').message).toMatch(
      /expected h1 to have the identity cfg1\.\S+ that this host gets, found cfg1\.\S+: transit.keyIdScope.keyLineageId 7d34\w+ there, another here$/,
    )
  })

  test('gets nothing of a peer that is not well', async () => {
    await on('h1', 'systemctl stop bao-kms-provider')
    const run = await refusal('converge')
    await on('h1', 'systemctl start bao-kms-provider')
    expect(run.exitCode).toBe(16)
    expect(run.problem('h2').message).toBe(
      'expected the peer h1 to be reached and well, found unit:bao-kms-provider.service active inactive',
    )
  })

  describe('while the service account of the peer', () => {
    const secret = '/root/of-root'
    beforeAll(() => on('h1', `echo PlantedOfRoot >${secret}`))
    beforeEach(() => on('h1', pairOn(folder)))
    afterAll(() => on('h1', pairOn(folder)))

    test.each([
      ['links its state to a file of root', `ln -sf ${secret} ${state}`, 'found a link'],
      ['has a FIFO there', `rm ${state}; mkfifo ${state}; chown openbao-kms ${state}`, 'found a fifo'],
      ['has a further name of it', `ln ${checkpoint} ${checkpoint}.more`, 'found one with 2 names'],
      [
        'has a file of root there',
        `cp --remove-destination ${secret} ${state}`,
        "found one of another account's",
      ],
      ['made it larger than any state', `truncate -s 100M ${checkpoint}`, 'found one of 104857600 bytes'],
      ['has no checkpoint', `rm ${checkpoint}`, 'found nothing'],
      ['has bytes there that are no text', `printf 'a\\0b' >${state}`, 'bytes that are no text'],
    ])('%s', async (_, script, found) => {
      await on('h1', script)
      const run = await refusal('converge')
      expect(run.exitCode).toBe(4)
      expect(run.problem('h2').message).toMatch(/^peer h1: expected /)
      expect(run.problem('h2').message).toContain(found)
    })
  })

  test('whose provider runs is not given state under it', async () => {
    await on('h2', 'systemd-run --quiet --unit=bao-kms-provider sleep infinity')
    const run = await refusal('converge')
    await on('h2', 'systemctl stop bao-kms-provider')
    expect(run.problem('h2')).toMatchObject({ code: 'resource.running' })
    expect(run.problem('h2').message).toContain('found bao-kms-provider.service active')
  })
})

test('from bare to a provider that runs with the pair of its peer, of which no trace is left', async () => {
  const peer = await listing(lab, hostNamed('h1'))
  const { folder: journals } = desk
  const options = ['-i', lab.inventoryFile, '-l', 'h2', '-e', 'openbao_kms_seed_from=h1', '--yes', '--diff']
  const made = await kmsfleet(journals, 'converge', playbook, ...options)
  expect(made.stderr + made.stdout).toContain('that of h1 (secret)')
  expect(made.code).toBe(0)
  const shown = `cat ${state} ${checkpoint}; stat -c '%U:%G %a %h' ${state} ${checkpoint}; systemctl is-active bao-kms-provider`
  expect(await on('h2', shown)).toBe(
    `{"planted":"${planted[0]}"}\n{"planted":"${planted[1]}"}\n\n${'openbao-kms:openbao-kms 640 1\n'.repeat(2)}active\n`,
  )
  expect(touched(peer, await listing(lab, hostNamed('h1')))).toEqual([])

  const files = readdirSync(journals, { recursive: true, withFileTypes: true }).filter((each) =>
    each.isFile(),
  )
  expect(files.length).toBeGreaterThan(0)
  const texts = files.map((each) => readFileSync(join(each.parentPath, each.name), 'utf8'))
  const leftOn = (name: string): Promise<string> =>
    on(name, `grep -rlsa Planted /etc /run /var /tmp /root /srv --exclude-dir=state --exclude=of-root || :`)
  for (const text of [made.stdout, made.stderr, ...texts, await leftOn('h1'), await leftOn('h2')]) {
    expect(text).not.toMatch(/Planted/)
    expect(text).not.toContain(Buffer.from(planted[0]).toString('base64').slice(2, -4))
  }
})

describe('a host that has its state', () => {
  test('keeps it whatever is in it, says so, and its peer is not asked', async () => {
    await on('h2', `echo '{"own":1}' >${state}`)
    const before = await listing(lab, hostNamed('h2'))
    const run = await seed('converge', { openbao_kms_seed_from: 'h3' })
    expect(run.exitCode).toBe(0)
    expect(run.done('h2')).toEqual([])
    expect(run.of('planned', 'h2')[0]?.plan.remarks).toContain(
      `${state} and its checkpoint are there and were left as they are`,
    )
    expect(run.of('waiting')).toEqual([])
    expect(touched(before, await listing(lab, hostNamed('h2')))).toEqual([])
  })

  test('is not touched where it has one half only', async () => {
    await on('h2', `systemctl stop bao-kms-provider; rm ${checkpoint}`)
    const before = await listing(lab, hostNamed('h2'))
    const run = await seed('converge')
    expect(run.problem('h2')).toMatchObject({ code: 'resource.half-pair' })
    expect(run.problem('h2').message).toBe(
      `expected state and checkpoint together, or neither, found ${state} without ${checkpoint}`,
    )
    expect(touched(before, await listing(lab, hostNamed('h2')))).toEqual([])
  })

  test('gets it anew once it was rebuilt, as it is when it is written and not as it was when it was planned', async () => {
    await on('h2', `rm ${state}`)
    const run = await drive(lab, 'converge', {
      playbook,
      limit: 'h2',
      extraVars: { openbao_kms_seed_from: 'h1' },
      approve: async () => {
        await on('h1', `sed -i s/PlantedState/LaterState/ ${state}`)
        return true
      },
    })
    expect(run.exitCode).toBe(0)
    expect(run.done('h2').map((key) => key.slice(0, key.indexOf('@')))).toEqual([
      `state-pair:${state}`,
      'unit:bao-kms-provider.service',
      'reach:/run/openbao-kms/kms.sock as kube-apiserver',
    ])
    expect(await on('h2', `cat ${state}`)).toContain('LaterStateOfH1')
  })
})
