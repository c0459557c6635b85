import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { messageOf, systemCode } from './failures.ts'
import { createLimiter } from './limiter.ts'

/** `ssh -G` processes at a time, and the time one may take (a `Match exec` of the user's runs in it). */
const processes = 8
const timeoutMs = 10_000

/** Keywords of ssh_config that change anything here. A configuration without them needs no `ssh -G` for each host. */
const keywordsThatMatter =
  /^\s*(?:hostname|port|user|identityfile|identitiesonly|identityagent|proxyjump|proxycommand|(?:user|global)knownhostsfile|match|canonical\w+)\b/im

/** Fills in what the inventory left open from the OpenSSH client's configuration. */
export interface SshConfig {
  /**
   * `explicit` names the fields (and `jump.user`, `jump.port`) that the inventory or command line set: they stay.
   * The rest comes from `ssh -G`, else from ssh's defaults. ForwardAgent, LocalCommand, ControlPath and the like are
   * ignored. Throws `transport.ssh-config` where the configuration needs what only OpenSSH itself can do.
   */
  complete(
    host: string,
    settings: ConnectionSettings,
    explicit: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<ConnectionSettings>
}

export interface SshConfigOptions {
  /** `ssh -F`; by default the user's and the system's configuration. */
  readonly file?: string
  readonly home?: string
}

/** One reader for a run: answers are remembered, and at most eight processes run at once. */
export function createSshConfig(options: SshConfigOptions = {}): SshConfig {
  const home = options.home ?? homedir()
  const limiter = createLimiter(processes)
  const answers = new Map<string, Promise<Answer>>()
  let matters: Promise<boolean> | undefined

  function ask(host: string, arguments_: readonly string[], signal: AbortSignal): Promise<Answer> {
    const key = arguments_.join('\0')
    const answer =
      answers.get(key) ?? limiter.run('ssh', signal, () => sshG(host, arguments_, signal, options.file))
    answers.set(key, answer)
    return answer
  }

  async function lookUp(
    host: string,
    settings: ConnectionSettings,
    said: (field: string) => boolean,
    signal: AbortSignal,
  ): Promise<Answer> {
    matters ??= options.file === undefined ? configurationMatters(home) : Promise.resolve(true)
    if (settings.kind === 'local' || !(await matters)) return new Map()
    const { address } = settings
    if (address.startsWith('-')) {
      throw new KmsfleetError(
        'transport.ssh-config',
        `${host}: expected the name of a host, found "${address}", which reads as an option`,
        { hint: 'Names begin with a letter or a digit.' },
      )
    }
    const login = said('user') ? ['-l', settings.user] : []
    const port = said('port') ? ['-p', String(settings.port)] : []
    return ask(host, [...login, ...port, '--', address], signal)
  }

  async function completeOne(
    host: string,
    settings: ConnectionSettings,
    said: (field: string) => boolean,
    signal: AbortSignal,
  ): Promise<{ settings: ConnectionSettings; proxyJump: string | undefined }> {
    const answer = await lookUp(host, settings, said, signal)
    const [proxyCommand] = answer.get('proxycommand') ?? []
    if (proxyCommand !== undefined && proxyCommand !== 'none') {
      throw new KmsfleetError(
        'transport.ssh-config',
        `${host}: expected no ProxyCommand for ${settings.address}, found "${proxyCommand}" in ssh's configuration`,
        {
          hint: 'A ProxyCommand needs the OpenSSH transport; use ProxyJump, or set the jump host in the inventory.',
        },
      )
    }
    const one = (key: string): string | undefined => answer.get(key)?.[0]
    const address = said('address') ? settings.address : (one('hostname') ?? settings.address)
    const port = said('port') ? settings.port : Number(one('port') ?? '22')
    const user = said('user') ? settings.user : (one('user') ?? userInfo().username)
    const tokens: Tokens = { home, host: address, port, user, name: settings.address }
    const listed = (key: string): readonly string[] =>
      (answer.get(key) ?? []).flatMap((line) => line.split(' ')).filter((file) => file !== 'none')
    const knownHosts = [...listed('userknownhostsfile'), ...listed('globalknownhostsfile')]
    const identities = answer.get('identityfile') ?? defaultIdentities
    return {
      proxyJump: one('proxyjump'),
      settings: {
        ...settings,
        address,
        port,
        user,
        agent: settings.agent && one('identityagent') !== 'none',
        ...(one('identitiesonly') === 'yes' ? { identitiesOnly: true } : {}),
        identityFiles: said('identityFiles')
          ? settings.identityFiles
          : identities.filter((file) => file !== 'none').map((file) => expand(file, tokens)),
        knownHostsFiles: said('knownHostsFiles')
          ? settings.knownHostsFiles
          : (knownHosts.length > 0 ? knownHosts : defaultKnownHosts).map((file) => expand(file, tokens)),
      },
    }
  }

  return {
    async complete(host, settings, explicit, signal) {
      if (settings.kind === 'local') return settings
      const said = (field: string): boolean => explicit.has(field)
      const found = await completeOne(host, settings, said, signal)
      const fromConfig = found.proxyJump === 'none' ? undefined : found.proxyJump
      const wanted =
        settings.jump ??
        (said('jump') || fromConfig === undefined ? undefined : jumpOf(host, settings, fromConfig))
      if (wanted === undefined) return found.settings
      const fromInventory = settings.jump !== undefined
      const saidOfJump = (field: string): boolean => {
        if (field === 'address') return false
        if (field === 'user') return fromInventory ? explicit.has('jump.user') : wanted.user !== ''
        if (field === 'port') return fromInventory ? explicit.has('jump.port') : wanted.port !== 0
        return explicit.has(field)
      }
      const jump = await completeOne(`${host} (jump)`, wanted, saidOfJump, signal)
      if (jump.proxyJump !== undefined && jump.proxyJump !== 'none') throw chain(host, jump.proxyJump)
      return { ...found.settings, jump: jump.settings }
    },
  }
}

/** Keyword to its values, as `ssh -G` prints them. */
type Answer = ReadonlyMap<string, readonly string[]>

const defaultIdentities = ['~/.ssh/id_ed25519', '~/.ssh/id_ecdsa', '~/.ssh/id_rsa']
const defaultKnownHosts = ['~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts']

function sshG(
  host: string,
  arguments_: readonly string[],
  signal: AbortSignal,
  file: string | undefined,
): Promise<Answer> {
  const all = ['-G', ...(file === undefined ? [] : ['-F', file]), ...arguments_]
  return new Promise((resolve, reject) => {
    execFile('ssh', all, { timeout: timeoutMs, signal, maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(parseSshG(stdout))
        return
      }
      // No OpenSSH client: its configuration is of no account then.
      if (systemCode(error) === 'ENOENT') {
        resolve(new Map())
        return
      }
      const found = stderr.split('\n').find((line) => line.trim() !== '') ?? messageOf(error)
      reject(
        new KmsfleetError(
          'transport.ssh-config',
          `${host}: expected "ssh -G" to read ssh's configuration, found: ${found.trim()}`,
          { hint: 'Mend the file that it names.', cause: error },
        ),
      )
    })
  })
}

