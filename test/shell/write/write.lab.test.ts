import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { ReadAtom, WriteOp } from '../../../src/model/wire.ts'
import { compileRead } from '../../../src/shell/read/compile.ts'
import { compileStop, compileWrite } from '../../../src/shell/write/compile.ts'
import { localChannel, shells } from '../local-shell.ts'
import { openSession } from '../../../src/shell/session.ts'
import {
  changesOf,
  detailOf,
  holder,
  last,
  look,
  makeFolder,
  payloadOf,
  send,
  sendFrame,
  stages,
  testHost,
} from './host.ts'
import type { TestHost } from './host.ts'

const root = { owner: 'root', group: 'root' }
const daemon = { owner: 'root', group: 'daemon' }

function put(
  base: string,
  name: string,
  text: string,
  more: Partial<Extract<WriteOp, { op: 'file-put' }>> = {},
): WriteOp {
  return {
    op: 'file-put',
    parent: { path: base, anchor: '/var/lib' },
    name,
    expect: { absent: true },
    payload: payloadOf(text),
    to: { ...daemon, mode: 0o640 },
    ...more,
  }
}

/** A folder that root alone writes in, as a probe knows it. */
function closed(base: string, name: string): { readonly path: string; readonly inode: string } {
  const path = makeFolder(base, name)
  chmodSync(path, 0o755)
  const { dev, ino } = lstatSync(path)
  return { path, inode: `${String(dev)}:${String(ino)}` }
}

async function tokenOf(host: TestHost, path: string): Promise<string> {
  await using session = await host.open()
  const { snapshot } = await sendFrame(session, compileRead([{ atom: 'path', path }]))
  const fact = snapshot?.paths.get(path)
  return fact?.is === 'present' ? (fact.token ?? '') : ''
}

