import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnector } from '../../src/transport/connect.ts'
import type { Connect } from '../../src/transport/channel.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { startKmsfleet, kmsfleet } from './cli.ts'
import { cutAfter } from '../transport/cut.ts'
import { drive, openDesk, type Desk } from './drive.ts'
import { listing, touched } from './listing.ts'

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

/** A service that counts its starts, for handlers to restart. */
const prepare = `
  sed -i '/pam_motd/d' /etc/pam.d/sshd
  mkdir -p /srv/data
  cat >/etc/systemd/system/counted.service <<'END'
[Service]
Type=exec
ExecStartPre=/bin/sh -c 'echo started >>/srv/data/starts'
ExecStart=/usr/bin/sleep infinity
END
  systemctl daemon-reload
  systemctl start counted`

const host = (index: number): LabHost => {
  const found = lab.hosts[index - 1]
  if (found === undefined) throw new Error(`expected a host h${String(index)}, found none`)
  return found
}
const starts = async (on: LabHost): Promise<number> => Number(await lab.exec(on, 'wc -l </srv/data/starts'))

const rooted = { owner: 'root', group: 'root', mode: '0644' } as const
const line = (name: string, content: string, more: object = {}): object => ({
  name: `${name} of data`,
  copy: { dest: `/srv/data/${name}`, content, ...rooted },
  ...more,
})

describe('a value that the same run makes', () => {
  test('one converge, two stages, three round trips, and a plan that says where it will stand', async () => {
    desk.file('gid.j2', "gid={{ host.group('late').gid }}\n")
    const playbook = desk.playbook({
      tasks: [
        { group: { name: 'late' } },
        { template: { src: 'gid.j2', dest: '/srv/data/gid', ...rooted } },
        { template: { src: 'gid.j2', dest: '/srv/data/gid-again', ...rooted } },
      ],
    })
    const options = { limit: 'h1', playbook }
    const plan = await drive(lab, 'plan', options)
    expect(plan.of('planned', 'h1')[0]?.plan.stages).toHaveLength(2)
    expect(plan.planned('h1')).toContain('file:/srv/data/gid content absent -> (gid known after group:late)')
    expect(plan.planned('h1')).toContain(
      'file:/srv/data/gid-again content absent -> (gid known after group:late)',
    )

    const run = await drive(lab, 'converge', options)
    expect(run.of('failed')).toEqual([])
    expect(run.done('h1')).toEqual(plan.keys('h1'))
    expect(run.ended('h1')).toMatchObject({ outcome: 'changed', changed: 3, cost: { roundTrips: 3 } })
    expect(run.of('proved', 'h1')).toHaveLength(2)
    const gid = (await lab.exec(host(1), 'getent group late | cut -d: -f3')).trim()
    expect(gid).toMatch(/^\d+$/)
    expect(await lab.exec(host(1), 'cat /srv/data/gid /srv/data/gid-again')).toBe(`gid=${gid}\n`.repeat(2))

    const again = await drive(lab, 'converge', options)
    expect(again.ended('h1')).toMatchObject({ outcome: 'ok', changed: 0, cost: { roundTrips: 1 } })
  })

  test('an approved run does what was shown, unknown values filled in', async () => {
    desk.file('gid2.j2', "gid={{ host.group('later').gid }}\n")
    const playbook = desk.playbook({
      tasks: [
        { group: { name: 'later' } },
        { template: { src: 'gid2.j2', dest: '/srv/data/gid2', ...rooted } },
      ],
    })
    let asked = 0
    const run = await drive(lab, 'converge', {
      limit: 'h1',
      playbook,
      approve: (plans) => {
        asked += plans.length
        return Promise.resolve(true)
      },
    })
    expect(asked).toBe(1)
    expect(run.of('widened')).toEqual([])
    expect(run.exitCode).toBe(0)
    expect(run.ended('h1')).toMatchObject({ outcome: 'changed', changed: 2 })
  })

  test('a plan that is not approved changes nothing', async () => {
    const before = await listing(lab, host(1))
    const run = await drive(lab, 'converge', {
      limit: 'h1',
      playbook: desk.playbook({ tasks: [line('declined', 'x')] }),
      approve: () => Promise.resolve(false),
    })
    expect(run.ended('h1')).toMatchObject({ outcome: 'stopped', changed: 0 })
    expect(run.exitCode).not.toBe(0)
    expect(touched(before, await listing(lab, host(1)))).toEqual([])
  })

  test('what came up while a person read is not done', async () => {
    await lab.exec(host(1), 'echo old >/srv/data/shown; chmod 0644 /srv/data/shown')
    const playbook = desk.playbook({ tasks: [line('shown', 'new\n'), line('other', 'made\n')] })
    await lab.exec(host(1), 'echo made >/srv/data/other; chmod 0644 /srv/data/other')
    const run = await drive(lab, 'converge', {
      limit: 'h1',
      playbook,
      approve: async () => {
        await lab.exec(host(1), 'chmod 0666 /srv/data/shown')
        return true
      },
    })
    // The guard of the change that was shown sees it: nothing is written over what nobody looked at.
    expect(run.of('conflict', 'h1')).toHaveLength(1)
    expect(run.problem('h1').message).toContain('/srv/data/shown')
    expect(run.exitCode).toBe(4)
    expect(await lab.exec(host(1), 'cat /srv/data/shown; stat -c %a /srv/data/shown')).toBe('old\n666\n')
  })
})

