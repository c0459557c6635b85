import { execFile, spawn } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConnectionSettings } from '../../src/model/host.ts'
import { Secret } from '../../src/model/secret.ts'
import { createConnector } from '../../src/transport/connect.ts'
import type { SshOptions } from '../../src/transport/ssh.ts'
import { readAll, shell } from './read.ts'
import { freePort, keygen, killSessions, startSshd, type Sshd } from './sshd.ts'

const run = promisify(execFile)
const never = new AbortController().signal

/** Runs a script over a connection of its own and gives its output. */
async function output(
  settings: ConnectionSettings,
  script = 'echo here',
  options: SshOptions = {},
): Promise<string> {
  await using connector = createConnector(options)
  await using connection = await connector.connect('one', settings, never)
  return (await readAll(await connection.execRoot(shell(script), never))).toString()
}

describe('over a real sshd', () => {
  let sshd: Sshd
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd[Symbol.asyncDispose]())

  test('a key file logs in and a program takes and gives bytes', async () => {
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings(), never)
    const channel = await connection.execRoot(shell('id -u; cat; echo to stderr >&2; exit 3'), never)
    await channel.write(Buffer.from('hello\n'))
    channel.end()
    expect((await readAll(channel)).toString()).toBe('0\nhello\n')
    expect(await channel.exited).toEqual({ code: 3, signal: undefined })
    expect(channel.stderrTail()).toBe('to stderr\n')
    expect(channel.bytesSent).toBe(6)
  })

  test('a signal is not an exit code', async () => {
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings(), never)
    const channel = await connection.execRoot(shell('kill -9 $$'), never)
    await readAll(channel)
    expect(await channel.exited).toEqual({ code: undefined, signal: 'SIGKILL' })
  })

  test.each(['rsa', 'ecdsa'])('an %s key', async (type) => {
    const file = join(sshd.folder, `user_${type}`)
    await keygen(file, type)
    await authorize(sshd, `${file}.pub`)
    expect(await output(sshd.settings({ identityFiles: [file] }))).toBe('here\n')
  })

  test('an encrypted key is asked for once, however many hosts need it', async () => {
    const file = join(sshd.folder, 'locked')
    await keygen(file, 'ed25519', 'open sesame')
    await authorize(sshd, `${file}.pub`)
    const asked: string[] = []
    await using connector = createConnector({
      promptPassphrase: (name) => {
        asked.push(name)
        return Promise.resolve(new Secret('passphrase', Buffer.from('open sesame')))
      },
    })
    const settings = sshd.settings({ identityFiles: [file] })
    const connections = await Promise.all(
      ['a', 'b', 'c'].map((host) => connector.connect(host, settings, never)),
    )
    await Promise.all(connections.map((connection) => connection[Symbol.asyncDispose]()))
    expect(asked).toEqual([file])
  })

  test.each([
    ['a wrong one', () => Promise.resolve(new Secret('p', Buffer.from('wrong')))],
    ['nobody to ask', undefined],
  ])('no passphrase (%s) is said to be the trouble', async (_what, promptPassphrase) => {
    const file = join(sshd.folder, `locked-${_what.slice(-3)}`)
    await keygen(file, 'ed25519', 'open sesame')
    const options = promptPassphrase === undefined ? {} : { promptPassphrase }
    await expect(output(sshd.settings({ identityFiles: [file] }), '', options)).rejects.toMatchObject({
      code: 'transport.passphrase',
    })
  })

  test('the agent signs, also for a key file that is encrypted, and is not forwarded', async () => {
    const file = join(sshd.folder, 'in-agent')
    await keygen(file, 'ed25519')
    await authorize(sshd, `${file}.pub`)
    const agentSocket = join(sshd.folder, 'agent.sock')
    const agent = spawn('ssh-agent', ['-D', '-a', agentSocket], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      await new Promise((resolve) => agent.stdout.once('data', resolve))
      await run('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: agentSocket } })
      await run('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'locked now', '-f', file])
      const script = 'echo "[$SSH_AUTH_SOCK]"'
      for (const identityFiles of [[], [file], [`${file}.pub`]]) {
        const settings = sshd.settings({
          identityFiles,
          agent: true,
          identitiesOnly: identityFiles.length > 0,
        })
        expect(await output(settings, script, { agentSocket })).toBe('[]\n')
      }
      const other = sshd.settings({
        identityFiles: [join(sshd.folder, 'none')],
        agent: true,
        identitiesOnly: true,
      })
      await expect(output(other, script, { agentSocket })).rejects.toMatchObject({
        code: 'transport.auth-failed',
      })
    } finally {
      agent.kill()
    }
  })

  test('refused credentials are all named', async () => {
    const stranger = join(sshd.folder, 'stranger')
    const open = join(sshd.folder, 'open-to-all')
    await keygen(stranger, 'ed25519')
    await keygen(open, 'ed25519')
    await chmod(open, 0o644)
    const password = new Secret('p', Buffer.from('tell nobody'))
    const settings = sshd.settings({ identityFiles: [stranger, open, '/nonexistent'], password })
    const error: unknown = await output(settings).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'transport.auth-failed' })
    expect(String(error)).toContain(`key ${stranger} refused`)
    expect(String(error)).toContain('mode 0644')
    expect(String(error)).toContain('/nonexistent: no such file')
    expect(String(error)).toContain('password: the host does not take password')
    expect(String(error)).not.toContain('tell nobody')
  })

  test('an unknown, a changed and a revoked host key are refused before any login', async () => {
    const other = join(sshd.folder, 'other-host')
    await keygen(other, 'ed25519')
    const otherKey = (await readFile(`${other}.pub`, 'utf8')).trim()
    const name = `[127.0.0.1]:${String(sshd.port)}`
    const cases = [
      ['transport.host-key-unknown', ''],
      ['transport.host-key-unknown', `@cert-authority * ${otherKey}\n`],
      ['transport.host-key-changed', `${name} ${otherKey}\n`],
      ['transport.host-key-revoked', `@revoked * ${String(sshd.hostKeys.get('ed25519'))}\n`],
    ]
    const before = sshd.log().split('Accepted').length
    for (const [code, text] of cases) {
      const file = join(sshd.folder, 'judged')
      await writeFile(file, String(text))
      await expect(output(sshd.settings({ knownHostsFiles: [file] }))).rejects.toMatchObject({ code })
    }
    expect(sshd.log().split('Accepted').length).toBe(before)
  })

  test('host keys of the inventory count alone', async () => {
    const key = String(sshd.hostKeys.get('ed25519'))
    expect(await output(sshd.settings({ hostKeys: [`${key} comment`], knownHostsFiles: [] }))).toBe('here\n')
    const other = join(sshd.folder, 'pinned')
    await keygen(other, 'ed25519')
    const pinned = await readFile(`${other}.pub`, 'utf8')
    await expect(output(sshd.settings({ hostKeys: [pinned] }))).rejects.toMatchObject({
      code: 'transport.host-key-changed',
    })
    await expect(output(sshd.settings({ hostKeys: ['nonsense'] }))).rejects.toMatchObject({
      code: 'transport.known-hosts',
    })
  })

  test('what ssh-keygen -H hashed is known', async () => {
    const file = join(sshd.folder, 'hashed')
    await writeFile(file, await readFile(sshd.knownHosts))
    await run('ssh-keygen', ['-q', '-H', '-f', file])
    expect(await readFile(file, 'latin1')).toMatch(/^\|1\|/)
    expect(await output(sshd.settings({ knownHostsFiles: [file] }))).toBe('here\n')
  })

  test('a session killed in mid-stream is a lost connection for reader, writer and exit', async () => {
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings(), never)
    const channel = await connection.execRoot(shell('echo ready; sleep 60'), never)
    const chunks = channel.stdout[Symbol.asyncIterator]()
    expect(Buffer.from((await chunks.next()).value ?? []).toString()).toBe('ready\n')
    const full = channel.write(Buffer.alloc(8 * 1024 * 1024))
    await Promise.all([
      expect(chunks.next()).rejects.toMatchObject({ code: 'transport.lost' }),
      expect(full).rejects.toMatchObject({ code: 'transport.lost' }),
      expect(channel.exited).rejects.toMatchObject({ code: 'transport.lost' }),
      killSessions(sshd),
    ])
    await expect(connection.execRoot(shell('true'), never)).rejects.toMatchObject({ code: 'transport.lost' })
  })

  test('a flood on standard error ends the channel', async () => {
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings(), never)
    const channel = await connection.execRoot(shell('yes x >&2'), never)
    await expect(readAll(channel)).rejects.toMatchObject({ code: 'transport.flood' })
  })

  test('200 MB each way stay within a few MB of memory', async () => {
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings(), never)
    const size = 200 * 1024 * 1024
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const look = () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    const down = await connection.execRoot(shell(`dd if=/dev/zero bs=1048576 count=200 2>/dev/null`), never)
    let got = 0
    for await (const chunk of down.stdout) {
      got += chunk.length
      look()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(got).toBe(size)
    const up = await connection.execRoot(shell('wc -c'), never)
    const slice = Buffer.alloc(64 * 1024)
    for (let sent = 0; sent < size; sent += slice.length) {
      await up.write(slice)
      look()
    }
    up.end()
    expect((await readAll(up)).toString().trim()).toBe(String(size))
    expect(most).toBeLessThan(64 * 1024 * 1024)
  })

  test('many connections to one sshd stay below its MaxStartups', async () => {
    await using connector = createConnector()
    const connections = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        connector.connect(`h${String(index)}`, sshd.settings(), never),
      ),
    )
    expect(connections).toHaveLength(30)
    expect(sshd.log()).not.toContain('MaxStartups')
    await Promise.all(connections.map((connection) => connection[Symbol.asyncDispose]()))
  })

  test('a jump host is one connection for all, and each hop proves its key', async () => {
    await using jump = await startSshd()
    await using connector = createConnector()
    const settings = sshd.settings({ jump: jump.settings() })
    const connections = await Promise.all(
      ['a', 'b', 'c'].map((host) => connector.connect(host, settings, never)),
    )
    for (const connection of connections) {
      expect((await readAll(await connection.execRoot(shell('echo $PPID'), never))).length).toBeGreaterThan(1)
    }
    expect(jump.log().match(/Accepted publickey/g)).toHaveLength(1)
    const first = connections[0]
    const channel = await first?.execRoot(shell('sleep 60'), never)
    await Promise.all([
      expect(channel?.exited).rejects.toMatchObject({ code: 'transport.lost' }),
      killSessions(jump),
    ])
    await expect(connector.connect('d', settings, never)).rejects.toMatchObject({
      code: 'transport.jump-failed',
    })
    const unknownTarget = sshd.settings({ jump: jump.settings(), knownHostsFiles: [] })
    await expect(output(unknownTarget)).rejects.toMatchObject({ code: 'transport.host-key-unknown' })
    const unknownJump = sshd.settings({ jump: jump.settings({ knownHostsFiles: [] }) })
    await expect(output(unknownJump)).rejects.toMatchObject({ code: 'transport.jump-failed' })
  })

  test('a jump host is shared by those alone who check and enter it in the same way', async () => {
    await using jump = await startSshd()
    await using connector = createConnector()
    await using connection = await connector.connect('a', sshd.settings({ jump: jump.settings() }), never)
    expect((await readAll(await connection.execRoot(shell('echo x'), never))).toString()).toBe('x\n')
    for (const other of [{ knownHostsFiles: [] }, { identityFiles: [], agent: false }]) {
      const settings = sshd.settings({ jump: jump.settings(other) })
      await expect(connector.connect('b', settings, never)).rejects.toMatchObject({
        code: 'transport.jump-failed',
      })
    }
  })

  test('a host behind a jump host that does not answer is unreachable', async () => {
    const port = await freePort()
    await expect(output(sshd.settings({ port, jump: sshd.settings() }))).rejects.toMatchObject({
      code: 'transport.jump-failed',
    })
  })
})

