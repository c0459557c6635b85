import { setMaxListeners } from 'node:events'
import type { Duplex } from 'node:stream'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { createAgents } from './agent.ts'
import type { Connect } from './channel.ts'
import { openClient, type SshClient } from './client.ts'
import { dial, withRetries } from './dial.ts'
import { abortable, target } from './failures.ts'
import { hostKeyPolicy, type KnownHostsFiles } from './host-keys.ts'
import { createKeyFiles, type PromptPassphrase } from './identities.ts'
import { createJumpHosts } from './jump.ts'
import { createLimiter, handshakesPerTarget } from './limiter.ts'
import { unlockEarly, type Credentials } from './login.ts'
import { scanKeys, type ScannedKey } from './scan.ts'
import { createConnection } from './ssh-connection.ts'

export interface SshOptions {
  readonly promptPassphrase?: PromptPassphrase
  /** Path of the agent's socket where ssh's configuration names none: `SSH_AUTH_SOCK`. */
  readonly agentSocket?: string
}

/** SSH connections that share jump hosts, known_hosts files, passphrases and the limit on handshakes. */
export interface SshConnector extends AsyncDisposable {
  readonly connect: Connect
  /** Gathers a host's keys without logging in to it (a jump host before it is logged in to, and so must be known). */
  scanHostKeys(
    host: string,
    settings: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<readonly ScannedKey[]>
  /**
   * The hosts (and jump hosts) that have no key on record at all, so that a run can list them at once instead of
   * failing host by host. Known hosts cost nothing; hosts that do not answer are left to the run.
   */
  unknownHosts(hosts: readonly NamedHost[], signal: AbortSignal): Promise<readonly UnknownHost[]>
}

export interface NamedHost {
  readonly name: string
  readonly connection: ConnectionSettings
}

/** A host without a key on record, and the keys that it presents. */
export interface UnknownHost {
  readonly host: string
  readonly keys: readonly ScannedKey[]
}

/** Hosts looked at for their keys at a time. */
const scansAtOnce = 16

/** A way through a jump host that only the OpenSSH client can log in to. */
export type CarryByOpenssh = (
  host: string,
  settings: ConnectionSettings,
  jump: ConnectionSettings,
) => Promise<Duplex>

export function createSshConnector(
  options: SshOptions,
  knownHosts: KnownHostsFiles,
  carryByOpenssh: CarryByOpenssh,
): SshConnector {
  const credentials: Credentials = {
    keyFiles: createKeyFiles(options.promptPassphrase),
    agents: createAgents(options.agentSocket),
  }
  const limiter = createLimiter(handshakesPerTarget)
  const scans = createLimiter(scansAtOnce)

  async function open(
    host: string,
    settings: ConnectionSettings,
    signal: AbortSignal,
    carry: () => Promise<Duplex>,
    via: string,
  ): Promise<SshClient> {
    const policy = await hostKeyPolicy(host, settings, knownHosts)
    await abortable(host, unlockEarly(settings, credentials), signal)
    const sshd = `${via}${settings.address}:${String(settings.port)}`
    return withRetries(host, signal, () =>
      limiter.run(sshd, signal, async () =>
        openClient(host, settings, await carry(), policy, credentials, signal),
      ),
    )
  }

  const jumps = createJumpHosts((jump, signal) =>
    open(target(jump), jump, signal, () => dial(target(jump), jump, signal), ''),
  )

  function way(host: string, settings: ConnectionSettings, signal: AbortSignal): () => Promise<Duplex> {
    const { jump, transport } = settings
    if (jump === undefined) return () => dial(host, settings, signal)
    return transport === 'openssh'
      ? () => carryByOpenssh(host, settings, jump)
      : () => jumps.carry(host, settings, jump, signal)
  }

  function scanHostKeys(
    host: string,
    settings: ConnectionSettings,
    signal: AbortSignal,
  ): Promise<readonly ScannedKey[]> {
    if (settings.proxyCommand === true) return Promise.reject(noScan(host))
    return withRetries(host, signal, () => scanKeys(host, settings, way(host, settings, signal), signal))
  }

  async function scanUnknown(
    { name, connection }: NamedHost,
    signal: AbortSignal,
  ): Promise<readonly UnknownHost[]> {
    const policy = await hostKeyPolicy(name, connection, knownHosts)
    if (connection.kind === 'local' || connection.proxyCommand === true) return []
    if (policy.types.length > 0) return []
    if (connection.transport === 'openssh' && policy.authority !== undefined) return []
    return scans.run('', signal, async () => {
      try {
        return [{ host: name, keys: await scanHostKeys(name, connection, signal) }]
      } catch (error) {
        if (error instanceof KmsfleetError && error.code !== 'transport.interrupted') return []
        throw error
      }
    })
  }

  return {
    async connect(host, settings, signal) {
      allowManyListeners(signal)
      const via = settings.jump === undefined ? '' : `${target(settings.jump)} `
      const client = await open(host, settings, signal, way(host, settings, signal), via)
      return createConnection(host, settings, client)
    },
    scanHostKeys(host, settings, signal) {
      allowManyListeners(signal)
      return scanHostKeys(host, settings, signal)
    },
    async unknownHosts(hosts, signal) {
      allowManyListeners(signal)
      const jumpHosts = new Map<string, NamedHost>()
      for (const { connection } of hosts) {
        for (const jump of jumpsOf(connection)) {
          const name = target(jump)
          jumpHosts.set(name, { name, connection: jump })
        }
      }
      const unknown = await Promise.all([...jumpHosts.values()].map((jump) => scanUnknown(jump, signal)))
      const unknownJumps = new Set(unknown.flat().map(({ host }) => host))
      const behindKnown = hosts.filter(
        ({ connection }) => !jumpsOf(connection).some((jump) => unknownJumps.has(target(jump))),
      )
      const rest = await Promise.all(behindKnown.map((host) => scanUnknown(host, signal)))
      return [...unknown.flat(), ...rest.flat()]
    },
    [Symbol.asyncDispose]: () => jumps[Symbol.asyncDispose](),
  }
}

/** One run's signal is listened to by every host of it; Node would warn of a leak at the eleventh. */
function allowManyListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal)
}

/** The jump hosts on the way to a host, the nearest to it first. */
function jumpsOf({ jump }: ConnectionSettings): readonly ConnectionSettings[] {
  return jump === undefined ? [] : [jump, ...jumpsOf(jump)]
}

function noScan(host: string): KmsfleetError {
  return new KmsfleetError(
    'transport.ssh-config',
    `${host}: expected a way to its sshd by which its keys can be read, found a ProxyCommand in ssh's configuration`,
    { hint: 'Log in once with ssh itself, or give the keys in the inventory: ansible_ssh_host_keys.' },
  )
}