describe('refused before any connection', () => {
  const nobody: Connect = (name) => {
    throw new Error(`expected no connection, found one to ${name}`)
  }

  const text = (...tasks: readonly string[]): string =>
    `- hosts: all\n  tasks:\n${tasks.map((each) => `    ${each}\n`).join('')}`
  const wrong: Readonly<Record<string, readonly [string, string, RegExp]>> = {
    'an unknown key': [
      text('- directory: {path: /srv/x, owner: root, group: root, mode: "0755", recurse: true}'),
      'document.unknown-key',
      /recurse/,
    ],
    'an unknown key of a task': [
      text('- directory: {path: /srv/x, owner: root, group: root, mode: "0755"}', '  notfy: [x]'),
      'document.unknown-key',
      /notfy/,
    ],
    'an unquoted mode': [
      text('- directory: {path: /srv/x, owner: root, group: root, mode: 0755}'),
      'document.syntax',
      /expected a quoted octal mode, found 0755/,
    ],
    'a misspelt handler': [
      `${text('- directory: {path: /srv/x, owner: root, group: root, mode: "0755"}', '  notify: restrat')}  handlers:
    - name: restart
      unit: {name: counted.service, state: restarted}\n`,
      'playbook.unknown-handler',
      /restrat/,
    ],
    'a misspelt module': [
      text('- directry: {path: /srv/x, owner: root, group: root, mode: "0755"}'),
      'playbook.unknown-module',
      /directry/,
    ],
    'a duplicate key': [
      text('- directory: {path: /srv/x, owner: root, group: root, mode: "0755", mode: "0700"}'),
      'document.syntax',
      /mode|unique/i,
    ],
    'an undefined variable': [
      text('- directory: {path: "/srv/{{ nowhere }}", owner: root, group: root, mode: "0755"}'),
      'template.undefined',
      /nowhere/,
    ],
    'a pattern that matches nothing': [
      text('- directory: {path: /srv/x, owner: root, group: root, mode: "0755"}').replace('all', 'h9'),
      'inventory.pattern',
      /h9/,
    ],
    'two tasks that contradict each other': [
      text(
        '- directory: {path: /srv/x, owner: root, group: root, mode: "0755"}',
        '- directory: {path: /srv/x, owner: root, group: root, mode: "0700"}',
      ),
      'module.conflict',
      /\/srv\/x/,
    ],
  }

  test.each(Object.entries(wrong))('%s', async (_, [book, code, says]) => {
    const playbook = desk.file('wrong.yml', book)
    for (const command of ['plan', 'converge'] as const) {
      const error: unknown = await drive(lab, command, { playbook, connect: nobody }).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(problemsOf(error)).toContainEqual([code, expect.stringMatching(says), true])
    }
  })

  test('an empty secret, which a plan does not open', async () => {
    const secret = desk.file('empty', '')
    const playbook = desk.playbook({
      secrets: { token: { file: secret } },
      tasks: [{ copy: { dest: '/srv/data/token', content: '{{ token }}', ...rooted, mode: '0600' } }],
    })
    const error: unknown = await drive(lab, 'converge', { playbook, connect: nobody }).catch(
      (reason: unknown) => reason,
    )
    expect(problemsOf(error)).toContainEqual(['secret.empty', expect.stringContaining(secret), true])
    const plan = await drive(lab, 'plan', { playbook, limit: 'h1' })
    expect(plan.exitCode).toBe(2)
  })

  test('a secret that others may read', async () => {
    const secret = desk.file('open', 'not so secret')
    chmodSync(secret, 0o644)
    const playbook = desk.playbook({
      secrets: { token: { file: secret } },
      tasks: [{ copy: { dest: '/srv/data/token', content: '{{ token }}', ...rooted, mode: '0600' } }],
    })
    const error: unknown = await drive(lab, 'converge', { playbook, connect: nobody }).catch(
      (reason: unknown) => reason,
    )
    expect(problemsOf(error)).toContainEqual(['secret.exposed', expect.stringContaining(secret), true])
  })
})