describe('hosts with more than one key', () => {
  test('only the types on record are asked for', async () => {
    await using sshd = await startSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] })
    for (const name of ['ed25519', 'ecdsa', 'rsa'] as const) {
      const file = join(sshd.folder, 'one-type')
      await writeFile(file, `[127.0.0.1]:${String(sshd.port)} ${String(sshd.hostKeys.get(name))}\n`)
      expect(await output(sshd.settings({ knownHostsFiles: [file] }))).toBe('here\n')
    }
  })

  test('all keys are gathered without a login; a known host is not looked at', async () => {
    await using sshd = await startSshd({ hostKeys: ['ed25519', 'rsa'] })
    await using connector = createConnector()
    const unknown = sshd.settings({ knownHostsFiles: [] })
    const keys = await connector.scanHostKeys('one', unknown, never)
    expect(keys.map(({ key }) => `${key.type} ${key.base64}`)).toEqual([...sshd.hostKeys.values()])
    const { stdout } = await run('ssh-keygen', ['-lf', join(sshd.folder, 'host_ed25519.pub')])
    expect(stdout).toContain(String(keys[0]?.fingerprint))
    expect(sshd.log()).not.toContain('Accepted')
    const dead = sshd.settings({ knownHostsFiles: [], port: await freePort() })
    const found = await connector.unknownHosts(
      [
        { name: 'known', connection: sshd.settings() },
        { name: 'unknown', connection: unknown },
        { name: 'dead', connection: dead },
        { name: 'behind', connection: sshd.settings({ jump: unknown }) },
      ],
      never,
    )
    expect(found.map(({ host }) => host)).toEqual([`root@127.0.0.1:${String(sshd.port)}`, 'unknown'])
  })

  test('a server that signs with SHA-1 only is refused', async () => {
    await using sshd = await startSshd({ hostKeys: ['rsa'], config: ['HostKeyAlgorithms ssh-rsa'] })
    await expect(output(sshd.settings())).rejects.toMatchObject({ code: 'transport.host-key-unknown' })
    await using macs = await startSshd({ config: ['MACs hmac-sha1', 'Ciphers aes128-ctr'] })
    await expect(output(macs.settings())).rejects.toMatchObject({ code: 'transport.handshake' })
  })
})

