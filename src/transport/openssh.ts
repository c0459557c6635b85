import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { rootStart, type RootStart } from './become.ts'
import type { Channel, Connect } from './channel.ts'
import { endChild, type Child } from './child.ts'
import { withRetries } from './dial.ts'
import { interrupted, lost, messageOf, systemCode, target } from './failures.ts'
import { pinnedEntries, type KnownHostsFiles } from './host-keys.ts'
import { knownHostsName, namesMatch } from './known-hosts.ts'
import { createLimiter, handshakesPerTarget } from './limiter.ts'
import { createProgram, type Program } from './program.ts'
import { carryArguments, pinnedName, runArguments, type SshCommandOptions } from './ssh-command.ts'
import type { CarryByOpenssh } from './ssh.ts'
import { explainLoss, explainSsh, tooSlow } from './ssh-conversation.ts'
import { sshEnvironment } from './ssh-environment.ts'
import { partStderr } from './ssh-stderr.ts'

export interface OpensshOptions {
  /** `SSH_AUTH_SOCK`, for a login whose configuration names no other agent. */
  readonly agentSocket?: string
  /** `ssh -F`; by default the user's and the system's configuration. */
  readonly configFile?: string
}

/** Connections by the system's OpenSSH client. */
export interface Openssh extends AsyncDisposable {
  /**
   * Logs in when a program is started, once for each: a `Connection` of this transport is only the promise of one.
   * Passwords and passphrases are not asked for.
   */
  readonly connect: Connect
  /** Bytes to the sshd of a host behind a jump host. */
  readonly carry: CarryByOpenssh
}

/** Time for the login after the TCP connection and the greeting, for which ssh has a clock of its own. */
const loginTimeoutMs = 30_000
/** What `ssh` ends with where it, and not the program on the host, failed; also for a program that a signal ended. */
const sshFailed = 255

export function createOpenssh(options: OpensshOptions, knownHosts: KnownHostsFiles): Openssh {
  const limiter = createLimiter(handshakesPerTarget)
  const environment = sshEnvironment(options.agentSocket)
  /** Of hosts whose keys the inventory has, and of jump hosts that several hosts share. */
  const pinnedFiles = new WeakMap<ConnectionSettings, Promise<string>>()
  let version: Promise<boolean> | undefined
  let folder: Promise<string> | undefined

  /** Everything that a command line needs to stand ready: known_hosts files of pinned keys, and ssh's version. */
  async function prepare(host: string, settings: ConnectionSettings): Promise<SshCommandOptions> {
    const pinned = new Map<ConnectionSettings, string>()
    for (let hop: ConnectionSettings | undefined = settings; hop !== undefined; hop = hop.jump) {
      if (hop.hostKeys.length === 0) continue
      const file = pinnedFiles.get(hop) ?? pin(host, hop)
      pinnedFiles.set(hop, file)
      pinned.set(hop, await file)
    }
    const { configFile } = options
    return {
      modern: await (version ??= knowsNewOptions(environment)),
      pinned: (hop) => pinned.get(hop),
      ...(configFile === undefined ? {} : { configFile }),
    }
  }

  async function pin(host: string, hop: ConnectionSettings): Promise<string> {
    const name = knownHostsName(hop.address, hop.port)
    const entries = pinnedEntries(host, hop, await knownHosts.read(hop.knownHostsFiles)) ?? []
    const lines = entries
      .filter(({ names }) => namesMatch(names, name))
      .map(
        ({ marker, key }) =>
          `${marker === 'revoked' ? '@revoked ' : ''}${pinnedName} ${key.type} ${key.base64}\n`,
      )
    folder ??= mkdtemp(join(tmpdir(), 'kmsfleet-ssh-'))
    const file = join(await folder, `known_hosts-${randomUUID()}`)
    await writeFile(file, lines.join(''), { mode: 0o600, flag: 'wx' })
    return file
  }

  function startSsh(args: readonly string[]): Child {
    // A session of its own: Ctrl-C at the terminal is kmsfleet's to answer, and ssh finds no terminal to ask on.
    return spawn('ssh', args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env: environment })
  }

  return {
    async connect(host, settings, signal) {
      if (signal.aborted) throw interrupted(host)
      if (settings.password !== undefined) throw passwordRefused(host)
      const commandOptions = await prepare(host, settings)
      const channels = new Set<Channel>()
      return {
        async execRoot(command, startSignal) {
          const start = rootStart(host, settings.become, settings.user === 'root', command)
          const args = runArguments(host, settings, start.command, commandOptions)
          const channel = await withRetries(host, startSignal, () =>
            limiter.run(target(firstHop(settings)), startSignal, () =>
              logIn(host, settings, startSsh(args), start, startSignal),
            ),
          )
          channels.add(channel)
          const forget = (): void => void channels.delete(channel)
          channel.exited.then(forget, forget)
          return channel
        },
        async [Symbol.asyncDispose]() {
          await Promise.all([...channels].map((channel) => channel[Symbol.asyncDispose]()))
        },
      }
    },
    async carry(host, settings, jump) {
      const child = startSsh(carryArguments(host, jump, settings, await prepare(host, jump)))
      child.once('error', () => undefined)
      child.stderr.resume()
      const carrier = Duplex.from({ writable: child.stdin, readable: child.stdout })
      carrier.once('close', () => void endChild(child, 0))
      return carrier
    },
    async [Symbol.asyncDispose]() {
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true })
    },
  }
}