/** Code, message with hint, and whether there is a place, of each error that was thrown. */
function problemsOf(error: unknown): readonly (readonly [string, string, boolean])[] {
  const all: readonly unknown[] =
    typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors)
      ? error.errors
      : [error]
  return all.map((each) => {
    if (!(each instanceof Error) || !('code' in each) || typeof each.code !== 'string') throw each
    return [each.code, each.message, 'place' in each && each.place !== undefined]
  })
}

describe('refused at the host', () => {
  test('another host key than the one on record', async () => {
    const inventory = desk.file(
      'inventory.yml',
      readFileSync(lab.inventoryFile, 'utf8').replace(lab.knownHostsFile, `${desk.folder}/known_hosts`),
    )
    const other = host(2).knownHostLine.split(' ').slice(1).join(' ')
    writeFileSync(
      `${desk.folder}/known_hosts`,
      lab.hosts
        .map((each) =>
          each.name === 'h1' ? each.knownHostLine.replace(each.hostKey, other) : each.knownHostLine,
        )
        .join('\n'),
    )
    const before = await listing(lab, host(1))
    const run = await drive(lab, 'converge', {
      inventory,
      playbook: desk.playbook({ tasks: [line('key', 'x')] }),
      limit: 'h1,h3',
    })
    expect(run.problem('h1').code).toBe('transport.host-key-changed')
    expect(run.ended('h3').outcome).toBe('changed')
    expect(run.exitCode).toBe(8)
    expect(touched(before, await listing(lab, host(1)))).toEqual([])
  })

  test('a second writer is told who writes and since when, and does nothing', async () => {
    const slow = desk.playbook({
      tasks: [{ command: { argv: ['sleep', '3'], always: true } }, line('first', 'first\n')],
    })
    const second = desk.playbook({ tasks: [line('second', 'second\n')] })
    let begun: () => void = () => undefined
    const acting = new Promise<void>((resolve) => (begun = resolve))
    const writing = drive(lab, 'converge', {
      limit: 'h2',
      playbook: slow,
      operator: 'alice@laptop',
      onEvent: ({ type }) => {
        if (type === 'acting') begun()
      },
    })
    await acting
    const refused = await drive(lab, 'converge', { limit: 'h2', playbook: second, operator: 'bob@desk' })
    expect(refused.exitCode & 16).toBe(16)
    expect(refused.problem('h2').message).toMatch(
      /expected to be the only writer, found alice@laptop since \d{4}-\d\d-\d\dT/,
    )
    expect(refused.done('h2')).toEqual([])
    expect(await lab.exec(host(2), 'ls /srv/data')).not.toContain('second')
    // Reading takes no lock.
    expect((await drive(lab, 'plan', { limit: 'h2', playbook: second })).exitCode).toBe(2)

    expect((await writing).exitCode).toBe(0)
    expect((await drive(lab, 'converge', { limit: 'h2', playbook: second })).exitCode).toBe(0)
    expect(await lab.exec(host(2), 'cat /srv/data/first /srv/data/second')).toBe('first\nsecond\n')
  })
})

