import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import type { WriteOp } from '../../../src/model/wire.ts'
import { shells } from '../local-shell.ts'
import { changesOf, detailOf, last, send, testHost } from './host.ts'
import type { TestHost } from './host.ts'

/** Gives the host an /etc of its own with only what accounts need. */
function ownAccounts(host: TestHost): void {
  host.run(`mkdir ${host.base}/etc && cd /etc &&
cp -a passwd group shadow gshadow login.defs nsswitch.conf pam.d security ${host.base}/etc/ &&
mount --bind ${host.base}/etc /etc`)
}

const group: WriteOp = { op: 'group-add', name: 'kfgroup', gid: 4711, system: true }
const user: WriteOp = {
  op: 'user-add',
  name: 'kfuser',
  uid: 4712,
  group: 'kfgroup',
  gecos: 'A "quoted" 100% user',
  home: '/nonexistent',
  shell: '/usr/sbin/nologin',
  system: true,
}

// busybox of Debian has neither addgroup nor adduser: the shells that run with the tools of the system
describe.each(shells.filter(({ name }) => name !== 'busybox'))('$name', (shell) => {
  it('makes a group and a user, sets and locks, adds and removes members', async () => {
    await using host = await testHost(shell)
    ownAccounts(host)
    await using session = await host.open()
    const said = await send(
      session,
      changesOf(
        group,
        user,
        { op: 'group-add', name: 'kfsecond', system: true },
        { op: 'group-members', name: 'kfsecond', add: ['kfuser', 'daemon'], remove: [] },
        { op: 'group-members', name: 'kfsecond', add: [], remove: ['daemon'] },
        { op: 'group-members', name: 'kfsecond', add: ['bin', 'sys'], remove: ['kfuser'] },
        { op: 'group-members', name: 'kfsecond', add: ['kfuser'], remove: ['bin', 'sync', 'sys'] },
        { op: 'user-set', name: 'kfuser', gecos: '', shell: '/bin/false', lock: true },
      ),
    )
    expect(said.reports.filter(({ says }) => says !== 'doing')).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((change) => ({ change, says: 'done' })),
    )
    expect(host.run('grep -h ^kf /etc/passwd')).toBe('kfuser:x:4712:4711::/nonexistent:/bin/false\n')
    expect(host.run("grep -h ^kf /etc/group | sed 's/:[0-9]*:/:N:/'")).toBe(
      'kfgroup:x:N:\nkfsecond:x:N:kfuser\n',
    )
    expect(host.run('grep -h ^kfuser: /etc/shadow')).toMatch(/^kfuser:!/)
  })

  it('refuses a taken id, and an account that appeared since the probe', async () => {
    await using host = await testHost(shell)
    ownAccounts(host)
    await using session = await host.open()
    const taken = await send(session, changesOf({ ...group, gid: 1 }))
    expect(last(taken)).toMatchObject({ says: 'failed', step: 'group' })
    expect(detailOf(taken)).toContain('daemon has it')
    const there = await send(session, changesOf({ ...user, name: 'daemon' }))
    expect(last(there)).toMatchObject({ says: 'conflict' })
    expect(host.run('grep -c ^kf /etc/group /etc/passwd')).toBe('/etc/group:0\n/etc/passwd:0\n')
  })

  it('removes a user and groups that nobody needs, of the number that was probed, and no other', async () => {
    await using host = await testHost(shell)
    ownAccounts(host)
    await using session = await host.open()
    const second: WriteOp = { op: 'group-add', name: 'kfsecond', gid: 4713, system: true }
    await send(session, changesOf(group, user, second))
    const removal: WriteOp = { op: 'user-remove', name: 'kfuser', uid: 4712 }
    const emptied: WriteOp = { op: 'group-remove', name: 'kfgroup', gid: 4711 }
    const lists = 'cat /etc/passwd /etc/group /etc/shadow /etc/gshadow | grep -c kf'
    const before = host.run(lists)

    const renumbered = await send(session, changesOf({ ...removal, uid: 4711 }))
    expect(last(renumbered)).toMatchObject({ says: 'conflict' })
    const primary = await send(session, changesOf(emptied))
    expect(detailOf(primary)).toBe(
      "expected kfgroup to be nobody's primary group, found that it is that of kfuser",
    )
    const running = spawn('setpriv', ['--reuid', '4712', '--clear-groups', 'sleep', '100'])
    await once(running, 'spawn')
    await vi.waitFor(() => {
      expect(readFileSync(`/proc/${String(running.pid)}/status`, 'utf8')).toContain('4712')
    })
    const used = await send(session, changesOf(removal))
    expect(detailOf(used)).toBe(`expected no process of kfuser, found process ${String(running.pid)}`)
    running.kill()
    await once(running, 'exit')
    expect(host.run(lists)).toBe(before)

    const twice = changesOf(
      removal,
      emptied,
      { op: 'group-remove', name: 'kfsecond', gid: 4713 },
      removal,
      emptied,
    )
    const said = await send(session, twice)
    expect(said.reports.filter(({ says }) => says !== 'doing')).toEqual(
      twice.map(({ id }) => ({ change: id, says: 'done' })),
    )
    expect(host.run(lists)).toBe('0\n')
  })

  it('uses systemd-sysusers where there is no groupadd and no useradd', async () => {
    await using host = await testHost(shell)
    ownAccounts(host)
    host.run('for f in /usr/sbin/groupadd /usr/sbin/useradd; do mount --bind /dev/null $f; done')
    await using session = await host.open()
    const said = await send(session, changesOf(group, user, { ...group, name: 'kfother' }))
    expect(said.reports.filter(({ says }) => says !== 'doing')).toMatchObject([
      { change: 1, says: 'done' },
      { change: 2, says: 'done' },
      // it would take another id without a word
      { change: 3, says: 'failed', step: 'group' },
    ])
    expect(host.run('grep -h ^kf /etc/passwd /etc/group')).toBe(
      'kfuser:x:4712:4711:A "quoted" 100% user:/nonexistent:/usr/sbin/nologin\nkfgroup:x:4711:\n',
    )
  })
})
