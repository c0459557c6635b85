import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kmsfleet, startKmsfleet } from '../converge/cli.ts'
import { drive, openDesk, type Desk, type Drive } from '../converge/drive.ts'
import { listing, touched } from '../converge/listing.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import type { Connect } from '../../src/transport/channel.ts'
import { createConnector } from '../../src/transport/connect.ts'

let lab: Lab
const desk: Desk = openDesk()
beforeAll(async () => {
  lab = await startLab({ hosts: Array.from({ length: 4 }, () => ({ variant: 'plain' as const })) })
  await Promise.all(lab.hosts.map((host) => lab.exec(host, prepare)))
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

/** A service that answers once it is started, until its mark is taken away. */
const prepare = `
  sed -i '/pam_motd/d' /etc/pam.d/sshd
  mkdir -p /srv/data
  cat >/etc/systemd/system/served.service <<'END'
[Service]
Type=exec
ExecStartPre=/bin/sh -c 'echo started >>/srv/data/starts; touch /srv/data/ready'
ExecStart=/usr/bin/sleep infinity
END
  systemctl daemon-reload`

const host = (name: string): LabHost => {
  const found = lab.hosts.find((each) => each.name === name)
  if (found === undefined) throw new Error(`expected a host ${name}, found none`)
  return found
}
const rooted = { owner: 'root', group: 'root', mode: '0644' } as const
const file = (name: string, content: string): object => ({
  name: `${name} of data`,
  copy: { dest: `/srv/data/${name}`, content, ...rooted },
})
const service = {
  name: 'served',
  unit: {
    name: 'served.service',
    state: 'started',
    restart_on: ['/srv/data/conf'],
  },
}
const answers = { name: 'it answers', wait_for: { path: '/srv/data/ready', within: 5 } }
/** Other content of `conf` is a restart. */
const book = (content: string, play: object = {}): string =>
  desk.playbook({ tasks: [file('conf', content), service, answers], ...play })
const oneCluster = { extraVars: { cluster: 'c1' } } as const
const converge = (playbook: string, more: Drive = {}): ReturnType<typeof drive> =>
  drive(lab, 'converge', { playbook, ...oneCluster, ...more })

describe('the other hosts of a cluster, before a service is interrupted', () => {
  beforeAll(async () => {
    const run = await converge(book('one\n'))
    expect(run.of('failed')).toEqual([])
  })

  test('one outside the limit that is down: refused with its name, and nothing is written anywhere', async () => {
    await lab.exec(host('h2'), 'systemctl stop served')
    const before = await Promise.all(lab.hosts.map((each) => listing(lab, each)))
    const run = await converge(book('two\n'), { limit: 'h1' })
    expect(run.exitCode).toBe(16)
    expect(run.problem('h1')).toMatchObject({ code: 'run.rail' })
    expect(run.problem('h1').message).toMatch(
      /other hosts of cluster c1 to be well .*, found h2 \(unit:served\.service active inactive\)$/,
    )
    expect(run.of('acting')).toEqual([])
    const after = await Promise.all(lab.hosts.map((each) => listing(lab, each)))
    expect(after.flatMap((paths, index) => touched(before[index] ?? paths, paths))).toEqual([])
  })

  test('outside the play counts as well, and so does a host of a later batch', async () => {
    const elsewhere = await converge(book('two\n', { hosts: 'h3' }))
    expect(elsewhere.problem('h3').message).toContain('found h2 (')
    const later = await converge(book('two\n', { serial: 1 }), { limit: 'h1,h2' })
    expect(later.problem('h1').message).toContain('found h2 (')
    expect(later.ended('h2').outcome).toBe('not-run')
  })

  test('another cluster does not matter, nor what interrupts nothing', async () => {
    const alone = await drive(lab, 'converge', {
      playbook: book('two\n'),
      limit: 'h4',
      inventory: desk.file('apart.yml', clusters({ h4: 'c4' })),
    })
    expect(alone.exitCode).toBe(0)
    const quiet = await converge(desk.playbook({ tasks: [file('quiet', 'x\n'), service, answers] }), {
      limit: 'h1',
    })
    expect(quiet.exitCode).toBe(0)
  })

  test('one that is not reached is named with the reason', async () => {
    const run = await converge(book('two\n'), {
      limit: 'h1',
      inventory: desk.file(
        'gone.yml',
        readFileSync(lab.inventoryFile, 'utf8').replace(host('h2').address, '127.0.0.1'),
      ),
    })
    expect(run.exitCode).toBe(16)
    expect(run.problem('h1').message).toMatch(/found h2 \(h2: expected /)
  })

  test('a host that is not well itself does not wait: so a cluster can be mended host by host', async () => {
    await lab.exec(host('h1'), 'rm /srv/data/ready')
    const one = await converge(book('two\n'), { limit: 'h1' })
    expect(one.done('h1')).toContainEqual(expect.stringMatching(/^unit:served\.service@/))
    expect(one.exitCode).toBe(0)
    expect((await converge(book('two\n'), { limit: 'h2' })).exitCode).toBe(0)
    // All are well by now: with a pool of one, nobody waits for a place that he holds himself.
    expect((await converge(book('three\n', { serial: 2 }), { concurrency: 1 })).exitCode).toBe(0)
  })

  test('one of the same batch that failed and is down keeps the others from it', async () => {
    await lab.exec(host('h1'), 'systemctl stop served; mkdir /srv/data/wall')
    const tasks = [file('conf', 'four\n'), file('wall', 'x\n'), service, answers]
    const run = await converge(desk.playbook({ tasks }), { limit: 'h1,h2', concurrency: 1 })
    await lab.exec(host('h1'), 'rmdir /srv/data/wall; systemctl start served')
    expect(run.ended('h1').outcome).toBe('failed')
    expect(run.problem('h2')).toMatchObject({ code: 'run.rail' })
    expect(run.of('acting')).toEqual([])
  })

  test('one of the same batch that is down and has its turn is waited for', async () => {
    await lab.exec(host('h1'), 'systemctl stop served')
    const slow = {
      name: 'slow',
      command: { argv: ['sleep', '2'], always: true },
      when: "inventory_hostname == 'h1'",
    }
    const run = await converge(desk.playbook({ tasks: [file('conf', 'five\n'), slow, service, answers] }), {
      limit: 'h1,h2',
    })
    expect(run.exitCode).toBe(0)
    const turns = run.events.flatMap((event) =>
      (event.type === 'acting' || event.type === 'done') && event.change.startsWith('unit:')
        ? [`${event.type} ${event.host}`]
        : [],
    )
    expect(turns).toEqual(['acting h1', 'done h1', 'acting h2', 'done h2'])
  })

  test('what fails besides the service is no reason not to ask them', async () => {
    await lab.exec(host('h2'), 'systemctl stop served')
    const other = { name: 'something else', wait_for: { path: '/srv/data/other', within: 1 } }
    const tasks = [file('conf', 'six\n'), file('other', 'x\n'), other, service, answers]
    const run = await converge(desk.playbook({ tasks }), { limit: 'h1' })
    await lab.exec(host('h2'), 'systemctl start served')
    expect(run.problem('h1')).toMatchObject({ code: 'run.rail' })
    expect(run.of('acting')).toEqual([])
  })

  /** The lab's inventory with other clusters. */
  const clusters = (others: Readonly<Record<string, string>>): string =>
    lab.hosts.reduce(
      (text, { name, cluster }) =>
        text.replace(
          new RegExp(`(\\n +${name}:(?:\\n(?! {4}h\\d).*)*?cluster: )${cluster}`),
          `$1${others[name] ?? 'c1'}`,
        ),
      readFileSync(lab.inventoryFile, 'utf8'),
    )
})

describe('batches', () => {
  test('a failing host stops the play; the report names whom it kept from their turn, and a run takes them up', async () => {
    await lab.exec(host('h2'), 'mkdir /srv/data/batch')
    const play = { serial: 1, max_fail_percentage: 0, tasks: [file('batch', 'x\n')] }
    const args = ['-i', lab.inventoryFile, desk.playbook(play)]
    const all = await kmsfleet(desk.folder, 'converge', '--yes', '--format', 'json', ...args)
    expect(JSON.parse(all.stdout)).toMatchObject({
      exitCode: 20,
      notReached: ['h3', 'h4'],
      hosts: [{ outcome: 'changed' }, { outcome: 'failed' }, { outcome: 'not-run' }, { outcome: 'not-run' }],
    })
    await lab.exec(host('h2'), 'rmdir /srv/data/batch')
    const rest = await kmsfleet(
      desk.folder,
      'converge',
      '--yes',
      '--format',
      'json',
      '--limit',
      '@run:last:failed',
      ...args,
    )
    expect(rest.code).toBe(0)
    expect(JSON.parse(rest.stdout)).toMatchObject({ hosts: [{ host: 'h2' }, { host: 'h3' }, { host: 'h4' }] })
    const none = await kmsfleet(desk.folder, 'plan', '--limit', '@run:last:failed', ...args)
    expect(none.code).toBe(1)
    expect(none.stderr).toMatch(/expected hosts that failed in run \S+, found none/)
  })

  test('the next batch begins only where the last one still is as it was proved', async () => {
    await using connector = createConnector()
    let connections = 0
    // The gate is the second one to h1: by then somebody was there.
    const connect: Connect = async (name, ...rest) => {
      if (name === 'h1' && (connections += 1) === 2) await lab.exec(host('h1'), 'chmod 0666 /srv/data/gate')
      return connector.connect(name, ...rest)
    }
    const run = await converge(desk.playbook({ serial: [1, '100%'], tasks: [file('gate', 'x\n')] }), {
      connect,
    })
    expect(run.exitCode).toBe(16)
    expect(run.of('rail').map(({ problem }) => problem.message)).toEqual([
      'expected h1 to be as it was proved before the next batch begins, found: file:/srv/data/gate, mode 0666',
    ])
    expect(['h1', 'h2', 'h3', 'h4'].map((name) => run.ended(name).outcome)).toEqual([
      ...['changed', 'not-run', 'not-run', 'not-run'],
    ])
  })

  test('a shard has whole clusters, and may be empty', async () => {
    const playbook = desk.playbook({ tasks: [file('quiet', 'x\n')] })
    const args = [playbook, '-i', lab.inventoryFile, '-e', 'cluster=c1', '--format', 'json']
    const first = await kmsfleet(desk.folder, 'plan', ...args, '--shard', '1/2')
    expect(JSON.parse(first.stdout)).toMatchObject({ hosts: [{}, {}, {}, {}] })
    const second = await kmsfleet(desk.folder, 'plan', ...args, '--shard', '2/2')
    expect(second.code).toBe(0)
    expect(JSON.parse(second.stdout)).toMatchObject({ exitCode: 0, hosts: [] })
  })
})

describe('two runs, and an interrupted one', () => {
  const hold = {
    command: { argv: ['sh', '-c', 'until [ -e /srv/data/go ]; do sleep 0.1; done'], always: true },
  }
  const held = (order: string, content: string): string =>
    desk.playbook({ order, serial: 1, tasks: [hold, file('crossed', content)] })

  test('that go through a fleet from both ends meet: the later one is told who is there, the earlier one goes on', async () => {
    const begun = (name: string): { event: Drive['onEvent']; at: Promise<void> } => {
      let tell: () => void = () => undefined
      const at = new Promise<void>((resolve) => (tell = resolve))
      return {
        at,
        event: (event) => {
          if (event.type === 'acting' && event.host === name) tell()
        },
      }
    }
    const [atFirst, atLast] = [begun('h1'), begun('h2')]
    const forth = converge(held('inventory', 'forth\n'), {
      limit: 'h1,h2',
      operator: 'alice@laptop',
      ...(atFirst.event === undefined ? {} : { onEvent: atFirst.event }),
    })
    const back = converge(held('reverse_inventory', 'back\n'), {
      limit: 'h1,h2',
      operator: 'bob@desk',
      ...(atLast.event === undefined ? {} : { onEvent: atLast.event }),
    })
    await Promise.all([atFirst.at, atLast.at])
    await lab.exec(host('h1'), 'touch /srv/data/go')
    const refused = await forth
    expect(refused.ended('h1').outcome).toBe('changed')
    expect(refused.problem('h2').message).toContain('found bob@desk since ')
    expect(refused.exitCode).toBe(16)
    await lab.exec(host('h2'), 'touch /srv/data/go')
    expect((await back).exitCode).toBe(0)
    expect(await lab.exec(host('h1'), 'cat /srv/data/crossed')).toBe('back\n')
    expect(await lab.exec(host('h2'), 'cat /srv/data/crossed')).toBe('back\n')
    await Promise.all(['h1', 'h2'].map((name) => lab.exec(host(name), 'rm /srv/data/go')))
  })

  test('Ctrl-C twice: it ends at once with 130 and says what may be half done', async () => {
    const args = ['--yes', '-v', '-i', lab.inventoryFile, '--limit', 'h3,h4']
    const run = startKmsfleet(desk.folder, 'converge', ...args, held('inventory', 'x\n'))
    await run.says('h3: begins command')
    run.interrupt()
    await run.says('Ctrl-C again')
    run.interrupt()
    const end = await run.end
    expect(end.code).toBe(130)
    expect(end.stderr).toContain('dropping everything')
    expect(end.stdout).toMatch(/MAY BE HALF DONE h3\n {2}command:/)
    expect(end.stdout).toContain('NOT REACHED h4\n')
    await lab.exec(host('h3'), 'touch /srv/data/go')
  })
})
