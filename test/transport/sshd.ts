import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ConnectionSettings } from '../../src/model/host.ts'

const run = promisify(execFile)

/** A real sshd on loopback with host keys and one user key of its own. */
export interface Sshd extends AsyncDisposable {
  readonly folder: string
  readonly port: number
  readonly pid: number
  /** Private key that root may log in with. */
  readonly userKey: string
  /** `TYPE BASE64` of each host key, by short type name. */
  readonly hostKeys: ReadonlyMap<HostKeyName, string>
  readonly knownHosts: string
  /** Everything that sshd logged so far. */
  log(): string
  settings(more?: Partial<ConnectionSettings>): ConnectionSettings
}

export type HostKeyName = 'ed25519' | 'ecdsa' | 'rsa'

export interface SshdOptions {
  readonly hostKeys?: readonly HostKeyName[]
  /** More lines for sshd_config. */
  readonly config?: readonly string[]
  /** Name in the folder of a certificate authority that is made, and whose users may log in. */
  readonly trustUsersOf?: string
  /** Name in the folder of a certificate authority that is made, and certifies the ed25519 host key for 127.0.0.1. */
  readonly certifyAs?: string
}

export async function keygen(file: string, type: string, passphrase = ''): Promise<void> {
  const size = type === 'rsa' ? ['-b', '2048'] : []
  await run('ssh-keygen', ['-q', '-t', type, ...size, '-N', passphrase, '-C', 'test', '-f', file])
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'kmsfleet-sshd-'))
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  const hostKeys = new Map<HostKeyName, string>()
  const names = options.hostKeys ?? ['ed25519']
  for (const name of names) {
    const file = join(folder, `host_${name}`)
    await keygen(file, name)
    const [type, base64] = (await readFile(`${file}.pub`, 'utf8')).split(' ')
    hostKeys.set(name, `${String(type)} ${String(base64)}`)
  }
  const certified: string[] = []
  if (options.trustUsersOf !== undefined) {
    await keygen(join(folder, options.trustUsersOf), 'ed25519')
    certified.push(`TrustedUserCAKeys ${join(folder, options.trustUsersOf)}.pub`)
  }
  if (options.certifyAs !== undefined) {
    const authority = join(folder, options.certifyAs)
    await keygen(authority, 'ed25519')
    const hostKey = join(folder, 'host_ed25519')
    await run('ssh-keygen', ['-q', '-s', authority, '-I', 'host', '-h', '-n', '127.0.0.1', `${hostKey}.pub`])
    certified.push(`HostCertificate ${hostKey}-cert.pub`)
  }
  const userKey = join(folder, 'user')
  await keygen(userKey, 'ed25519')
  const authorized = join(folder, 'authorized_keys')
  await writeFile(authorized, await readFile(`${userKey}.pub`), { mode: 0o600 })
  const port = await freePort()
  const config = join(folder, 'sshd_config')
  await writeFile(
    config,
    [
      'ListenAddress 127.0.0.1',
      `Port ${String(port)}`,
      ...names.map((name) => `HostKey ${join(folder, `host_${name}`)}`),
      `AuthorizedKeysFile ${authorized}`,
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'LogLevel VERBOSE',
      ...certified,
      ...(options.config ?? []),
      '',
    ].join('\n'),
  )
  let log = ''
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('Server listening')) resolve()
    })
    child.once('exit', () => {
      reject(new Error(`sshd ended: ${log}`))
    })
  })
  const knownHosts = join(folder, 'known_hosts')
  await writeFile(
    knownHosts,
    [...hostKeys.values()].map((key) => `[127.0.0.1]:${String(port)} ${key}\n`).join(''),
  )
  return {
    folder,
    port,
    pid: child.pid ?? 0,
    userKey,
    hostKeys,
    knownHosts,
    log: () => log,
    settings: (more = {}) => ({
      kind: 'ssh',
      address: '127.0.0.1',
      port,
      user: 'root',
      identityFiles: [userKey],
      agent: false,
      hostKeys: [],
      knownHostsFiles: [knownHosts],
      connectTimeoutMs: 10_000,
      become: { method: 'none' },
      ...more,
    }),
    async [Symbol.asyncDispose]() {
      await stop(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Kills the session processes of an sshd, as a cut network would end them for the client. */
export async function killSessions(sshd: Sshd): Promise<void> {
  const { stdout } = await run('pgrep', ['-P', String(sshd.pid)])
  for (const pid of stdout.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL')
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}