describe('hosts that do not answer', () => {
  const nowhere: ConnectionSettings = {
    kind: 'ssh',
    address: '127.0.0.1',
    port: 1,
    user: 'root',
    identityFiles: [],
    agent: false,
    hostKeys: [],
    knownHostsFiles: [],
    connectTimeoutMs: 300,
    become: { method: 'none' },
  }

  test('a closed port', async () => {
    const port = await freePort()
    await expect(output({ ...nowhere, port })).rejects.toMatchObject({ code: 'transport.unreachable' })
  })

  test('a port that accepts and is silent: three attempts, then a timeout; or an interrupt at once', async () => {
    let accepted = 0
    const abort = new AbortController()
    const server = createServer((socket) => {
      accepted += 1
      if (accepted > 3) abort.abort()
      socket.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      await expect(output({ ...nowhere, port })).rejects.toMatchObject({ code: 'transport.timeout' })
      expect(accepted).toBe(3)
      await using connector = createConnector()
      const patient = { ...nowhere, port, connectTimeoutMs: 60_000 }
      await expect(connector.connect('one', patient, abort.signal)).rejects.toMatchObject({
        code: 'transport.interrupted',
      })
    } finally {
      server.close()
    }
  })

  test('a server that talks something else, without end', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write('HTTP/1.1 400 Bad Request\r\n'.repeat(100_000))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      const error: unknown = await output({ ...nowhere, port }).catch((caught: unknown) => caught)
      expect(error).toMatchObject({ name: 'KmsfleetError' })
    } finally {
      server.close()
    }
  })

  test('what a busy server says before it closes is told', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('Exceeded MaxStartups\r\n')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    try {
      const error: unknown = await output({ ...nowhere, port }).catch((caught: unknown) => caught)
      expect(error).toMatchObject({ code: 'transport.unreachable' })
      expect(String(error)).toContain('"Exceeded MaxStartups"')
    } finally {
      server.close()
    }
  })

  test('a frozen host is given up after its keepalives', async () => {
    await using sshd = await startSshd()
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings(), never)
    const channel = await connection.execRoot(shell('echo $PPID; sleep 300'), never)
    const chunks = channel.stdout[Symbol.asyncIterator]()
    const session = Number(Buffer.from((await chunks.next()).value ?? []).toString())
    process.kill(session, 'SIGSTOP')
    try {
      await expect(chunks.next()).rejects.toMatchObject({ code: 'transport.lost' })
    } finally {
      process.kill(session, 'SIGKILL')
    }
  })
})

async function authorize(sshd: Sshd, publicKey: string): Promise<void> {
  const file = join(sshd.folder, 'authorized_keys')
  await writeFile(file, `${await readFile(file, 'utf8')}${await readFile(publicKey, 'utf8')}`)
}
