import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Identity } from '../../../src/model/identity.ts'
import { ancestorsOf } from '../../../src/shell/read/atoms.ts'
import { ask, openHere, present, quote, rootFolder, run } from './host.ts'
import { shells } from '../local-shell.ts'

const nobody: Identity = { by: 'number', uid: 65534, gid: 65534, groups: [] }

it('is clean for shellcheck', () => {
  const prelude = new URL('../../../src/shell/read/prelude.sh', import.meta.url).pathname
  expect(execFileSync('shellcheck', ['-s', 'sh', prelude], { encoding: 'utf8' })).toBe('')
})

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

/** Lets nobody exchange `a` in a folder of theirs, now a file `mine`, now a link to `../secret`, until disposed. */
async function exchangeIn(theirs: string): Promise<Disposable & { readonly pid: number | undefined }> {
  const attack = spawn(
    process.execPath,
    [
      '-e',
      `const fs = require('fs'); process.setgid(65534); process.setuid(65534); process.chdir(${JSON.stringify(theirs)})
process.stdout.write('ready')
for (;;) { fs.writeFileSync('new', 'mine'); fs.renameSync('new', 'a'); fs.symlinkSync('../secret', 'new'); fs.renameSync('new', 'a') }`,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  await new Promise((resolve) => attack.stdout.once('data', resolve))
  return {
    pid: attack.pid,
    [Symbol.dispose]: () => {
      attack.kill('SIGKILL')
    },
  }
}

/** Does it again until it prints the text, and then says `seen`; a race that can be won is won in so many tries. */
function until(text: string, command: string): string {
  return `kf_i=0; while [ $kf_i -lt 3000 ]; do kf_i=$((kf_i + 1)); case $(${command}) in *${text}*) echo seen; break ;; esac; done`
}

describe.each(shells)('$name', (shell) => {
  it('enters a directory only where its name leads without links, and to the inode that was seen', async () => {
    using folder = rootFolder()
    const real = join(folder.path, 'real')
    mkdirSync(join(real, 'in side'), { recursive: true })
    mkdirSync(join(folder.path, 'newline\n'))
    symlinkSync(real, join(folder.path, 'link'))
    await using session = await openHere(shell)
    const enters = (path: string, inode = ''): Promise<string> =>
      run(session, `at ${quote(path)} ${inode} 2>/dev/null && echo in`)
    const { dev, ino } = statSync(real)
    expect(await enters(real)).toBe('in')
    expect(await enters(join(real, 'in side'))).toBe('in')
    expect(await enters('/')).toBe('in')
    expect(await enters(real, `${String(dev)}:${String(ino)}`)).toBe('in')
    expect(await enters(real, `${String(dev)}:${String(ino + 1)}`)).toBe('')
    expect(await enters(join(folder.path, 'link'))).toBe('')
    expect(await enters(join(folder.path, 'link', 'in side'))).toBe('')
    expect(await enters(join(folder.path, 'newline'))).toBe('')
    expect(await enters(join(real, 'missing'))).toBe('')
  })

  it('prints the token that the decoder keeps, for every type of file', async () => {
    using folder = rootFolder()
    const at = (name: string): string => join(folder.path, name)
    mkdirSync(at('directory'))
    writeFileSync(at('file'), 'x')
    symlinkSync('file', at('link'))
    execFileSync('mkfifo', [at('fifo')])
    await using session = await openHere(shell)
    const paths = ['directory', 'file', 'link', 'fifo'].map(at)
    const seen = await ask(session, [...paths.map((path) => ({ atom: 'path', path }) as const)])
    for (const path of paths) {
      const fact = seen.paths.get(path)
      const token = fact?.is === 'present' ? fact.token : undefined
      expect(await run(session, `kf_token ${quote(path)}`)).toBe(token)
      expect(
        await run(session, `at ${folder.path} && kf_token ./${path.slice(folder.path.length + 1)}`),
      ).toBe(token)
    }
    const before = seen.paths.get(at('directory'))
    writeFileSync(at('directory/child'), '')
    expect(
      (await ask(session, [{ atom: 'path', path: at('directory') }])).paths.get(at('directory')),
    ).toMatchObject({
      token: before?.is === 'present' ? before.token : '',
    })
  })

  it('gives the bytes of a closed file to who must judge it, and of none that others could write', async () => {
    using folder = rootFolder()
    const text = '# of root\ntrailing\n\n'
    const make = (name: string, mode: number, uid = 0): string => {
      const path = join(folder.path, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
      chownSync(path, uid, 65534)
      chmodSync(path, mode)
      return path
    }
    const closed = make('closed', 0o640)
    const others = [make('group', 0o660), make('theirs', 0o640, 65534), make('open/closed', 0o640)]
    chmodSync(join(folder.path, 'open'), 0o777)
    const large = make('large', 0o600)
    writeFileSync(large, 'x'.repeat(101))
    await using session = await openHere(shell)
    const asked = [closed, ...others, large].map(
      (path) => ({ atom: 'path', path, digestUpTo: 1000, bytesUpTo: 100, sealed: true }) as const,
    )
    const seen = await ask(session, asked)
    const bytes = (path: string): string | undefined => {
      const found = present(seen.paths.get(path)).bytes
      return found === undefined ? undefined : Buffer.from(found.reveal()).toString()
    }
    expect(bytes(closed)).toBe(text)
    expect([...others, large].map(bytes)).toEqual([undefined, undefined, undefined, undefined])
    expect(JSON.stringify(seen.paths.get(closed))).not.toContain('of root')
  })

  it('hashes a contested file as it hashes a trusted one', async () => {
    using folder = rootFolder()
    const open = join(folder.path, 'open')
    mkdirSync(join(open, 'inner'), { recursive: true })
    // the shell can hold seven files open; the others are hashed one by one, as those below a directory of others
    const many = Array.from({ length: 9 }, (_, index) => `open/${String(index)}`)
    for (const path of [
      join(folder.path, 'a b'),
      join(open, 'a b'),
      join(open, 'back\\slash'),
      join(open, 'inner/a b'),
      ...many.map((name) => join(folder.path, name)),
      join(folder.path, 'back\\slash'),
      join(folder.path, 'theirs'),
    ]) {
      writeFileSync(path, 'content')
    }
    chownSync(open, 65534, 65534)
    chownSync(join(folder.path, 'theirs'), 65534, 65534)
    await using session = await openHere(shell)
    const names = ['a b', 'open/a b', 'open/back\\slash', 'open/inner/a b', 'back\\slash', 'theirs', ...many]
    const paths = names.map((name) => join(folder.path, name))
    const seen = await ask(
      session,
      paths.map((path) => ({ atom: 'path', path, digestUpTo: 7 })),
    )
    const digest = createHash('sha256').update('content').digest('hex')
    for (const path of paths) {
      const content = present(seen.paths.get(path)).content
      expect([path, content?.known === true && content.value.reveal()]).toEqual([path, digest])
    }
    const small = await ask(session, [{ atom: 'path', path: paths[0] ?? '', digestUpTo: 6 }])
    expect(present(small.paths.get(paths[0] ?? '')).content).toEqual({
      known: false,
      unreadable: 'it is larger than 6 bytes',
    })
  })

  it('gives up a FIFO that took the place of a contested file, without waiting for ever', async () => {
    using folder = rootFolder()
    await using session = await openHere(shell)
    execFileSync('mkfifo', [join(folder.path, 'fifo')])
    // the type test comes first; the open itself is under KILL, shown here by taking that test away
    expect(await run(session, `kf_digest ${folder.path} fifo 10 || echo "gave up $?"`)).toBe('gave up 41')
    const blind = `kf_digest_child=$(printf '%s' "$kf_digest_child" | grep -v '^\\[ -f')
kf_limited() { kf_x=$1; shift; timeout -s KILL 1 "$@"; }
kf_digest ${folder.path} fifo 10 || echo "gave up $?"`
    expect(await run(session, blind)).toBe('gave up 137')
  })

  it('never hashes what a hostile owner puts in the way', async () => {
    using folder = rootFolder()
    const theirs = join(folder.path, 'theirs')
    mkdirSync(theirs)
    writeFileSync(join(folder.path, 'secret'), 'secret')
    chmodSync(join(folder.path, 'secret'), 0o600)
    symlinkSync('../secret', join(theirs, 'b'))
    chownSync(theirs, 65534, 65534)
    await using session = await openHere(shell)
    using attack = await exchangeIn(theirs)
    expect(attack.pid).toBeGreaterThan(0)
    const printed = await run(
      session,
      `kf_i=0; while [ $kf_i -lt 40 ]; do kf_i=$((kf_i + 1)); kf_digest ${theirs} a 100; done; echo .`,
    )
    const secret = createHash('sha256').update('secret').digest('hex')
    expect(printed.split('\n').at(-1)).toBe('.')
    expect(printed).not.toContain(secret)
    // the attack is worth something: with the guards taken out it hits
    const guards = `/^case .a in/d; s/ && . ! -L [^]]*]//`
    const unguarded = `kf_digest_child=$(printf '%s' "$kf_digest_child" | sed ${quote(guards)})`
    expect(await run(session, `${unguarded}\n${until(secret, `kf_digest ${theirs} a 100`)}`)).toBe('seen')
  })

  it('never hashes what a hostile owner puts in the way of many files at once', async () => {
    using folder = rootFolder()
    const theirs = join(folder.path, 'theirs')
    mkdirSync(theirs)
    writeFileSync(join(folder.path, 'secret'), 'secret')
    chmodSync(join(folder.path, 'secret'), 0o600)
    chownSync(theirs, 65534, 65534)
    await using session = await openHere(shell)
    using attack = await exchangeIn(theirs)
    expect(attack.pid).toBeGreaterThan(0)
    const ancestors = ancestorsOf(`${theirs}/a`)
    const asked = `${ancestors.map((path) => `- ${path}`).join(' ')} h100 ${theirs}/a`
    const list = `kf_list='${[...ancestors, `${theirs}/a`].join('\n')}'`
    const once = `kf_paths ${asked} | tr '\\0' '\\n'`
    const secret = createHash('sha256').update('secret').digest('hex')
    const tries = `kf_i=0; while [ $kf_i -lt 40 ]; do kf_i=$((kf_i + 1)); ${once}; done`
    const printed = await run(session, `${list}\n${tries}`)
    expect(printed).not.toContain(secret)
    // the attack is worth something, and it is the row of what was opened that repels it
    const unguarded = `kf_sums_child=$(printf '%s' "$kf_sums_child" | sed ${quote('/stat -L/d; s/ && . ! -L [^]]*]//')})`
    expect(await run(session, `${list}\n${unguarded}\n${until(secret, once)}`)).toBe('seen')
  })

  it('reads the others where one of the files that are read together stalls or is gone', async () => {
    using folder = rootFolder()
    const theirs = join(folder.path, 'theirs')
    mkdirSync(theirs)
    for (const name of ['a', 'b']) writeFileSync(join(theirs, name), name)
    writeFileSync(join(folder.path, 'c'), 'c')
    chownSync(theirs, 65534, 65534)
    await using session = await openHere(shell)
    const ancestors = ancestorsOf(`${theirs}/a`)
    const files = [`${folder.path}/c`, `${theirs}/a`, `${theirs}/b`]
    const asked = `${ancestors.map((path) => `- ${path}`).join(' ')} ${files.map((path) => `h9 ${path}`).join(' ')}`
    const sum = (text: string): string => createHash('sha256').update(text).digest('hex')
    // after stat gave the rows, and before the first file is opened
    for (const meanwhile of [
      `rm ${theirs}/a`,
      `rm ${theirs}/a; mkfifo ${theirs}/a`,
      `echo more >>${theirs}/a`,
    ]) {
      writeFileSync(join(theirs, 'a'), 'a')
      const printed = await run(
        session,
        `kf_list='${[...ancestors, ...files].join('\n')}'
kf_acls() { IFS=' '; ${meanwhile}; IFS=$NL; }
kf_paths ${asked} | tr '\\0' '\\n'`,
      )
      const answers = printed.split('\n')
      expect(answers[answers.lastIndexOf(`${theirs}/a`) + 1]).toMatch(/^!4[0-9]$/)
      expect(answers[answers.lastIndexOf(`${theirs}/b`) + 1]).toBe(sum('b'))
      expect(printed).toContain(`${sum('c')}  ${folder.path}/c`)
      rmSync(join(theirs, 'a'), { force: true })
    }
  })

  it('looks up an account with its supplementary groups', async () => {
    await using session = await openHere(shell)
    const id = (flag: string): string => execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }).trim()
    const printed = await run(session, 'kf_identity nobody; echo "$kf_uid $kf_gid $kf_groups"')
    expect(printed).toBe(`${id('-u')} ${id('-g')} ${id('-G').replaceAll(' ', ',')}`)
    expect(await run(session, 'kf_identity no-such-account || echo none')).toBe('none')
  })

  it('runs as another identity with nothing but /dev/null, its output and a deadline', async () => {
    await using session = await openHere(shell)
    const inside = `id -u; id -g; id -G; readlink /proc/self/fd/0; echo $(ls /proc/self/fd); env | grep -c kf_`
    const script = `kf_account=nobody kf_uid=65534 kf_gid=65534 kf_groups=65534
kf_as 65534 65534 65534 -- /bin/sh -c ${quote(inside)}
printf '%s' "$kf_out"; echo "status $kf_status $kf_as_how"`
    const [uid, gid, groups, stdin, descriptors, variables, status] = (await run(session, script)).split('\n')
    expect([uid, gid, groups, stdin]).toEqual(['65534', '65534', '65534', '/dev/null'])
    // 3 is the folder that ls itself opened; what this test itself inherited has higher numbers
    expect(
      (descriptors ?? '')
        .trim()
        .split(' ')
        .filter((each) => Number(each) < 100),
    ).toEqual(['0', '1', '2', '3'])
    expect(variables).toBe('0')
    expect(status).toMatch(/^status 1 /)
    const capped = await run(
      session,
      `kf_run 5 100 sh -c 'yes | head -c 1000; exit 7'; echo "\${#kf_out} $kf_status"`,
    )
    expect(capped).toMatch(/^100 /)
    expect(await run(session, `kf_run 1 100 sleep 30; echo "$kf_status"`)).toBe('137')
  })

  it.each([
    ['granted by its group', 0o660, [7001], 0o755, 'yes'],
    ['denied by the mode of the socket', 0o660, [], 0o755, 'no'],
    ['denied by a directory above', 0o666, [], 0o700, 'no'],
  ] as const)(
    'asks the kernel whether a socket can be reached: %s',
    async (_, mode, groups, directory, answer) => {
      // su, all that busybox has, only takes accounts
      if (shell.name === 'busybox' && groups.length > 0) return
      using folder = rootFolder()
      const socket = join(folder.path, 'sock et')
      const server = await listen(socket)
      chmodSync(socket, mode)
      chownSync(socket, 0, 7001)
      chmodSync(folder.path, directory)
      await using session = await openHere(shell)
      const as: Identity =
        shell.name === 'busybox' ? { by: 'account', user: 'nobody' } : { ...nobody, groups }
      const seen = await ask(session, [{ atom: 'reach', key: 'k', socket, as }])
      expect(seen.tests.get('k')).toMatchObject({ answer })
      await new Promise((resolve) => server.close(resolve))
    },
  )

  it('tells apart what stands in the way of reaching a socket', async () => {
    using folder = rootFolder()
    await using session = await openHere(shell)
    const reach = (socket: string, as: Identity): Promise<unknown> =>
      ask(session, [{ atom: 'reach', key: 'k', socket, as }]).then(({ tests }) => tests.get('k'))
    const missing = join(folder.path, 'missing')
    expect(await reach(missing, nobody)).toEqual({ answer: 'no', detail: 'no socket is there' })
    expect(await reach(missing, { by: 'account', user: 'no-such' })).toEqual({
      answer: 'unknown',
      detail: 'no such account',
    })
  })

  it('asks a loopback URL', async () => {
    const server = createHttpServer((request, response) => {
      response.statusCode = request.url === '/ready' ? 200 : request.url === '/moved' ? 302 : 503
      response.setHeader('location', '/ready')
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const url = (path: string): string => `http://127.0.0.1:${String(port)}${path}`
    for (const tools of [shell.path, ...(shell.name === 'dash' ? ['/nonexistent'] : [])]) {
      await using session = await openHere(shell, tools === shell.path ? tools : shell.path)
      const seen = await ask(session, [
        { atom: 'http', key: 'ready', url: url('/ready') },
        { atom: 'http', key: 'busy', url: url('/busy') },
      ])
      // Debian's static busybox crashes in its resolver; a crash must not pass for an answer
      const crashed = seen.tests.get('ready')?.answer === 'unknown' && shell.name === 'busybox'
      expect(seen.tests.get('ready')?.answer).toBe(crashed ? 'unknown' : 'yes')
      expect(seen.tests.get('busy')?.answer).toBe(crashed ? 'unknown' : 'no')
    }
    await new Promise((resolve) => server.close(resolve))
  })

  it('answers run and exists atoms', async () => {
    using folder = rootFolder()
    writeFileSync(join(folder.path, 'there'), '')
    await using session = await openHere(shell)
    const { tests } = await ask(session, [
      { atom: 'run', key: 'true', argv: ['true'] },
      { atom: 'run', key: 'false', argv: ['sh', '-c', `echo "it's $0"; exit 4`, "a'b"] },
      { atom: 'exists', key: 'there', path: join(folder.path, 'there'), present: true },
      { atom: 'exists', key: 'gone', path: join(folder.path, 'gone'), present: false },
      { atom: 'exists', key: 'missing', path: join(folder.path, 'gone'), present: true },
    ])
    expect(Object.fromEntries(tests)).toEqual({
      true: { answer: 'yes' },
      false: { answer: 'no', detail: "exit status 4; it's a'b\n" },
      there: { answer: 'yes' },
      gone: { answer: 'yes' },
      missing: { answer: 'no', detail: 'nothing is there' },
    })
  })
})

describe('GNU tools', () => {
  it('see ACLs that the mode does not show', async () => {
    using folder = rootFolder()
    const at = (name: string): string => join(folder.path, name)
    for (const name of ['plain', 'with entry', 'ü']) writeFileSync(at(name), '')
    mkdirSync(at('default'))
    execFileSync('setfacl', ['-m', 'u:6666:r', at('with entry'), at('ü')])
    execFileSync('setfacl', ['-d', '-m', 'g:6667:rwx', at('default')])
    await using session = await openHere(shells[0] ?? { name: '', sh: '/bin/sh', path: '' })
    const names = ['plain', 'with entry', 'ü', 'default']
    const { paths } = await ask(
      session,
      names.map((name) => ({ atom: 'path', path: at(name) })),
    )
    expect(names.map((name) => present(paths.get(at(name))).acl)).toEqual([
      'none',
      'present',
      'present',
      'present',
    ])
    expect(present(paths.get(at('with entry'))).aclEntries).toEqual(['user:6666:r--'])
    expect(present(paths.get(at('default'))).aclEntries).toContain('default:group:6667:rwx')
  })

  it('see what is immutable, and a read-only mount', async () => {
    using folder = rootFolder()
    const frozen = join(folder.path, 'frozen')
    writeFileSync(frozen, '')
    await using session = await openHere(shells[0] ?? { name: '', sh: '/bin/sh', path: '' })
    const free = present((await ask(session, [{ atom: 'path', path: frozen }])).paths.get(frozen))
    expect(free).toMatchObject({ readOnlyMount: false })
    execFileSync('chattr', ['+i', frozen])
    try {
      const seen = await ask(session, [{ atom: 'path', path: frozen }])
      expect(present(seen.paths.get(frozen))).toMatchObject({ immutable: true, readOnlyMount: false })
    } finally {
      execFileSync('chattr', ['-i', frozen])
    }
  })
})

it('moves nothing: no access under a read frame changes a file', async () => {
  using folder = rootFolder()
  const path = join(folder.path, 'file')
  writeFileSync(`${path}.new`, 'x')
  renameSync(`${path}.new`, path)
  const before = [statSync(path), statSync(folder.path)].map(({ ctimeMs, mtimeMs, ino }) => [
    ctimeMs,
    mtimeMs,
    ino,
  ])
  await using session = await openHere(shells[0] ?? { name: '', sh: '/bin/sh', path: '' })
  await ask(session, [
    { atom: 'path', path, digestUpTo: 10, textUpTo: 10, package: true },
    { atom: 'user', name: 'root' },
  ])
  const after = [statSync(path), statSync(folder.path)].map(({ ctimeMs, mtimeMs, ino }) => [
    ctimeMs,
    mtimeMs,
    ino,
  ])
  expect(after).toEqual(before)
})
