import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { createSshG, type SshConfigOptions } from './ssh-g.ts'

/** Fills in what the inventory left open from the OpenSSH client's configuration. */
export interface SshConfig {
  /**
   * `explicit` names the fields (and `jump.user`, `jump.port`) that the inventory or command line set: they stay, but
   * for the address, which is what stands on ssh's command line and may be an alias of ssh's configuration. The rest comes from `ssh -G`, else from ssh's defaults. ForwardAgent, LocalCommand, ControlPath and the like are
   * ignored. Throws `transport.ssh-config` where the configuration needs what only OpenSSH itself can do.
   */
  complete(
    host: string,
    settings: ConnectionSettings,
    explicit: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<ConnectionSettings>
}

/** One reader for a run. */
export function createSshConfig(options: SshConfigOptions = {}): SshConfig {
  const home = options.home ?? homedir()
  const sshG = createSshG(options)

  async function completeOne(
    host: string,
    settings: ConnectionSettings,
    said: (field: string) => boolean,
    signal: AbortSignal,
  ): Promise<{ settings: ConnectionSettings; proxyJump: string | undefined }> {
    const question = {
      address: settings.address,
      user: said('user') ? settings.user : undefined,
      port: said('port') ? settings.port : undefined,
    }
    const answer = await sshG.lookUp(host, question, signal)
    const [proxyCommand] = answer.get('proxycommand') ?? []
    if (proxyCommand !== undefined && proxyCommand !== 'none' && !said('jump')) {
      throw new KmsfleetError(
        'transport.ssh-config',
        `${host}: expected no ProxyCommand for ${settings.address}, found "${proxyCommand}" in ssh's configuration`,
        {
          hint: 'A ProxyCommand needs the OpenSSH transport; use ProxyJump, or set the jump host in the inventory.',
        },
      )
    }
    const one = (key: string): string | undefined => answer.get(key)?.[0]
    const address = one('hostname') ?? settings.address
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
        ...agentOf(settings, one('identityagent'), tokens),
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
        if (field === 'jump') return false
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

const defaultIdentities = ['~/.ssh/id_ed25519', '~/.ssh/id_ecdsa', '~/.ssh/id_rsa']
const defaultKnownHosts = ['~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts']

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

/** IdentityAgent: `none`, a socket, the variable that names one, or nothing said. */
function agentOf(
  settings: ConnectionSettings,
  written: string | undefined,
  tokens: Tokens,
): Pick<ConnectionSettings, 'agent' | 'agentSocket'> {
  if (!settings.agent || written === 'none') return { agent: false }
  if (written === undefined || written === 'SSH_AUTH_SOCK') return { agent: true }
  const agentSocket = written.startsWith('$') ? process.env[written.slice(1)] : expand(written, tokens)
  return agentSocket === undefined || agentSocket === '' ? { agent: false } : { agent: true, agentSocket }
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