/** Waits until `ssh` is logged in. Rejects with an `AttemptError` where it does not get there. */
function logIn(
  host: string,
  settings: ConnectionSettings,
  child: Child,
  start: RootStart,
  signal: AbortSignal,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    let program: Program | undefined
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    const giveUp = (error: Error): void => {
      settle()
      reject(error)
      void endChild(child, 0)
    }
    const abort = (): void => {
      giveUp(interrupted(host))
    }
    const timer = setTimeout(() => {
      giveUp(tooSlow(host, settings))
    }, settings.connectTimeoutMs + loginTimeoutMs)
    signal.addEventListener('abort', abort, { once: true })

    const stderr = partStderr(child.stderr, () => {
      settle()
      program = createProgram(
        host,
        {
          stdin: child.stdin,
          stdout: child.stdout,
          stderr: stderr.program,
          whenRoom: (then) => {
            then()
          },
          close: () => endChild(child, 0),
        },
        start.watch,
      )
      resolve(program.channel)
    })
    child.once('exit', (code) => {
      if (code !== null && code !== sshFailed) program?.ended({ code, signal: undefined })
    })
    // What ssh said last may come after the news of its end, or before.
    void Promise.all([once(child, 'exit'), once(child.stderr, 'close')]).then(
      () => {
        if (program === undefined) giveUp(explainSsh(host, settings, stderr.conversation()))
        else if (child.exitCode === null || child.exitCode === sshFailed) {
          const why =
            explainLoss(program.channel.stderrTail()) ?? 'ssh ended without the program having said how'
          program.fail(lost(host, why))
        }
        // It may have ended before its login was seen: nobody was there to be told then.
        else program.ended({ code: child.exitCode, signal: undefined })
      },
      (error: unknown) => {
        giveUp(noSsh(host, error))
      },
    )
    if (signal.aborted) abort()
  })
}

function firstHop(settings: ConnectionSettings): ConnectionSettings {
  return settings.jump === undefined ? settings : firstHop(settings.jump)
}

/** Is this ssh of 8.7 or later? */
function knowsNewOptions(env: Readonly<Record<string, string>>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    execFile('ssh', ['-V'], { env, timeout: 10_000 }, (error, _stdout, stderr) => {
      if (error !== null && systemCode(error) === 'ENOENT') {
        reject(noSsh('this machine', error))
        return
      }
      const [, major = '0', minor = '0'] = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/.exec(stderr) ?? []
      resolve(Number(major) > 8 || (Number(major) === 8 && Number(minor) >= 7))
    })
  })
}

function noSsh(host: string, cause: unknown): KmsfleetError {
  return new KmsfleetError(
    'transport.ssh-config',
    `${host}: expected the OpenSSH client, found none: ${messageOf(cause)}`,
    { hint: 'Install it, or use --transport ssh2 where nothing needs it.', cause },
  )
}

function passwordRefused(host: string): KmsfleetError {
  return new KmsfleetError(
    'transport.ssh-config',
    `${host}: expected a key or a ticket to log in with through the OpenSSH client, found a password`,
    { hint: 'Use --transport ssh2 with --ask-pass; a password for sudo is taken by both.' },
  )
}
