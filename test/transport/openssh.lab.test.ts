import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ConnectionSettings } from '../../src/model/host.ts'
import { Secret } from '../../src/model/secret.ts'
import { createConnector, type ConnectorOptions } from '../../src/transport/connect.ts'
import { createSshConfig } from '../../src/transport/ssh-config.ts'
import { readAll, shell } from './read.ts'
import { freePort, keygen, killSessions, startSshd, type Sshd } from './sshd.ts'

const run = promisify(execFile)
const never = new AbortController().signal

/** Runs a script over a connection of its own, by the OpenSSH client, and gives its output. */
async function output(
  settings: ConnectionSettings,
  script = 'echo here',
  options: ConnectorOptions = {},
): Promise<string> {
  await using connector = createConnector(options)
  await using connection = await connector.connect('one', { ...settings, transport: 'openssh' }, never)
  return (await readAll(await connection.execRoot(shell(script), never))).toString()
}

/** The settings of a host as the command line completes them from a configuration of ssh, and that configuration. */
async function configured(
  sshd: Sshd,
  lines: readonly string[],
  more: Partial<ConnectionSettings> = {},
): Promise<{ settings: ConnectionSettings; sshConfigFile: string }> {
  const sshConfigFile = join(sshd.folder, `config-${String(Math.random())}`)
  await writeFile(sshConfigFile, `${lines.join('\n')}\n`)
  const said = new Set(['user', 'knownHostsFiles', 'agent', ...Object.keys(more)])
  const config = createSshConfig({ file: sshConfigFile, home: sshd.folder })
  const settings = await config.complete('one', sshd.settings({ address: 'one', ...more }), said, never)
  return { settings, sshConfigFile }
}

const at = (sshd: Sshd): readonly string[] => [
  'HostName 127.0.0.1',
  `Port ${String(sshd.port)}`,
  `IdentityFile ${sshd.userKey}`,
]

