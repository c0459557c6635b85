import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { createKnownHostsFiles } from './host-keys.ts'
import { createFindNeed, type OpensshNeed } from './openssh-needs.ts'
import { createSshG, type SshConfigOptions } from './ssh-g.ts'

/** Fills in what the inventory left open from the OpenSSH client's configuration, and chooses the transport. */
export interface SshConfig {
  /**
   * `explicit` names the fields (and `jump.user`, `jump.port`) that the inventory or command line set: they stay, but
   * for the address, which is what stands on ssh's command line and may be an alias of ssh's configuration. The rest
   * comes from `ssh -G`, else from ssh's defaults; with the OpenSSH client it finds its keys itself. ForwardAgent,
   * LocalCommand, ControlPath and the like are ignored. Throws `transport.ssh-config` where the library was asked for
   * and the configuration needs what only OpenSSH itself can do.
   */
  complete(
    host: string,
    settings: ConnectionSettings,
    explicit: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<ConnectionSettings>
}

/** One host of the way, in both forms; which one counts is known when the whole way is. */
interface Hop {
  readonly forSsh2: ConnectionSettings
  readonly forOpenssh: ConnectionSettings
  readonly need: OpensshNeed | undefined
  /** ProxyJump as written; undefined where there is none. */
  readonly proxyJump: string | undefined
}

/** More than anyone chains; two that name each other would make a chain without end. */
const mostJumps = 8

/** One reader for a run. */
export function createSshConfig(options: SshConfigOptions = {}): SshConfig {
  const home = options.home ?? homedir()
  const sshG = createSshG(options)
  const findNeed = createFindNeed(createKnownHostsFiles())

  async function completeHop(
    host: string,
    settings: ConnectionSettings,
    said: (field: string) => boolean,
    signal: AbortSignal,
  ): Promise<Hop> {
    const question = {
      address: settings.address,
      user: said('user') ? settings.user : undefined,
      port: said('port') ? settings.port : undefined,
    }
    const answer = await sshG.lookUp(host, question, signal)
    const one = (key: string): string | undefined => answer.get(key)?.[0]
    const address = one('hostname') ?? settings.address
    const port = said('port') ? settings.port : Number(one('port') ?? '22')
    const user = said('user') ? settings.user : (one('user') ?? userInfo().username)
    const tokens: Tokens = { home, host: address, port, user, name: settings.address }
    const listed = (key: string): readonly string[] =>
      (answer.get(key) ?? []).flatMap((line) => line.split(' ')).filter((file) => file !== 'none')
    const knownHosts = [...listed('userknownhostsfile'), ...listed('globalknownhostsfile')]
    const identities = answer.get('identityfile') ?? defaultIdentities
    const forSsh2: ConnectionSettings = {
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
    }
    const proxied = (one('proxycommand') ?? 'none') !== 'none' && !said('jump')
    const proxyJump = one('proxyjump') ?? 'none'
    return {
      forSsh2,
      forOpenssh: {
        ...forSsh2,
        transport: 'openssh',
        ...(address === settings.address ? {} : { alias: settings.address }),
        identityFiles: said('identityFiles') ? settings.identityFiles : [],
        ...(proxied ? { proxyCommand: true as const } : {}),
      },
      need: proxied
        ? { found: `ProxyCommand "${one('proxycommand') ?? ''}"`, onlyWay: true }
        : settings.transport === undefined
          ? await findNeed(forSsh2, answer)
          : undefined,
      proxyJump: proxyJump === 'none' || said('jump') ? undefined : proxyJump,
    }
  }

  /** The jump hosts of a host, the nearest to it first. */
  async function completeJumps(
    host: string,
    settings: ConnectionSettings,
    proxyJump: string | undefined,
    explicit: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<readonly Hop[]> {
    const hops: Hop[] = []
    const fromConfig = (text: string): ConnectionSettings[] => jumpsOf(host, settings, text).reverse()
    const wanted = settings.jump === undefined ? fromConfig(proxyJump ?? '') : [settings.jump]
    for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
      const jump = next
      const fromInventory = jump === settings.jump
      const said = (field: string): boolean => {
        // Another stands before it in the list, so that its own ProxyJump or ProxyCommand does not count.
        if (field === 'jump') return wanted.length > 0
        if (field === 'user') return fromInventory ? explicit.has('jump.user') : jump.user !== ''
        if (field === 'port') return fromInventory ? explicit.has('jump.port') : jump.port !== 0
        return explicit.has(field)
      }
      const hop = await completeHop(`${host} (jump)`, jump, said, signal)
      hops.push(hop)
      if (hops.length > mostJumps)
        throw unreachableByLibrary(host, `a chain of more than ${String(mostJumps)}`)
      if (hop.proxyJump !== undefined) wanted.push(...fromConfig(hop.proxyJump))
    }
    return hops
  }

  return {
    async complete(host, settings, explicit, signal) {
      if (settings.kind === 'local') return settings
      const target = await completeHop(host, settings, (field) => explicit.has(field), signal)
      const jumps = await completeJumps(host, settings, target.proxyJump, explicit, signal)
      const hops = [target, ...jumps]
      const needs = hops.flatMap(({ need }) => need ?? [])
      if (jumps.length > 1) needs.push({ found: 'a chain of jump hosts', onlyWay: true })
      const onlyWay = needs.find((need) => need.onlyWay)
      // The OpenSSH client takes no password here, so that a login by password stays with the library where it can.
      const needed = settings.password === undefined ? needs.length > 0 : onlyWay !== undefined
      const transport = settings.transport ?? (needed ? 'openssh' : 'ssh2')
      if (transport === 'openssh') return chain(hops.map(({ forOpenssh }) => forOpenssh))
      if (onlyWay !== undefined) throw unreachableByLibrary(host, onlyWay.found)
      return chain(hops.map(({ forSsh2 }) => forSsh2))
    },
  }
}

/** Hangs each hop on the one before; the first is the host itself. */
function chain([first, ...rest]: readonly ConnectionSettings[]): ConnectionSettings {
  if (first === undefined) throw new Error('a way has at least its end')
  return rest.length === 0 ? first : { ...first, jump: chain(rest) }
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

/** A ProxyJump of ssh's configuration: `[ssh://][user@]host[:port],…`. An empty user and port 0 mean "not said". */
function jumpsOf(host: string, settings: ConnectionSettings, text: string): ConnectionSettings[] {
  return text
    .split(',')
    .filter((each) => each !== '')
    .map((each) => {
      const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:[\]]+)(?::(\d+))?\/?$/.exec(each)
      const address = match?.[2]
      if (match === null || address === undefined) {
        throw new KmsfleetError(
          'transport.ssh-config',
          `${host}: expected jump hosts as user@host:port, found ProxyJump ${text}`,
        )
      }
      return {
        kind: 'ssh',
        ...(settings.transport === undefined ? {} : { transport: settings.transport }),
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
    })
}

function unreachableByLibrary(host: string, found: string): KmsfleetError {
  return new KmsfleetError(
    'transport.ssh-config',
    `${host}: expected no more than one jump host on the way, found ${found} in ssh's configuration`,
    { hint: 'Leave --transport out, or name one jump host in the inventory.' },
  )
}