export function parseSshG(text: string): Answer {
  const answer = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    if (space <= 0) continue
    const key = line.slice(0, space)
    const values = answer.get(key) ?? []
    values.push(line.slice(space + 1))
    answer.set(key, values)
  }
  return answer
}

/** Does any configuration file have a keyword that matters, or include a file that is not looked at here? */
async function configurationMatters(home: string): Promise<boolean> {
  const folder = '/etc/ssh/ssh_config.d'
  const names = await readdir(folder).catch(() => [])
  const files = ['/etc/ssh/ssh_config', ...names.map((name) => join(folder, name)), join(home, '.ssh/config')]
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')))
  return texts.some((text) => {
    const rest = text.replaceAll(/^\s*include\s+\/etc\/ssh\/ssh_config\.d\/\*\.conf\s*$/gim, '')
    return keywordsThatMatter.test(rest) || /^\s*include\b/im.test(rest)
  })
}

interface Tokens {
  readonly home: string
  readonly host: string
  readonly name: string
  readonly port: number
  readonly user: string
}

/** `~` and the tokens of ssh_config(5) that make sense in a file name. */
function expand(file: string, tokens: Tokens): string {
  const values: Readonly<Record<string, string>> = {
    '%': '%',
    d: tokens.home,
    h: tokens.host,
    n: tokens.name,
    p: String(tokens.port),
    r: tokens.user,
    u: userInfo().username,
  }
  const home = file.startsWith('~/') ? join(tokens.home, file.slice(2)) : file
  return home.replaceAll(/%(.)/g, (whole, token: string) => values[token] ?? whole)
}

/** A ProxyJump of ssh's configuration: `[ssh://][user@]host[:port]`. An empty user and port 0 mean "not said". */
function jumpOf(host: string, settings: ConnectionSettings, text: string): ConnectionSettings {
  if (text.includes(',')) throw chain(host, text)
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:[\]]+)(?::(\d+))?\/?$/.exec(text)
  const address = match?.[2]
  if (match === null || address === undefined) throw chain(host, text)
  return {
    kind: 'ssh',
    address: address.replace(/^\[|\]$/g, ''),
    port: Number(match[3] ?? '0'),
    user: match[1] ?? '',
    identityFiles: settings.identityFiles,
    agent: settings.agent,
    hostKeys: [],
    knownHostsFiles: settings.knownHostsFiles,
    connectTimeoutMs: settings.connectTimeoutMs,
    become: { method: 'none' },
  }
}

function chain(host: string, found: string): KmsfleetError {
  return new KmsfleetError(
    'transport.ssh-config',
    `${host}: expected at most one jump host, itself reached directly, found ProxyJump ${found}`,
    { hint: 'A chain of jump hosts needs the OpenSSH transport; name one jump host in the inventory.' },
  )
}
