import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Attempt } from '../../../src/model/access.ts'
import type { Identity } from '../../../src/model/identity.ts'
import type { EntriesState, TrialState, Try } from '../../../src/model/process.ts'
import { openSession, type Session } from '../../../src/shell/session.ts'
import { localChannel, shells } from '../local-shell.ts'
import { ask, openHere, present, rootFolder } from './host.ts'
import { start, type Running } from './pods.ts'
import { testHost } from '../write/host.ts'

/** Whom each host can make us: busybox has no tool that takes numbers, and knows accounts only. */
const numbers: Identity = { by: 'number', uid: 5201, gid: 5202, groups: [5203, 5204] }
const account: Identity = { by: 'account', user: 'nobody' }

async function trial(session: Session, tries: readonly Try[], as: Identity): Promise<TrialState> {
  const { attempts } = await ask(session, [{ atom: 'attempts', key: 'k', as, tries }])
  const [found] = present<readonly TrialState[]>(attempts.get('k'))
  if (found === undefined) throw new Error('expected a trial')
  return found
}

const untold = 'unknown this host has no way to try it without a trace'

/** One word for each attempt. */
const words = (attempts: readonly Attempt[]): readonly string[] =>
  attempts.map((each) =>
    each.is === 'denied' ? each.errno : each.is === 'unknown' ? `unknown ${each.detail}` : each.is,
  )

async function listen(path: string): Promise<AsyncDisposable & { connections(): number }> {
  let seen = 0
  const server = createServer(() => (seen += 1))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    connections: () => seen,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) =>
        server.close(() => {
          resolve()
        }),
      ),
  }
}