describe('handlers', () => {
  const restart = { name: 'restart counted', unit: { name: 'counted.service', state: 'restarted' } }
  const book = (content: string): string =>
    desk.playbook({
      tasks: [
        line('a', content, { notify: 'restart counted' }),
        line('b', content, { notify: 'restart counted' }),
        line('c', 'always the same\n'),
      ],
      handlers: [restart],
    })

  test('two notify, one restart, at the end', async () => {
    const before = await starts(host(1))
    const run = await drive(lab, 'converge', { limit: 'h1', playbook: book('one\n') })
    expect(run.of('failed')).toEqual([])
    expect(run.done('h1').at(-1)).toMatch(/^unit-restarted:counted.service@/)
    expect(run.done('h1')).toHaveLength(4)
    expect(await starts(host(1))).toBe(before + 1)
    const again = await drive(lab, 'converge', { limit: 'h1', playbook: book('one\n') })
    expect(again.ended('h1')).toMatchObject({ outcome: 'ok', changed: 0 })
    expect(await starts(host(1))).toBe(before + 1)
  })

  test('cut off between a change and its handler: the next plan shows what is owed, the next run pays it', async () => {
    // What follows the change takes longer than the news of the cut, so the handler does not come to run.
    const nap = {
      command: { argv: ['/bin/sh', '-c', 'sleep 1; : >/srv/data/slept'], creates: '/srv/data/slept' },
    }
    const playbook = desk.playbook({
      tasks: [line('a', 'two\n', { notify: 'restart counted' }), nap, line('later', 'x\n')],
      handlers: [restart],
    })
    const before = await starts(host(2))
    await using connector = createConnector()
    // Of a cluster of its own: the cut would hit the questions to its peers as well.
    const alone = { limit: 'h2', playbook, apart: true } as const
    // The host answers a write frame with a mark for each change; the connection ends after the first of them.
    const received = (await drive(lab, 'plan', alone)).ended('h2').cost.bytesReceived
    const cut = await drive(lab, 'converge', {
      ...alone,
      connect: cutAfter(connector.connect, { bytesReceived: received + 90 }),
    })
    expect(cut.exitCode & 12).not.toBe(0)
    expect(cut.ended('h2').outcome).not.toBe('ok')
    await settled(host(2))
    expect(await lab.exec(host(2), 'cat /srv/data/a')).toBe('two\n')
    expect(await lab.exec(host(2), 'ls /srv/data')).not.toContain('later')
    expect(await starts(host(2))).toBe(before)

    const plan = await drive(lab, 'plan', { limit: 'h2', playbook })
    expect(plan.exitCode).toBe(2)
    expect(plan.planned('h2').join('\n')).toMatch(/unit-restarted:counted.service restart not done -> done/)
    const next = await drive(lab, 'converge', { limit: 'h2', playbook })
    expect(next.exitCode).toBe(0)
    expect(await starts(host(2))).toBe(before + 1)
    expect((await drive(lab, 'plan', { limit: 'h2', playbook })).exitCode).toBe(0)
  })
})

/** Waits until no shell of ours runs on a host any more. */
async function settled(on: LabHost): Promise<void> {
  await lab.exec(on, 'while pgrep -f "KMSFLEET 1 BEGIN" >/dev/null; do sleep 0.05; done')
}

describe('register, when and loop', () => {
  test('a task that is skipped, one that follows another change, and one for each element', async () => {
    const playbook = desk.playbook({
      vars: { names: ['l1', 'l2', 'l3'] },
      tasks: [
        line('when', 'x\n', { register: 'made' }),
        line('follows', 'x\n', { when: 'made.changed' }),
        line('never', 'x\n', { when: 'inventory_hostname == "h9"' }),
        line('{{ item }}', '{{ item }}\n', { loop: '{{ names }}', name: 'Loop over {{ item }}' }),
        { command: { argv: ['cat', '/srv/data/l1'], always: true }, register: 'read' },
        line('read', 'it said {{ read.stdout }}', { when: "read.rc == 0 and read.stdout == 'l1\\n'" }),
      ],
    })
    const run = await drive(lab, 'converge', { limit: 'h3', playbook })
    expect(run.of('failed')).toEqual([])
    expect(run.exitCode).toBe(0)
    expect(
      await lab.exec(
        host(3),
        'cd /srv/data; cat when follows l1 l2 l3 read; ls never 2>/dev/null || echo none',
      ),
    ).toBe('x\nx\nl1\nl2\nl3\nit said l1\nnone\n')
    expect(run.planned('h3')).toContain('file:/srv/data/l2 mode absent -> 0644')
    expect(run.keys('h3').some((key) => key.startsWith('undecided@'))).toBe(true)
  })
})

