import { execFileSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { MountState, ProcessOf, ProcessState } from '../../../src/model/process.ts'
import { shells } from '../local-shell.ts'
import { testHost } from '../write/host.ts'
import { ask, present } from './host.ts'
import { start } from './pods.ts'

const id = (): string => randomBytes(32).toString('hex')
const says = ['/bin/sh', '-c', 'echo up; exec sleep 1000']
const as = (uid: number, ...more: readonly string[]): readonly string[] => [
  ...['setpriv', `--reuid=${String(uid)}`, `--regid=${String(uid + 1)}`],
  ...[...more, '--', ...says],
]

describe.each(shells)('$name', (shell) => {
  it('finds the processes of a pod by control group, whatever they are called, and leaves out its sandbox', async () => {
    await using host = await testHost(shell)
    const cases = [
      // cgroupfs driver, a pod of the API; systemd driver, a static pod
      { uid: randomUUID(), group: (uid: string, c: string) => `/kubepods/besteffort/pod${uid}/${c}` },
      {
        uid: randomBytes(16).toString('hex'),
        group: (uid: string, c: string) =>
          `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid}.slice/cri-containerd-${c}.scope`,
      },
      {
        uid: randomUUID(),
        group: (uid: string, c: string) =>
          `/kubepods.slice/kubepods-pod${uid.replaceAll('-', '_')}.slice/crio-${c}.scope`,
      },
    ]
    for (const { uid, group } of cases) {
      const fixed = uid.includes('-') ? 'api' : 'api-node1'
      const [main, side, sandbox] = [id(), id(), id()]
      const logs = `/var/log/pods/kube-system_${fixed}_${uid}`
      const link = (name: string, container: string): string =>
        `ln -s ${logs}/${name}/0.log /var/log/containers/${fixed}_kube-system_${name}-${container}.log`
      host.run(
        `umount /var/log 2>/dev/null; mount -t tmpfs tmpfs /var/log && mkdir -p ${logs} /var/log/containers
mkdir -p '/var/log/pods/kube-system_api-other_${randomUUID()}' /var/log/pods/kube-system_apis_${randomUUID()}
${link('api', main)}; ${link('side', side)}`,
      )
      await using api = await start(
        as(5101, '--groups=5103,5104', '--no-new-privs', '--inh-caps=-all'),
        group(uid, main),
      )
      await using proxy = await start(as(5102, '--clear-groups'), group(uid, side))
      await using pause = await start(as(65535, '--clear-groups'), group(uid, sandbox))
      // its own delegated group may be called as it likes
      await using liar = await start(as(5105, '--clear-groups'), `/user.slice/kubepods/pod${uid}/${main}`)
      await using session = await host.open()
      const pod = (name: string, container?: string): ProcessOf => ({
        by: 'pod',
        namespace: 'kube-system',
        name,
        ...(container === undefined ? {} : { container }),
      })
      const { processes } = await ask(session, [
        { atom: 'process', key: 'all', of: pod('api') },
        { atom: 'process', key: 'main', of: pod('api', 'api') },
        { atom: 'process', key: 'none', of: pod('apid') },
      ])
      const found = (key: string): readonly ProcessState[] => present(processes.get(key))
      expect(processes.get('none')).toEqual({ is: 'absent' })
      expect(new Map(found('all').map((each) => [each.pid, each.container]))).toEqual(
        new Map([
          [api.pid, 'api'],
          [proxy.pid, 'side'],
        ]),
      )
      for (const other of [pause, liar]) expect(found('all').map(({ pid }) => pid)).not.toContain(other.pid)
      const ticks =
        readFileSync(`/proc/${String(api.pid)}/stat`, 'utf8')
          .split(') ')[1]
          ?.split(' ')[19] ?? ''
      const program = statSync(`/proc/${String(api.pid)}/exe`)
      expect(found('main')).toEqual([
        {
          pid: api.pid,
          started: ticks,
          uids: { real: 5101, effective: 5101, saved: 5101, filesystem: 5101 },
          gids: { real: 5102, effective: 5102, saved: 5102, filesystem: 5102 },
          groups: [5103, 5104],
          capabilities: {
            effective: new Set(),
            permitted: new Set(),
            bounding: expect.any(Set) as Set<number>,
            ambient: new Set(),
          },
          noNewPrivileges: true,
          userNamespace: 'initial',
          // the host of this test has a mount namespace of its own
          mountNamespace: 'other',
          exe: { inode: `${String(program.dev)}:${String(program.ino)}`, path: '/usr/bin/sleep' },
          mounts: expect.any(Array) as MountState[],
          container: 'api',
        } satisfies ProcessState,
      ])
    }
  })

  it('tells the sandbox by its program where the kubelet makes no links to logs', async () => {
    await using host = await testHost(shell)
    const uid = randomUUID()
    host.run(`mount -t tmpfs tmpfs /var/log && mkdir -p /var/log/pods/one_api_${uid}`)
    cpSync('/usr/bin/sleep', join(host.base, 'pause'))
    await using api = await start(as(5101, '--clear-groups'), `/kubepods/pod${uid}/${id()}`)
    await using pause = await start(
      ['/bin/sh', '-c', `echo up; exec ${host.base}/pause 1000`],
      `/kubepods/pod${uid}/${id()}`,
    )
    await using session = await host.open()
    const of: ProcessOf = { by: 'pod', namespace: 'one', name: 'api', container: 'api' }
    const { processes } = await ask(session, [{ atom: 'process', key: 'api', of }])
    const pids = present(processes.get('api')).map(({ pid }) => pid)
    expect(pids).toEqual([api.pid])
    expect(pids).not.toContain(pause.pid)
  })

  it('reads a process whose name imitates a row, and tells a user namespace from that of the host', async () => {
    await using host = await testHost(shell)
    const uid = randomUUID()
    host.run(`mount -t tmpfs tmpfs /var/log && mkdir -p /var/log/pods/one_api_${uid}`)
    const program = join(host.base, 'x) 1\nUid:\t0 0')
    cpSync('/usr/bin/sleep', program)
    await using api = await start(
      [
        ...[
          'setpriv',
          '--reuid=5101',
          '--regid=5101',
          '--clear-groups',
          '--',
          'unshare',
          '-r',
          '/bin/sh',
          '-c',
        ],
        'echo up; exec "$0" 1000',
        program,
      ],
      `/kubepods/pod${uid}/${id()}`,
    )
    await using session = await host.open()
    const of: ProcessOf = { by: 'pod', namespace: 'one', name: 'api' }
    const { processes } = await ask(session, [{ atom: 'process', key: 'api', of }])
    expect(present<readonly ProcessState[]>(processes.get('api'))).toMatchObject([
      { pid: api.pid, uids: { effective: 5101 }, userNamespace: 'other', exe: { path: program } },
    ])
  })

  it('tells of a process what it was started with and which file it has at a path, where that is asked', async () => {
    await using host = await testHost(shell)
    const uid = randomUUID()
    host.run(`mount -t tmpfs tmpfs /var/log && mkdir -p /var/log/pods/one_api_${uid}`)
    const folder = join(host.base, 'seen')
    mkdirSync(folder)
    const file = join(folder, 'file')
    writeFileSync(file, '')
    symlinkSync(folder, join(host.base, 'link'))
    await using api = await start(
      ['/bin/sh', '-c', 'echo up; exec tail -f /dev/null "$0" 2>/dev/null', 'two\nlines'],
      `/kubepods/pod${uid}/${id()}`,
    )
    await using session = await host.open()
    const of: ProcessOf = { by: 'pod', namespace: 'one', name: 'api' }
    const asked = { file, link: join(host.base, 'link', 'file') }
    const { processes } = await ask(session, [
      ...Object.entries(asked).map(([key, sees]) => ({ atom: 'process', key, of, about: { sees } }) as const),
      { atom: 'process', key: 'plain', of },
    ])
    const about = (key: string): ProcessState['about'] => present(processes.get(key))[0]?.about
    const { dev, ino } = statSync(file)
    const argv = ['tail', '-f', '/dev/null', 'two lines']
    expect(about('file')).toMatchObject({ argv, sees: `${String(dev)}:${String(ino)}` })
    expect(about('link')).not.toHaveProperty('sees')
    expect(about('plain')).toBeUndefined()
    const { since = 0 } = about('file') ?? {}
    expect(Math.abs(Date.now() / 1000 - since)).toBeLessThan(60)
    expect(present(processes.get('file')).map(({ pid }) => pid)).toEqual([api.pid])
  })
})

it('sends nothing of it with frames that do not ask', async () => {
  const { compileRead } = await import('../../../src/shell/read/compile.ts')
  const of: ProcessOf = { by: 'unit', unit: 'a.service' }
  expect(compileRead([]).script('n')).not.toContain('kf_live')
  expect(compileRead([{ atom: 'process', key: 'a', of }]).script('n')).toContain('kf_live')
})

it('is clean for shellcheck', () => {
  const prelude = new URL('../../../src/shell/read/processes.sh', import.meta.url).pathname
  expect(execFileSync('shellcheck', ['-s', 'sh', prelude], { encoding: 'utf8' })).toBe('')
})