describe('over the OpenSSH client', () => {
  let sshd: Sshd
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd[Symbol.asyncDispose]())

  test('a program takes and gives bytes, and nothing of what ssh says is among them', async () => {
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings({ transport: 'openssh' }), never)
    const channel = await connection.execRoot(shell('id -u; cat; echo to stderr >&2; exit 3'), never)
    const bytes = Buffer.from([0, 1, 10, 13, 126, 46, 10, 126, 63, 255])
    await channel.write(bytes)
    channel.end()
    expect(await readAll(channel)).toEqual(Buffer.concat([Buffer.from('0\n'), bytes]))
    expect(await channel.exited).toEqual({ code: 3, signal: undefined })
    expect(channel.stderrTail()).toBe('to stderr\n')
  })

  test('a program that ended before its login was seen says how', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kmsfleet-late-'))
    const late = `(sleep 0.3; echo 'Authenticated to one ([127.0.0.1]:22) using "publickey".' >&2) >/dev/null &`
    const script = `#!/bin/sh\n[ "$1" != -V ] || { echo OpenSSH_9.2 >&2; exit; }\n${late}\nexit 3\n`
    await writeFile(join(folder, 'ssh'), script, { mode: 0o755 })
    vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`)
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings({ transport: 'openssh' }), never)
    const channel = await connection.execRoot(shell('exit 3'), never)
    vi.unstubAllEnvs()
    expect(await channel.exited).toEqual({ code: 3, signal: undefined })
    await rm(folder, { recursive: true })
  })

  test.each([
    ['a program that a signal ended', 'kill -9 $$'],
    ['a session that was killed', 'kill -9 $PPID'],
  ])('%s is a lost connection, and no exit code', async (_what, script) => {
    await expect(output(sshd.settings(), script)).rejects.toMatchObject({ code: 'transport.lost' })
  })

  test('a session killed in mid-stream is lost for reader, writer and exit', async () => {
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings({ transport: 'openssh' }), never)
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
  })

  test('a program is ended with its connection, and a second one runs beside it', async () => {
    const connector = createConnector()
    const connection = await connector.connect('one', sshd.settings({ transport: 'openssh' }), never)
    const first = await connection.execRoot(shell('echo $$; cat'), never)
    const chunks = first.stdout[Symbol.asyncIterator]()
    const pid = Number(Buffer.from((await chunks.next()).value ?? []).toString())
    const second = await connection.execRoot(shell('echo second'), never)
    expect((await readAll(second)).toString()).toBe('second\n')
    expect(existsSync(`/proc/${String(pid)}`)).toBe(true)
    await connection[Symbol.asyncDispose]()
    await expect(first.exited).rejects.toMatchObject({ code: 'transport.lost' })
    await expect.poll(() => existsSync(`/proc/${String(pid)}`), { timeout: 20_000 }).toBe(false)
    await connector[Symbol.asyncDispose]()
  })

  test('a flood on standard error ends the channel', async () => {
    await expect(output(sshd.settings(), 'yes x >&2')).rejects.toMatchObject({ code: 'transport.flood' })
  })

  test('an unknown, a changed and a revoked host key are refused before any login', async () => {
    const other = join(sshd.folder, 'other-host')
    await keygen(other, 'ed25519')
    const otherKey = (await readFile(`${other}.pub`, 'utf8')).trim()
    const own = String(sshd.hostKeys.get('ed25519'))
    const name = `[127.0.0.1]:${String(sshd.port)}`
    const before = sshd.log().split('Accepted').length
    for (const [code, text, hostKeys] of [
      ['transport.host-key-unknown', '', []],
      ['transport.host-key-unknown', `@cert-authority * ${otherKey}\n`, []],
      ['transport.host-key-changed', `${name} ${otherKey}\n`, []],
      ['transport.host-key-revoked', `@revoked * ${own}\n`, []],
      ['transport.host-key-changed', `${name} ${own}\n`, [otherKey]],
      ['transport.host-key-revoked', `@revoked ${name} ${own}\n`, [own]],
    ] as const) {
      const file = join(sshd.folder, 'judged')
      await writeFile(file, text)
      const settings = sshd.settings({ knownHostsFiles: [file], hostKeys })
      await expect(output(settings)).rejects.toMatchObject({ code })
    }
    expect(sshd.log().split('Accepted').length).toBe(before)
  })

  test('host keys of the inventory count alone, and leave no file behind', async () => {
    const key = String(sshd.hostKeys.get('ed25519'))
    const ours = async (): Promise<readonly string[]> =>
      (await readdir(tmpdir())).filter((name) => name.startsWith('kmsfleet-ssh-'))
    const before = await ours()
    expect(await output(sshd.settings({ hostKeys: [`${key} comment`], knownHostsFiles: [] }))).toBe('here\n')
    expect(await ours()).toEqual(before)
  })

  test('a refused key and a login by password', async () => {
    const stranger = join(sshd.folder, 'stranger')
    await keygen(stranger, 'ed25519')
    const refused: unknown = await output(sshd.settings({ identityFiles: [stranger] })).catch(
      (caught: unknown) => caught,
    )
    expect(refused).toMatchObject({ code: 'transport.auth-failed' })
    expect(String(refused)).toContain('Permission denied (publickey)')
    const password = new Secret('p', Buffer.from('tell nobody'))
    await expect(output(sshd.settings({ password }))).rejects.toMatchObject({
      code: 'transport.ssh-config',
      hint: expect.stringContaining('--transport ssh2') as string,
    })
  })

  test('hosts that do not answer', async () => {
    const port = await freePort()
    await expect(output(sshd.settings({ port }))).rejects.toMatchObject({ code: 'transport.unreachable' })
    await expect(output(sshd.settings({ address: 'no-such-host.invalid' }))).rejects.toMatchObject({
      code: 'transport.unreachable',
    })
  })

  test('an interrupt gives up the start', async () => {
    const abort = new AbortController()
    await using connector = createConnector()
    const settings = sshd.settings({ transport: 'openssh' })
    await using connection = await connector.connect('one', settings, abort.signal)
    const start = connection.execRoot(shell('true'), abort.signal)
    abort.abort()
    await expect(start).rejects.toMatchObject({ code: 'transport.interrupted' })
  })

  test('a host name that reads as an option, or as a shell, runs nothing', async () => {
    const marker = join(sshd.folder, 'ran')
    const address = `-oProxyCommand=touch ${marker}`
    for (const settings of [
      sshd.settings({ address }),
      sshd.settings({ alias: address }),
      sshd.settings({ address: `$(touch ${marker})` }),
      sshd.settings({ jump: sshd.settings({ address }) }),
    ]) {
      await expect(output(settings)).rejects.toMatchObject({ code: 'transport.ssh-config' })
    }
    for (const user of [`-oProxyCommand=touch ${marker}`, `;touch ${marker};`, `$(touch ${marker})`]) {
      await expect(output(sshd.settings({ jump: sshd.settings({ user }) }))).rejects.toMatchObject({
        code: 'transport.jump-failed',
      })
    }
    expect(existsSync(marker)).toBe(false)
  })

  test('paths with spaces and percent signs are taken as they are', async () => {
    const key = join(sshd.folder, 'a key %h')
    const known = join(sshd.folder, 'known hosts %p')
    await writeFile(key, await readFile(sshd.userKey), { mode: 0o600 })
    await writeFile(known, await readFile(sshd.knownHosts))
    const settings = sshd.settings({ identityFiles: [key], knownHostsFiles: [known] })
    expect(await output(settings)).toBe('here\n')
    expect(await output({ ...settings, jump: settings })).toBe('here\n')
    const odd = sshd.settings({ identityFiles: ['/a"b'] })
    await expect(output(odd)).rejects.toMatchObject({ code: 'transport.ssh-config' })
  })

  test('two jump hosts, each of which proves its key; no option of ssh goes past them', async () => {
    await using near = await startSshd()
    await using far = await startSshd()
    const way = (more: Partial<ConnectionSettings>, farMore: Partial<ConnectionSettings> = {}) =>
      sshd.settings({ jump: near.settings({ jump: far.settings(farMore), ...more }) })
    expect(await output(way({}))).toBe('here\n')
    expect(near.log()).toContain('Accepted publickey')
    expect(far.log()).toContain('Accepted publickey')
    for (const settings of [way({ knownHostsFiles: [] }), way({}, { knownHostsFiles: [] })]) {
      const error: unknown = await output(settings).catch((caught: unknown) => caught)
      expect(error).toMatchObject({ code: 'transport.jump-failed' })
      expect(String(error)).toContain('host key')
    }
    const unknown = { ...way({}), knownHostsFiles: [] }
    await expect(output(unknown)).rejects.toMatchObject({ code: 'transport.host-key-unknown' })
    const closed = { ...way({}), port: await freePort() }
    await expect(output(closed)).rejects.toMatchObject({ code: 'transport.jump-failed' })
    await using connector = createConnector()
    const scanned = { ...unknown, transport: 'openssh' } as const
    const keys = await connector.scanHostKeys('one', scanned, never)
    expect(keys.map(({ key }) => `${key.type} ${key.base64}`)).toEqual([...sshd.hostKeys.values()])
  })

  test('jump hosts and aliases of the configuration', async () => {
    await using jump = await startSshd()
    const { settings, sshConfigFile } = await configured(
      sshd,
      [
        'Host one',
        ...at(sshd),
        'ProxyJump first,second',
        'Host first second',
        ...at(jump),
        'User root',
        'Host *',
        `UserKnownHostsFile ${sshd.knownHosts} ${jump.knownHosts}`,
      ],
      { knownHostsFiles: [sshd.knownHosts, jump.knownHosts] },
    )
    expect(settings).toMatchObject({ transport: 'openssh', alias: 'one', jump: { jump: { alias: 'first' } } })
    expect(await output(settings, undefined, { sshConfigFile })).toBe('here\n')
  })

  test('a ProxyCommand of the configuration', async () => {
    const { settings, sshConfigFile } = await configured(sshd, [
      'Host one',
      ...at(sshd),
      `ProxyCommand ${process.execPath} -e "s=require('net').connect(%p,'%h');process.stdin.pipe(s).pipe(process.stdout)"`,
    ])
    expect(settings).toMatchObject({ transport: 'openssh', proxyCommand: true })
    expect(await output(settings, undefined, { sshConfigFile })).toBe('here\n')
    const broken = await configured(sshd, [
      'Host one',
      ...at(sshd),
      'ProxyCommand sh -c "echo no way >&2; exit 1"',
    ])
    const error: unknown = await output(broken.settings, undefined, broken).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'transport.unreachable' })
    expect(String(error)).toContain('no way')
  })

  test('what the configuration would open or run stays shut', async () => {
    const marker = join(sshd.folder, 'local-command')
    const agentSocket = join(sshd.folder, 'agent.sock')
    const agent = spawn('ssh-agent', ['-D', '-a', agentSocket], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      await new Promise((resolve) => agent.stdout.once('data', resolve))
      const { settings, sshConfigFile } = await configured(
        sshd,
        [
          'Host one',
          ...at(sshd),
          'CertificateFile /nonexistent',
          'ForwardAgent yes',
          'ForwardX11 yes',
          'PermitLocalCommand yes',
          `LocalCommand touch ${marker}`,
          'RemoteCommand echo other',
          `RemoteForward ${join(sshd.folder, 'back.sock')} 127.0.0.1:${String(sshd.port)}`,
          'ControlMaster auto',
          `ControlPath ${join(sshd.folder, 'control-%C')}`,
          'ControlPersist yes',
          'StrictHostKeyChecking no',
          'UpdateHostKeys yes',
          'AddKeysToAgent yes',
          'RequestTTY force',
        ],
        { agent: true },
      )
      const known = await readFile(sshd.knownHosts, 'utf8')
      const script = 'echo "[$SSH_AUTH_SOCK][$DISPLAY]"; ls ' + sshd.folder
      const said = await output(settings, script, { sshConfigFile, agentSocket })
      expect(said).toMatch(/^\[\]\[\]\n/)
      expect(said).not.toMatch(/back\.sock|control-|local-command/)
      expect(existsSync(marker)).toBe(false)
      expect(await readFile(sshd.knownHosts, 'utf8')).toBe(known)
      const { stdout } = await run('ssh-add', ['-l'], { env: { SSH_AUTH_SOCK: agentSocket } }).catch(
        (error: unknown) => error as { stdout: string },
      )
      expect(stdout).toContain('no identities')
      const stranger = { ...settings, knownHostsFiles: [] }
      await expect(output(stranger, '', { sshConfigFile })).rejects.toMatchObject({
        code: 'transport.host-key-unknown',
      })
    } finally {
      agent.kill()
    }
  })

  test("the environment of ssh has none of the operator's secrets", async () => {
    process.env['BAO_TOKEN'] = 'tell nobody'
    try {
      const file = join(sshd.folder, 'environment')
      const { settings, sshConfigFile } = await configured(sshd, [
        'Host one',
        ...at(sshd),
        `ProxyCommand sh -c "env >${file}; exit 1"`,
      ])
      await expect(output(settings, '', { sshConfigFile })).rejects.toMatchObject({
        code: 'transport.unreachable',
      })
      const names = (await readFile(file, 'utf8')).split('\n').map((line) => line.split('=')[0])
      expect(names).toContain('PATH')
      expect(names).not.toContain('BAO_TOKEN')
    } finally {
      delete process.env['BAO_TOKEN']
    }
  })
})

describe('certificates', () => {
  test('a user certificate and a host certificate', async () => {
    await using sshd = await startSshd({ trustUsersOf: 'user_ca', certifyAs: 'host_ca' })
    const key = join(sshd.folder, 'certified')
    await keygen(key, 'ed25519')
    const bare = sshd.settings({ identityFiles: [key], transport: 'openssh' })
    await expect(output(bare)).rejects.toMatchObject({ code: 'transport.auth-failed' })
    await run('ssh-keygen', [
      '-q',
      '-s',
      join(sshd.folder, 'user_ca'),
      '-I',
      'me',
      '-n',
      'root',
      `${key}.pub`,
    ])

    const known = join(sshd.folder, 'authorities')
    const authority = (await readFile(join(sshd.folder, 'host_ca.pub'), 'utf8')).trim()
    await writeFile(known, `@cert-authority [127.0.0.1]:* ${authority}\n`)
    const config = createSshConfig({ home: sshd.folder })
    const said = new Set(['user', 'port', 'identityFiles', 'knownHostsFiles', 'agent'])
    const complete = (more: Partial<ConnectionSettings>): Promise<ConnectionSettings> =>
      config.complete('one', sshd.settings(more), said, never)

    const byUser = await complete({ identityFiles: [key] })
    expect(byUser.transport).toBe('openssh')
    expect(await output(byUser)).toBe('here\n')
    expect(sshd.log()).toContain('ID me')

    const byHost = await complete({ knownHostsFiles: [known] })
    expect(byHost.transport).toBe('openssh')
    expect(await output(byHost)).toBe('here\n')
    await using connector = createConnector()
    expect(await connector.unknownHosts([{ name: 'one', connection: byHost }], never)).toEqual([])
    const otherName = sshd.settings({ knownHostsFiles: [known], address: 'localhost' })
    await expect(output(otherName)).rejects.toMatchObject({ code: 'transport.host-key-unknown' })

    expect((await complete({})).transport).toBeUndefined()
    const withPassword = await complete({
      identityFiles: [key],
      password: new Secret('p', Buffer.from('p')),
    })
    expect(withPassword.transport).toBeUndefined()
  })

  test('a key on a FIDO token is for ssh, where no other is at hand', async () => {
    await using sshd = await startSshd()
    const token = join(sshd.folder, 'token')
    await writeFile(token, 'handle')
    await writeFile(`${token}.pub`, 'sk-ssh-ed25519@openssh.com AAAA me')
    await chmod(token, 0o600)
    const config = createSshConfig({ home: sshd.folder })
    const said = new Set(['user', 'port', 'identityFiles', 'knownHostsFiles', 'agent'])
    const transportWith = async (...identityFiles: string[]): Promise<string | undefined> =>
      (await config.complete('one', sshd.settings({ identityFiles }), said, never)).transport
    expect(await transportWith(token)).toBe('openssh')
    expect(await transportWith(token, sshd.userKey)).toBeUndefined()
  })
})