describe('batches, budgets and stopping', () => {
  const batches = (run: Awaited<ReturnType<typeof drive>>): readonly (readonly string[])[] =>
    run.of('batch-started').map(({ hosts }) => hosts)

  test('serial: one batch ends before the next begins', async () => {
    const run = await drive(lab, 'converge', {
      playbook: desk.playbook({ serial: [1, '50%'], tasks: [line('serial', 'x\n')] }),
    })
    expect(run.exitCode).toBe(0)
    expect(batches(run)).toEqual([['h1'], ['h2', 'h3'], ['h4']])
    const order = run.events.flatMap((event) =>
      event.type === 'connecting' || event.type === 'host-ended' ? [`${event.type} ${event.host}`] : [],
    )
    expect(order.indexOf('host-ended h1')).toBeLessThan(order.indexOf('connecting h2'))
    expect(Math.max(order.indexOf('host-ended h2'), order.indexOf('host-ended h3'))).toBeLessThan(
      order.indexOf('connecting h4'),
    )
  })

  test('max_fail_percentage: an unreachable host counts, and the rest is not run', async () => {
    const inventory = desk.file(
      'unreachable.yml',
      readFileSync(lab.inventoryFile, 'utf8').replace(
        `ansible_host: ${host(2).address}`,
        'ansible_host: 127.77.255.1',
      ),
    )
    const run = await drive(lab, 'converge', {
      inventory,
      playbook: desk.playbook({ serial: 2, max_fail_percentage: 20, tasks: [line('budget', 'x\n')] }),
    })
    expect(run.ended('h1').outcome).toBe('changed')
    expect(run.ended('h2').outcome).toBe('unreachable')
    expect(run.of('rail')).toHaveLength(1)
    expect(run.of('connecting').map((event) => event.host)).toEqual(['h1', 'h2'])
    expect(run.exitCode).toBe(8 + 16)
    expect(await lab.exec(host(3), '[ ! -e /srv/data/budget ] && echo none')).toBe('none\n')
  })

  test('stop: the change in hand is finished, the rest is told as not run', async () => {
    const stop = new AbortController()
    const run = await drive(lab, 'converge', {
      playbook: desk.playbook({
        serial: 1,
        tasks: [
          { command: { argv: ['/bin/sh', '-c', 'sleep 2; echo done >/srv/data/in-hand'], always: true } },
          line('after-stop', 'x\n'),
        ],
      }),
      limit: 'h1,h2',
      stop: stop.signal,
      onEvent: ({ type }) => {
        if (type === 'acting') stop.abort()
      },
    })
    expect(run.exitCode).toBe(130)
    expect(run.ended('h1')).toMatchObject({ outcome: 'stopped', changed: 1 })
    expect(run.done('h1')).toHaveLength(1)
    expect(run.of('stopped', 'h1').map(({ change }) => change)).toEqual([run.keys('h1')[1]])
    expect(run.of('connecting').map((event) => event.host)).toEqual(['h1'])
    expect(
      await lab.exec(host(1), 'cat /srv/data/in-hand; ls /srv/data/after-stop 2>/dev/null || echo none'),
    ).toBe('done\nnone\n')
    // The stop was for that run alone.
    const next = await drive(lab, 'converge', {
      limit: 'h1',
      playbook: desk.playbook({ tasks: [line('after-stop', 'x\n')] }),
    })
    expect(next.exitCode).toBe(0)
  })

  test('the command line: Ctrl-C finishes what is in hand and exits with 130; nobody there exits with 8', async () => {
    const playbook = desk.playbook({
      tasks: [
        {
          command: {
            argv: ['/bin/sh', '-c', 'echo >/srv/data/begun; sleep 2; echo >/srv/data/ended'],
            always: true,
          },
        },
        line('after-interrupt', 'x\n'),
      ],
    })
    const reach = ['-i', lab.inventoryFile, '--limit', 'h3']
    const run = startKmsfleet(desk.folder, 'converge', '--yes', '--format', 'jsonl', ...reach, playbook)
    await run.says('"acting"')
    run.interrupt()
    const end = await run.end
    expect(end.code).toBe(130)
    expect(end.stdout).toContain('"outcome":"stopped"')
    expect(
      await lab.exec(host(3), 'cd /srv/data; ls ended; ls after-interrupt 2>/dev/null || echo none'),
    ).toBe('ended\nnone\n')

    const away = desk.file(
      'away.yml',
      readFileSync(lab.inventoryFile, 'utf8').replace(
        `ansible_host: ${host(3).address}`,
        'ansible_host: 127.77.255.1',
      ),
    )
    const known = desk.file('away_known', `[127.77.255.1]:${String(host(3).port)} ${host(3).hostKey}\n`)
    const nobody = await kmsfleet(
      desk.folder,
      ...['plan', '-i', away, '--limit', 'h3', '-e', `ansible_ssh_known_hosts_file=${known}`, playbook],
    )
    expect(nobody.code).toBe(8)
    expect(nobody.stdout + nobody.stderr).toContain('h3')
  })

  test('restarts in a cluster come one after the other', async () => {
    const book = (nice: number): string =>
      desk.playbook({
        tasks: [
          {
            copy: {
              dest: '/etc/systemd/system/serial.service',
              content: `[Service]\nType=exec\nNice=${String(nice)}\nExecStart=/usr/bin/sleep infinity\n`,
              ...rooted,
            },
          },
          { unit: { name: 'serial.service', state: 'started' } },
        ],
      })
    expect((await drive(lab, 'converge', { playbook: book(1) })).exitCode).toBe(0)
    const run = await drive(lab, 'converge', { playbook: book(2) })
    expect(run.exitCode).toBe(0)
    const order = run.events.flatMap((event) =>
      (event.type === 'acting' || event.type === 'done') &&
      event.change.startsWith('unit:') &&
      event.host !== 'h4'
        ? [`${event.type} ${event.host}`]
        : [],
    )
    expect(order).toHaveLength(6)
    for (const [index, said] of order.entries()) {
      if (index % 2 === 0) expect(said).toMatch(/^acting /)
      else expect(said).toBe(order[index - 1]?.replace('acting', 'done'))
    }
  })

  test('a restart that fails on one host of a cluster is not tried on the next', async () => {
    const unit = (exec: string): string => `[Service]\nType=exec\nExecStart=${exec}\n`
    const book = (exec: string): string =>
      desk.playbook({
        tasks: [
          {
            copy: { dest: '/etc/systemd/system/gated.service', content: unit(exec), ...rooted },
          },
          { unit: { name: 'gated.service', state: 'started', within: 3 } },
        ],
      })
    const limit = 'h1,h2,h3'
    expect(
      (await drive(lab, 'converge', { limit, playbook: book('/usr/bin/sleep infinity') })).exitCode,
    ).toBe(0)
    const invocations = (): Promise<readonly string[]> =>
      Promise.all(
        [1, 2, 3].map((index) =>
          lab.exec(host(index), 'systemctl is-active gated; systemctl show -p InvocationID --value gated'),
        ),
      )
    const before = await invocations()
    const run = await drive(lab, 'converge', { limit, playbook: book('/usr/bin/false') })
    const ends = ['h1', 'h2', 'h3'].map((name) => run.problem(name).code)
    expect(ends.filter((code) => code === 'host.change-failed')).toHaveLength(1)
    expect(ends.filter((code) => code === 'run.rail')).toHaveLength(2)
    expect(run.exitCode).toBe(4 + 16)
    // Where it failed the unit of before is back and runs anew; where it was not tried the service never stopped.
    const after = await invocations()
    expect(after.map((state) => state.split('\n')[0])).toEqual(['active', 'active', 'active'])
    expect(after.filter((state, index) => state !== before[index])).toHaveLength(1)
  })
})