describe.each(shells)('$name', (shell) => {
  const busybox = shell.name === 'busybox'

  it('says of each action what the kernel says, and leaves everything as it was', async () => {
    using folder = rootFolder()
    const [me, ours] = busybox ? [65534, 65534] : [5201, 5203]
    const at = (name: string): string => join(folder.path, name)
    const make = (name: string, mode: number, uid = 0, gid = 0): string => {
      writeFileSync(at(name), 'x')
      chownSync(at(name), uid, gid)
      chmodSync(at(name), mode)
      return at(name)
    }
    const directory = (name: string, mode: number, uid = 0): string => {
      mkdirSync(at(name))
      chownSync(at(name), uid, 0)
      chmodSync(at(name), mode)
      return at(name)
    }
    const shut = directory('shut', 0o700)
    const wide = directory('open', 0o777)
    const sticky = directory('sticky', 0o1777)
    make('shut/file', 0o666)
    make('open/file', 0o600)
    make('sticky/file', 0o666)
    make('sticky/own', 0o600, me)
    make('grant', 0o600)
    execFileSync('setfacl', ['-m', `u:${String(me)}:r`, at('grant')])
    make('refuse', 0o644)
    execFileSync('setfacl', ['-m', `u:${String(me)}:-`, at('refuse')])
    await using good = await listen(at('good'))
    await using bad = await listen(at('bad'))
    chmodSync(at('good'), 0o660)
    chownSync(at('good'), 0, ours)
    chmodSync(at('bad'), 0o660)
    execFileSync('mkfifo', ['-m', '666', at('fifo')])
    symlinkSync('grant', at('link'))
    const run = make('run', 0o755)
    const cases: readonly (readonly [Try['action'], string, string])[] = [
      ['connect', at('good'), 'granted'],
      ['connect', at('bad'), 'EACCES'],
      ['connect', at('none'), 'missing'],
      ['connect', run, 'unknown it is no socket'],
      ['read', make('group', 0o640, 0, ours), 'granted'],
      ['read', make('closed', 0o600), 'EACCES'],
      ['read', at('grant'), 'granted'],
      ['read', at('link'), 'granted'],
      ['read', at('refuse'), 'EACCES'],
      ['read', at('shut/file'), 'EACCES'],
      ['read', at('none'), 'missing'],
      ['read', at('run/below'), 'missing'],
      ['read', wide, 'granted'],
      ['read', at('fifo'), busybox ? untold : 'granted'],
      ['write', make('mine', 0o200, me), 'granted'],
      ['write', at('grant'), 'EACCES'],
      ['write', at('sticky/file'), 'granted'],
      ['traverse', wide, 'granted'],
      ['traverse', shut, 'EACCES'],
      ['traverse', run, 'missing'],
      ['create', wide, 'granted'],
      ['create', sticky, 'granted'],
      ['create', shut, 'EACCES'],
      ['create', folder.path, 'EACCES'],
      ['create', '/proc/sys', 'unknown nothing can be made in this file system'],
      ['replace', at('open/file'), 'granted'],
      ['replace', shut, 'EACCES'],
      ['replace', at('sticky/file'), 'EPERM'],
      ['replace', at('sticky/own'), 'granted'],
      ['replace', at('none'), 'missing'],
      ['execute', run, busybox ? untold : 'granted'],
      ['execute', at('grant'), busybox ? untold : 'EACCES'],
    ]
    const listing = (): string =>
      execFileSync('find', [folder.path, '-printf', '%p %m %U %G %i %T@ %C@ %s\n'], { encoding: 'utf8' })
    const before = listing()
    await using session = await openHere(shell)
    const found = await trial(
      session,
      cases.map(([action, path]) => (action === 'signal' ? { action, process: '' } : { action, path })),
      busybox ? account : numbers,
    )
    expect(words(found.attempts).map((word, index) => [...(cases[index]?.slice(0, 2) ?? []), word])).toEqual(
      cases,
    )
    expect(listing()).toBe(before)
    expect(good.connections() + bad.connections()).toBe(0)
    expect(found.identity).toMatchObject(
      busybox ? { uid: 65534, gid: 65534 } : { uid: 5201, gid: 5202, groups: [5203, 5204] },
    )
    expect(found.selfReported).toBe(busybox)
  })

  it.skipIf(busybox)(
    'takes the capabilities of root apart: with none it is refused what its owner is, and with one it is not',
    async () => {
      await using host = await testHost(shell)
      const uid = randomUUID()
      const pods = ['bare', 'override', 'user', 'tracer']
      host.run(
        `mount -t tmpfs tmpfs /var/log; ${pods.map((pod) => `mkdir -p /var/log/pods/one_${pod}_${uid.slice(1)}${String(pods.indexOf(pod))}`).join(';')}`,
      )
      const group = (pod: string): string =>
        `/kubepods/pod${uid.slice(1)}${String(pods.indexOf(pod))}/${randomBytes(32).toString('hex')}`
      const as = (set: string, id: string): readonly string[] => [
        ...[
          'setpriv',
          `--bounding-set=${set}`,
          `--inh-caps=${set}`,
          `--ambient-caps=${set}`,
          `--reuid=${id}`,
          '--regid=7',
          '--clear-groups',
        ],
        ...['--', '/bin/sh', '-c', 'echo up; exec sleep 1000'],
      ]
      await using bare = await start(as('-all', '0'), group('bare'))
      await using override = await start(as('-all,+dac_override', '0'), group('override'))
      await using user = await start(as('-all,+dac_read_search', '5201'), group('user'))
      await using tracer = await start(as('-all,+sys_ptrace', '5201'), group('tracer'))
      const file = join(host.base, 'file')
      writeFileSync(file, 'x')
      chownSync(file, 5209, 5209)
      chmodSync(file, 0o400)
      const tries: readonly Try[] = [
        { action: 'read', path: file },
        { action: 'write', path: file },
        { action: 'signal', process: 'user' },
      ]
      await using session = await host.open()
      const { attempts } = await ask(
        session,
        pods.flatMap((key) => [
          { atom: 'process', key, of: { by: 'pod', namespace: 'one', name: key } } as const,
          { atom: 'attempts', key, as: { by: 'process', key }, tries } as const,
        ]),
      )
      const of = (key: string): readonly unknown[] =>
        present<readonly TrialState[]>(attempts.get(key)).map((each) => [
          each.pid,
          each.selfReported,
          ...words(each.attempts),
        ])
      expect(of('bare')).toEqual([[bare.pid, false, 'EACCES', 'EACCES', 'EPERM']])
      expect(of('override')).toEqual([[override.pid, false, 'granted', 'granted', 'EPERM']])
      expect(of('user')).toEqual([[user.pid, false, 'granted', 'EACCES', 'granted']])
      expect(of('tracer')).toMatchObject([[tracer.pid, true, 'EACCES', 'EACCES', 'granted']])
    },
  )

  it.skipIf(busybox)(
    'is guarded by another capability where the host has not the first, and by none where it has neither',
    async () => {
      await using host = await testHost(shell)
      const ids = new Map(['plain', 'waker', 'caster'].map((pod) => [pod, randomUUID()]))
      host.run(
        `mount -t tmpfs tmpfs /var/log; ${[...ids].map(([pod, id]) => `mkdir -p /var/log/pods/one_${pod}_${id}`).join(';')}`,
      )
      const running = (pod: string, set: string): Promise<Running> =>
        start(
          [
            ...['setpriv', `--inh-caps=${set}`, `--ambient-caps=${set}`, '--reuid=5201', '--regid=7'],
            ...['--clear-groups', '--', '/bin/sh', '-c', 'echo up; exec sleep 1000'],
          ],
          `/kubepods/pod${ids.get(pod) ?? ''}/${randomBytes(32).toString('hex')}`,
        )
      await using plain = await running('plain', '-all')
      await using waker = await running('waker', '-all,+wake_alarm')
      await using caster = await running('caster', '-all,+net_broadcast')
      expect([plain, waker, caster].every(({ pid }) => pid > 0)).toBe(true)
      const selfReported = async (dropped: string): Promise<readonly unknown[]> => {
        const command = `setpriv --bounding-set=${dropped} -- ${host.command}`
        await using session = await openSession(localChannel(command), new AbortController().signal)
        const { attempts } = await ask(
          session,
          [...ids.keys()].flatMap((key) => [
            { atom: 'process', key, of: { by: 'pod', namespace: 'one', name: key } } as const,
            {
              ...{ atom: 'attempts', key, as: { by: 'process', key } },
              tries: [{ action: 'read', path: '/etc/shadow' }],
            } as const,
          ]),
        )
        return [...ids.keys()].map((key) => {
          const [found] = present<readonly TrialState[]>(attempts.get(key))
          return [found?.selfReported, ...words(found?.attempts ?? [])].join(' ')
        })
      }
      const [guarded, own] = ['false EACCES', 'true EACCES']
      expect(await selfReported('+wake_alarm')).toEqual([guarded, own, guarded])
      expect(await selfReported('-wake_alarm')).toEqual([guarded, guarded, own])
      expect(await selfReported('-wake_alarm,-net_broadcast')).toEqual([own, own, own])
    },
  )

  it.skipIf(busybox)(
    'tries in the mount namespace of a process with the programs of the host, and over no link',
    async () => {
      await using host = await testHost(shell)
      const uid = randomUUID()
      const root = join(host.base, 'root')
      host.run(`mount -t tmpfs tmpfs /var/log; mkdir -p /var/log/pods/one_api_${uid}`)
      for (const name of ['bin', 'usr/bin', 'usr/sbin', 'sbin', 'etc', 'tmp'])
        mkdirSync(join(root, name), { recursive: true })
      chmodSync(join(root, 'tmp'), 0o777)
      cpSync('/usr/bin/busybox', join(root, 'bin/busybox'))
      for (const name of [
        'bin/sh',
        'usr/bin/setpriv',
        'usr/bin/env',
        'usr/bin/stat',
        'usr/bin/mknod',
        'usr/bin/timeout',
        'bin/stat',
      ]) {
        writeFileSync(join(root, name), '#!/bin/busybox sh\necho hit >>/tmp/hit; chmod 666 /tmp/hit\n')
        chmodSync(join(root, name), 0o755)
      }
      writeFileSync(join(root, 'etc/open'), 'x')
      writeFileSync(join(root, 'etc/shut'), 'x')
      chmodSync(join(root, 'etc/shut'), 0o600)
      // on the host's own /etc these would be there
      symlinkSync('/etc/passwd', join(root, 'etc/passwd'))
      symlinkSync('/etc', join(root, 'other'))
      const argv = [
        'unshare',
        '-m',
        'chroot',
        '--userspec=5301:5302',
        '--groups=5303',
        root,
        '/bin/busybox',
        'sh',
        '-c',
        'echo up; exec /bin/busybox sleep 1000',
      ]
      await using api = await start(argv, `/kubepods/pod${uid}/${randomBytes(32).toString('hex')}`)
      await using session = await host.open()
      const paths = ['/etc/open', '/etc/shut', '/etc/passwd', '/other/open', '/etc/hostname']
      const { attempts } = await ask(session, [
        { atom: 'process', key: 'api', of: { by: 'pod', namespace: 'one', name: 'api' } },
        {
          atom: 'attempts',
          key: 'api',
          as: { by: 'process', key: 'api' },
          tries: paths.map((path) => ({ action: 'read', path })),
        },
      ])
      const [found] = present<readonly TrialState[]>(attempts.get('api'))
      expect(found).toMatchObject({ pid: api.pid, identity: { uid: 5301, gid: 5302, groups: [5303] } })
      expect(words(found?.attempts ?? [])).toEqual([
        'granted',
        'EACCES',
        'unknown /etc/passwd is a link in its mount namespace',
        'unknown /other is a link in its mount namespace',
        'missing',
      ])
      expect(existsSync(join(root, 'tmp/hit'))).toBe(false)
    },
  )

  it('makes no attempt as a process of another user namespace', async () => {
    await using host = await testHost(shell)
    const uid = randomUUID()
    host.run(`mount -t tmpfs tmpfs /var/log; mkdir -p /var/log/pods/one_api_${uid}`)
    const argv = [
      'setpriv',
      '--reuid=5301',
      '--regid=5301',
      '--clear-groups',
      '--',
      'unshare',
      '-Urm',
      '/bin/sh',
      '-c',
      'echo up; exec sleep 1000',
    ]
    await using api = await start(argv, `/kubepods/pod${uid}/${randomBytes(32).toString('hex')}`)
    await using session = await host.open()
    const { attempts } = await ask(session, [
      { atom: 'process', key: 'api', of: { by: 'pod', namespace: 'one', name: 'api' } },
      {
        atom: 'attempts',
        key: 'api',
        as: { by: 'process', key: 'api' },
        tries: [{ action: 'read', path: '/etc/passwd' }],
      },
    ])
    const [found] = present<readonly TrialState[]>(attempts.get('api'))
    expect(found?.pid).toBe(api.pid)
    expect(words(found?.attempts ?? [])).toEqual([
      "unknown it is in another user namespace, where ids are not the host's",
    ])
  })

  it.skipIf(busybox)('knows nothing where the actor kills whoever tries as it', async () => {
    using folder = rootFolder()
    const file = join(folder.path, 'file')
    writeFileSync(file, 'x')
    const argv = [
      'setpriv',
      '--reuid=5207',
      '--regid=5207',
      '--clear-groups',
      '--',
      'perl',
      '-e',
      '$SIG{TERM}="IGNORE"; $|=1; print "up\n"; while (1) { kill 9, -1 }',
    ]
    await using session = await openHere(shell)
    const tries: readonly Try[] = [
      { action: 'read', path: file },
      { action: 'read', path: '/etc/shadow' },
    ]
    const as: Identity = { by: 'number', uid: 5207, gid: 5207, groups: [] }
    expect(words((await trial(session, tries, as)).attempts)).toEqual(['granted', 'EACCES'])
    await using killer = await start(argv)
    expect(killer.pid).toBeGreaterThan(0)
    for (let time = 0; time < 5; time += 1) {
      const found = await trial(session, tries, as)
      for (const each of found.attempts.slice(1)) expect(each.is).not.toBe('granted')
      for (const each of found.attempts) expect(['unknown', 'granted', 'denied']).toContain(each.is)
      expect(found.attempts[0]?.is).not.toBe('denied')
    }
  })

  it('tells the names in a directory whatever they are, some of many, and of none that is reached over a link', async () => {
    using folder = rootFolder()
    const names = ['a b', '.hidden', 'line\nbreak', '@0 kf', "it's", '-n', 'end\n']
    for (const name of names) writeFileSync(join(folder.path, name), '')
    mkdirSync(join(folder.path, 'many'))
    for (let index = 0; index < 50; index += 1)
      writeFileSync(join(folder.path, 'many', 'n'.repeat(200) + String(index)), '')
    symlinkSync('many', join(folder.path, 'link'))
    await using session = await openHere(shell)
    const { entries } = await ask(session, [
      { atom: 'entries', path: folder.path, limit: 100 },
      { atom: 'entries', path: join(folder.path, 'many'), limit: 20 },
      { atom: 'entries', path: join(folder.path, 'link'), limit: 20 },
      { atom: 'entries', path: join(folder.path, 'none'), limit: 20 },
      { atom: 'entries', path: join(folder.path, 'a b'), limit: 20 },
    ])
    const all = present<EntriesState>(entries.get(folder.path))
    expect([...all.names].sort()).toEqual([...names, 'many', 'link'].sort())
    expect(all.more).toBe(false)
    const some = present<EntriesState>(entries.get(join(folder.path, 'many')))
    expect([some.names.length, some.more]).toEqual([20, true])
    expect(some.names.every((name) => /^n{200}[0-9]+$/.test(name))).toBe(true)
    expect(['link', 'none', 'a b'].map((name) => entries.get(join(folder.path, name))?.is)).toEqual([
      'unreadable',
      'absent',
      'unreadable',
    ])
  })

  it.skipIf(busybox)(
    'is led nowhere by an owner who exchanges the file for a link, a FIFO and nothing while it is tried',
    async () => {
      using folder = rootFolder()
      const theirs = join(folder.path, 'theirs')
      const secret = join(folder.path, 'secret')
      mkdirSync(theirs)
      chownSync(theirs, 5209, 5209)
      mkdirSync(join(folder.path, 'made'))
      chmodSync(join(folder.path, 'made'), 0o777)
      writeFileSync(secret, 'x')
      chmodSync(secret, 0o600)
      const swap = `mknod("f", 0010666, 0) if 0; $|=1; chdir ${JSON.stringify(theirs)}; ($(, $)) = (5209, 5209); ($<, $>) = (5209, 5209); print "up\\n"; use POSIX; for (;;) {
      open(F, ">n"); close F; chmod 0666, "n"; rename "n", "a"; symlink "../secret", "n"; rename "n", "a"; POSIX::mkfifo("n", 0666); rename "n", "a"; symlink "../made/here", "n"; rename "n", "a"; unlink "a" }`
      await using owner = await start(['perl', '-e', swap])
      expect(owner.pid).toBeGreaterThan(0)
      await using session = await openHere(shell)
      const actions = ['read', 'write', 'connect', 'replace'] as const
      const tries: readonly Try[] = actions.map((action) => ({ action, path: join(theirs, 'a') }))
      let unknown = 0
      for (let time = 0; time < 10; time += 1) {
        const found = await trial(session, tries, numbers)
        // what stands still for long enough may be read; nobody else has a socket there, or may write in the folder
        for (const each of found.attempts.slice(2)) expect(each.is).not.toBe('granted')
        unknown += found.attempts.filter((each) => each.is === 'unknown').length
      }
      expect(unknown).toBeGreaterThan(0)
      expect(existsSync(join(folder.path, 'made/here'))).toBe(false)
    },
  )
})