describe.each(shells)('$name', (shell) => {
  it('makes directories, files and links, in one frame, and leaves no stage', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    const inner = { path: join(base, 'd'), anchor: base }
    const said = await send(
      session,
      changesOf(
        {
          op: 'directory-make',
          parent: { path: base, anchor: '/var/lib' },
          name: 'd',
          to: { ...daemon, mode: 0o2750 },
        },
        put(base, 'f', 'first'),
        put(base, 'f', '', { parent: inner, to: { ...root, mode: 0o600 } }),
        { op: 'directory-make', parent: inner, name: 'e', to: { ...root, mode: 0o700 } },
        put(base, "it's $(odd)\\n", 'x'.repeat(70_000), {
          parent: { path: join(base, 'd/e'), anchor: join(base, 'd') },
        }),
        { op: 'link-put', parent: inner, name: 'l', expect: { absent: true }, target: '../f' },
      ),
    )
    expect(said.reports.filter(({ says }) => says !== 'doing')).toEqual(
      [1, 2, 3, 4, 5, 6].map((change) => ({ change, says: 'done' })),
    )
    expect(said.snapshot).toBeDefined()
    expect([
      look(join(base, 'd')),
      look(join(base, 'f')),
      look(join(base, 'd/f')),
      look(join(base, 'd/e')),
      // not of the group that its directory hands down
      look(join(base, 'd/l')),
    ]).toEqual(['2750 0:1', '640 0:1', '600 0:0', '700 0:0', '777 0:0'])
    expect(readFileSync(join(base, 'f'), 'utf8')).toBe('first')
    expect(readFileSync(join(base, "d/e/it's $(odd)\\n"), 'utf8')).toBe('x'.repeat(70_000))
    expect(readlinkSync(join(base, 'd/l'))).toBe('../f')
    expect([...stages('/var/lib'), ...stages(base), ...stages(join(base, 'd'))]).toEqual([])
  })

  it('replaces, re-owns and removes what was probed, and nothing that moved since', async () => {
    await using host = await testHost(shell)
    const { base } = host
    const path = (name: string): string => join(base, name)
    writeFileSync(path('f'), 'old')
    writeFileSync(path('g'), 'kept')
    writeFileSync(path('r'), 'gone')
    mkdirSync(path('d'))
    const token = {
      f: await tokenOf(host, path('f')),
      g: await tokenOf(host, path('g')),
      r: await tokenOf(host, path('r')),
      d: await tokenOf(host, path('d')),
    }
    const parent = { path: base, anchor: '/var/lib' }
    await using session = await host.open()
    const ops: readonly WriteOp[] = [
      put(base, 'f', 'new', { expect: { token: token.f } }),
      {
        op: 'file-set',
        parent,
        name: 'g',
        expect: { token: token.g },
        to: { ...daemon, mode: 0o4640 },
        stripAcl: false,
      },
      {
        op: 'directory-set',
        path: path('d'),
        expect: { token: token.d },
        to: { ...daemon, mode: 0o1770 },
        between: 0o700,
        stripAcl: false,
      },
      { op: 'remove', parent, name: 'r', expect: { token: token.r }, directory: false },
    ]
    const said = await send(session, changesOf(...ops))
    expect(said.reports.filter(({ says }) => says !== 'doing')).toEqual(
      [1, 2, 3, 4].map((change) => ({ change, says: 'done' })),
    )
    expect([look(path('f')), look(path('g')), look(path('d')), look(path('r'))]).toEqual([
      '640 0:1',
      '4640 0:1',
      '1770 0:1',
      '-',
    ])
    // the tokens are of before: now each of them is a conflict, and what stands behind it is not begun
    for (const op of ops.slice(0, 3)) {
      const again = await send(session, changesOf(op, put(base, 'never', 'x')))
      expect(again.reports).toMatchObject([
        { change: 1, says: 'doing' },
        { change: 1, says: 'conflict' },
      ])
    }
    expect(existsSync(path('never'))).toBe(false)
    expect(lstatSync(path('g')).nlink).toBe(1)
  })

  it('refers to what this stream made', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    const make = (name: string): WriteOp => ({
      op: 'directory-make',
      parent: { path: base, anchor: '/var/lib' },
      name,
      to: { ...root, mode: 0o700 },
    })
    const set = (name: string): WriteOp => ({
      op: 'directory-set',
      path: join(base, name),
      expect: { madeHere: true },
      to: { ...daemon, mode: 0o750 },
      between: 0o700,
      stripAcl: false,
    })
    mkdirSync(join(base, 'other'))
    const said = await send(session, changesOf(make('d'), set('d'), set('other')))
    expect(last(said)).toMatchObject({ change: 3, says: 'conflict' })
    expect(look(join(base, 'd'))).toBe('750 0:1')
  })

  it('stages inside a directory that has no anchor', async () => {
    await using host = await testHost(shell)
    const inside = makeFolder(host.base, 'service')
    chownSync(inside, 1, 1)
    await using session = await host.open()
    const parent = { path: inside }
    const said = await send(
      session,
      changesOf(
        put(inside, 'f', 'secret', { parent }),
        { op: 'directory-make', parent, name: 'd', to: { ...daemon, mode: 0o750 } },
        { op: 'link-put', parent, name: 'l', expect: { absent: true }, target: 'f' },
        {
          op: 'file-set',
          parent,
          name: 'f',
          expect: { madeHere: true },
          to: { ...daemon, mode: 0o600 },
          stripAcl: false,
        },
      ),
    )
    expect(said.reports.filter(({ says }) => says !== 'doing')).toEqual(
      [1, 2, 3, 4].map((change) => ({ change, says: 'done' })),
    )
    expect([look(join(inside, 'f')), look(join(inside, 'd')), readlinkSync(join(inside, 'l'))]).toEqual([
      '600 0:1',
      '750 0:1',
      'f',
    ])
    expect(readdirSync(inside).sort()).toEqual(['d', 'f', 'l'])
  })

  it('fails at a directory that stands where a file shall be, and never re-owns what another could write', async () => {
    await using host = await testHost(shell)
    const { base } = host
    mkdirSync(join(base, 'd'))
    writeFileSync(join(base, 'w'), 'x')
    chownSync(join(base, 'w'), 1, 1)
    const parent = { path: base, anchor: '/var/lib' }
    await using session = await host.open()
    const first = await send(
      session,
      changesOf(put(base, 'd', 'x', { expect: { token: await tokenOf(host, join(base, 'd')) } })),
    )
    expect(last(first)).toMatchObject({ change: 1, says: 'failed', step: 'place' })
    const second = await send(
      session,
      changesOf({
        op: 'file-set',
        parent,
        name: 'w',
        expect: { token: await tokenOf(host, join(base, 'w')) },
        to: { ...root, mode: 0o640 },
        stripAcl: false,
      }),
    )
    expect(last(second)).toMatchObject({ change: 1, says: 'failed', step: 'trust' })
    expect(look(join(base, 'w'))).toBe('644 1:1')
    expect(stages('/var/lib')).toEqual([])
  })

  it('runs the validation before the file takes its place, as another identity too', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    const as = { by: 'number', uid: 4242, gid: 1, groups: [1] } as const
    const valid = (argv: readonly string[]): Partial<Extract<WriteOp, { op: 'file-put' }>> => ({
      validate: [{ argv }],
    })
    const said = await send(
      session,
      changesOf(
        put(base, 'good.conf', 'hello', valid(['grep', '-q', 'hello', '{}'])),
        // busybox alone can become no identity that has no account
        ...(shell.name === 'busybox'
          ? []
          : [put(base, 'seen', 'hello', { validate: [{ argv: ['grep', '-q', 'hello', '{}'], as }] })]),
        put(base, 'bad.conf', 'goodbye', valid(['grep', '-q', 'hello', '{}'])),
      ),
    )
    expect(last(said)).toMatchObject({ says: 'failed', step: 'validate' })
    expect(readdirSync(base).sort()).toEqual(shell.name === 'busybox' ? ['good.conf'] : ['good.conf', 'seen'])
    expect(stages('/var/lib')).toEqual([])
  })

  it('changes nothing where a payload does not arrive whole, and leaves no stage', async () => {
    await using host = await testHost(shell)
    const { base } = host
    const frame = compileWrite({
      changes: changesOf(put(base, 'a', 'first'), put(base, 'b', 'second')),
      probe: [],
      lock: holder,
    })
    const whole = Buffer.concat(frame.payloads)
    for (let cut = 0; cut < whole.length; cut += 1) {
      await using channel = localChannel(host.command)
      const session = await openSession(channel, new AbortController().signal)
      // the connection is cut: the host sees the end of its input
      const cutFrame = {
        ...frame,
        payloads: [whole.subarray(0, cut)],
        script: (nonce: string) => frame.script(nonce),
      }
      const sent = sendFrame(session, cutFrame)
      setImmediate(() => {
        channel.end()
      })
      const said = await sent
      expect(said.reports.filter(({ says }) => says !== 'failed')).toEqual([])
      expect([said.ended !== undefined, readdirSync(base), stages('/var/lib')]).toEqual([true, [], []])
    }
  })

  it('says why where the disk is full, read-only or the file immutable, and stays in step', async () => {
    await using host = await testHost(shell)
    const { base } = host
    for (const name of ['full', 'read-only']) mkdirSync(join(base, name))
    host.run(`mount -t tmpfs -o size=64k,mode=755 tmpfs ${base}/full; mkdir ${base}/full/d`)
    host.run(
      `mount -t tmpfs -o mode=755 tmpfs ${base}/read-only; mkdir ${base}/read-only/d; mount -o remount,ro ${base}/read-only`,
    )
    const below = (name: string): Partial<Extract<WriteOp, { op: 'file-put' }>> => ({
      parent: { path: join(base, name, 'd'), anchor: join(base, name) },
    })
    await using session = await host.open()
    const readOnly = await send(session, changesOf(put(base, 'x', 'text', below('read-only'))))
    expect(last(readOnly)).toMatchObject({ change: 1, says: 'failed', step: 'stage' })
    expect(detailOf(readOnly)).toMatch(/read-only file system/i)
    expect(readOnly.snapshot).toBeDefined()
    writeFileSync(join(base, 'fixed'), 'old')
    const token = await tokenOf(host, join(base, 'fixed'))
    host.run(`chattr +i ${base}/fixed`)
    const fixed = await send(session, changesOf(put(base, 'fixed', 'new', { expect: { token } })))
    host.run(`chattr -i ${base}/fixed`)
    // chattr moves the change time: it is seen as that, or by the rename
    expect(['failed', 'conflict']).toContain(last(fixed)?.says)
    expect(readFileSync(join(base, 'fixed'), 'utf8')).toBe('old')
    const full = await send(
      session,
      changesOf(put(base, 'x', 'x'.repeat(200_000), below('full')), put(base, 'y', 'y')),
    )
    expect(full.reports).toMatchObject([{ change: 1, says: 'failed', step: 'stage' }])
    expect(full.ended).toBe('host.shell-ended')
    expect(host.run(`ls -A ${base}/full ${base}/full/d; ls ${base}/y`)).not.toMatch(/kmsfleet\.|\bx\b|^y$/m)
  })

  it('owes before it acts, settles after, and a debt outlives a failure', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    const [first, second] = changesOf(put(base, 'a', 'x'), put(base, 'a', 'x'))
    if (first === undefined || second === undefined) throw new Error('two changes')
    const said = await send(session, [
      { ...first, owes: ['restart-kms'] },
      { ...second, owes: ['reload'] },
    ])
    expect(last(said)).toMatchObject({ change: 2, says: 'conflict' })
    expect([...(said.snapshot?.owed ?? [])].sort()).toEqual(['reload', 'restart-kms'])
    const [settle] = changesOf(put(base, 'b', 'x'))
    if (settle === undefined) throw new Error('one change')
    const after = await send(session, [{ ...settle, settles: ['restart-kms', 'reload'] }])
    expect([...(after.snapshot?.owed ?? ['?'])]).toEqual([])
  })

  it('puts neighbours together, each still a change of its own', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    const parent = { ...closed(base, 'd'), anchor: base }
    writeFileSync(join(base, 'd/taken'), 'by another')
    const said = await send(
      session,
      changesOf(
        put(base, 'a', 'first', { parent }),
        { op: 'directory-make', parent, name: 'b b', to: { ...daemon, mode: 0o2750 } },
        put(base, 'taken', 'x', { parent }),
        put(base, 'c', 'x', { parent }),
      ),
    )
    expect(said.reports).toMatchObject([
      { change: 1, says: 'doing' },
      { change: 2, says: 'doing' },
      { change: 3, says: 'doing' },
      { change: 3, says: 'conflict' },
      // begun before it, and so ended
      { change: 1, says: 'done' },
      { change: 2, says: 'done' },
    ])
    expect([look(join(base, 'd/a')), look(join(base, 'd/b b'))]).toEqual(['640 0:1', '2750 0:1'])
    expect(readFileSync(join(base, 'd/taken'), 'utf8')).toBe('by another')
    expect([existsSync(join(base, 'd/c')), stages(base)]).toEqual([false, []])
  })

  it('says of each of several neighbours that it could not be put', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    const parent = { ...closed(base, 'd'), anchor: base }
    host.run(`chattr +i ${base}/d`)
    const said = await send(
      session,
      changesOf(put(base, 'a', 'x', { parent }), put(base, 'b', 'x', { parent }), put(base, 'c', 'x')),
    )
    host.run(`chattr -i ${base}/d`)
    expect(said.reports).toMatchObject([
      { change: 1, says: 'doing' },
      { change: 2, says: 'doing' },
      { change: 1, says: 'failed', step: 'place' },
      { change: 2, says: 'failed', step: 'place' },
    ])
    expect([existsSync(join(base, 'd/a')), existsSync(join(base, 'c')), stages(base)]).toEqual([
      false,
      false,
      [],
    ])
  })

  it('acts on nothing where the debt cannot be recorded, and stays in step', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    const [change] = changesOf(put(base, 'a', 'x'))
    if (change === undefined) throw new Error('one change')
    await send(session, [])
    host.run('mount -t tmpfs -o ro tmpfs /run/kmsfleet/owed')
    const said = await send(session, [{ ...change, owes: ['restart'] }])
    expect(said.reports).toMatchObject([{ change: 1, says: 'failed', step: 'owe' }])
    expect([said.snapshot !== undefined, existsSync(join(base, 'a'))]).toEqual([true, false])
  })

  it('has one writer: a second one is told who, and a dead one is no obstacle', async () => {
    await using host = await testHost(shell)
    const { base } = host
    {
      await using first = await host.open()
      expect(last(await send(first, changesOf(put(base, 'a', 'x'))))).toEqual({ change: 1, says: 'done' })
      await using second = await host.open()
      const refused = await send(second, changesOf(put(base, 'b', 'some payload')), {
        ...holder,
        who: 'bob@desk',
      })
      expect(refused.reports).toMatchObject([{ change: 1, says: 'failed', step: 'lock' }])
      expect(detailOf(refused)).toContain('alice@laptop since 2026-01-01T00:00:00Z')
      expect(refused.snapshot).toBeDefined()
      // what it sent was read to its end: the next frame is understood
      expect((await sendFrame(second, compileRead([]))).snapshot).toBeDefined()
      expect(last(await send(first, changesOf(put(base, 'c', 'x'))))).toEqual({ change: 1, says: 'done' })
    }
    await using third = await host.open()
    expect(last(await send(third, changesOf(put(base, 'd', 'x'))))).toEqual({ change: 1, says: 'done' })
    expect(readdirSync(base).sort()).toEqual(['a', 'c', 'd'])
    expect(host.run('ls /run/kmsfleet')).toBe('lock\nowed\nstarted\n')
  })

  it('lets one of many take the lock of a dead one', async () => {
    await using host = await testHost(shell)
    const { base } = host
    {
      await using first = await host.open()
      await send(first, changesOf(put(base, 'a', 'x')))
    }
    const sessions = await Promise.all([1, 2, 3, 4].map(() => host.open()))
    const said = await Promise.all(
      sessions.map((session, index) => send(session, changesOf(put(base, `b${String(index)}`, 'x')))),
    )
    expect(said.map((each) => last(each)?.says).sort()).toEqual(['done', 'failed', 'failed', 'failed'])
    expect(readdirSync(base)).toHaveLength(2)
    for (const session of sessions) await session[Symbol.asyncDispose]()
  })

  it('takes the lock of one that has ended and that nobody has collected', async () => {
    await using host = await testHost(shell)
    const { base } = host
    // sleep takes the place of the shell that had a child: it never waits for it
    await using parent = localChannel(`/bin/sh -c 'sleep 1000 & echo $!; exec sleep 1000'`)
    const said = await parent.stdout[Symbol.asyncIterator]().next()
    const ended = Number(Buffer.from(said.value ?? '').toString())
    const stat = (pid: number): readonly string[] =>
      readFileSync(`/proc/${String(pid)}/stat`, 'utf8').split(/[ ()]+/)
    await vi.waitFor(() => {
      expect(stat(parent.pid)[1]).toBe('sleep')
    }, 20_000)
    process.kill(ended)
    await vi.waitFor(() => {
      expect(stat(ended)[2]).toBe('Z')
    }, 20_000)
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    host.run(`mkdir -m 0700 /run/kmsfleet /run/kmsfleet/owed /run/kmsfleet/started
ln -s '${String(ended)} ${stat(ended)[21] ?? ''} ${boot} bob@desk' /run/kmsfleet/lock`)
    await using session = await host.open()
    expect(last(await send(session, changesOf(put(base, 'a', 'x'))))).toEqual({ change: 1, says: 'done' })
  })

  it('finishes the change in hand where the connection is gone, begins no other, and leaves no stage', async () => {
    await using host = await testHost(shell)
    const { base } = host
    const session = await host.openRemote()
    const wait = `: >${base}/begun; until [ -e ${base}/go ]; do sleep 0.05; done; : >${base}/finished`
    const under = send(
      session,
      changesOf(
        { op: 'command', argv: ['sh', '-c', wait], within: 20 },
        put(base, 'b', 'x', { parent: { path: join(base, 'd'), anchor: base } }),
      ),
    ).catch((error: unknown) => error)
    makeFolder(base, 'd')
    await vi.waitFor(() => {
      expect(existsSync(join(base, 'begun'))).toBe(true)
    }, 20_000)
    expect(stages(base)).toHaveLength(1)
    await session[Symbol.asyncDispose]()
    expect(await under).toBeInstanceOf(Error)
    writeFileSync(join(base, 'go'), '')
    await vi.waitFor(() => {
      expect(stages(base)).toEqual([])
    }, 20_000)
    expect([existsSync(join(base, 'finished')), existsSync(join(base, 'd/b'))]).toEqual([true, false])
  })

  it('starts no change after a stop that is meant for this run', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    await using other = await host.open()
    await sendFrame(other, compileStop('another run'))
    expect(last(await send(session, changesOf(put(base, 'a', 'x'))))).toEqual({ change: 1, says: 'done' })
    const under = send(
      session,
      changesOf(
        {
          op: 'command',
          argv: ['sh', '-c', `: >${base}/begun; until [ -e ${base}/go ]; do sleep 0.05; done`],
          within: 20,
        },
        put(base, 'b', 'x'),
      ),
    )
    await vi.waitFor(() => {
      expect(existsSync(join(base, 'begun'))).toBe(true)
    }, 20_000)
    await sendFrame(other, compileStop(holder.run))
    writeFileSync(join(base, 'go'), '')
    expect((await under).reports).toMatchObject([
      { change: 1, says: 'doing' },
      { change: 1, says: 'done' },
      { change: 2, says: 'stopped' },
    ])
    expect(existsSync(join(base, 'b'))).toBe(false)
  })

  it('removes what a killed run left in an anchor, and only that', async () => {
    await using host = await testHost(shell)
    const { base } = host
    const inner = makeFolder(base, 'd')
    mkdirSync(join(base, '.kmsfleet.stale'))
    writeFileSync(join(base, '.kmsfleet.stale/secret'), 'x')
    writeFileSync(join(base, '.kmsfleet.file'), 'x')
    symlinkSync('/etc', join(base, '.kmsfleet.link'))
    mkdirSync(join(base, '.kmsfleet.foreign'))
    chownSync(join(base, '.kmsfleet.foreign'), 1, 1)
    await using session = await host.open()
    await send(session, changesOf(put(base, 'f', 'x', { parent: { path: inner, anchor: base } })))
    expect(stages(base).toSorted()).toEqual(['.kmsfleet.file', '.kmsfleet.foreign', '.kmsfleet.link'])
    expect(existsSync('/etc/passwd')).toBe(true)
  })

  it('takes a default ACL off its stages, or refuses them', async () => {
    await using host = await testHost(shell)
    const { base } = host
    const inner = makeFolder(base, 'd')
    host.run(`setfacl -d -m u:6666:rwx ${base}`)
    await using session = await host.open()
    const said = await send(
      session,
      changesOf(put(base, 'f', 'x', { parent: { path: inner, anchor: base } })),
    )
    if (shell.name === 'busybox') {
      expect(last(said)).toMatchObject({ says: 'failed', step: 'stage' })
      expect(detailOf(said)).toContain('ACL')
    } else {
      expect(last(said)).toEqual({ change: 1, says: 'done' })
      expect(host.run(`getfacl -cn ${inner}/f`)).not.toContain('6666')
    }
  })

  it('gives output and status of commands, and waits for tests', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    const exists = (path: string): Extract<ReadAtom, { atom: 'exists' }> => ({
      atom: 'exists',
      key: 'k',
      path,
      present: true,
    })
    const said = await send(
      session,
      changesOf(
        { op: 'command', argv: ['sh', '-c', 'echo "it works"; read x; echo "[$x]"'], within: 5 },
        {
          op: 'command',
          argv: ['sh', '-c', `yes | dd bs=1000 count=300; mkdir ${base}/after; exit 0`],
          within: 10,
        },
        { op: 'command', argv: ['mkdir', join(base, 'made')], within: 5 },
        { op: 'await', test: exists(join(base, 'made')), within: 5 },
        { op: 'await', test: exists(join(base, 'never')), within: 0 },
      ),
    )
    const done = said.reports.filter(({ says }) => says !== 'doing')
    expect(done).toMatchObject([
      { change: 1, says: 'done', status: 0, output: 'it works\n[]\n' },
      { change: 2, says: 'done', status: 0 },
      { change: 3, says: 'done', status: 0 },
      { change: 4, says: 'done' },
      { change: 5, says: 'failed', step: 'await' },
    ])
    // the rest of what it wrote was dropped, and it came to its end
    const [, long] = done
    expect(long?.says === 'done' ? long.output?.length : 0).toBe(65_536)
    expect(existsSync(join(base, 'after'))).toBe(true)
    expect(detailOf(said)).toContain('nothing is there')
  })
})
