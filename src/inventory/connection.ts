import { homedir, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { checkValue } from '../document/parse.ts'
import type { Located } from '../document/located.ts'
import type { Place } from '../errors/place.ts'
import type { Become, ConnectionSettings } from '../model/host.ts'
import type { Secret } from '../model/secret.ts'
import { CommandLineSettings, InventorySettings } from './connection-schema.ts'
import type { ConnectionField, Variable } from './types.ts'

/** What the command line says about connections; an inventory's own settings win over it. */
export interface SshDefaults extends Partial<
  Omit<ConnectionSettings, 'address' | 'alias' | 'hostKeys' | 'become' | 'jump' | 'proxyCommand'>
> {
  readonly become?: boolean
  readonly becomePassword?: Secret
}

/** `--extra-vars` as a place, for errors about values that come from no file. */
export const commandLinePlace: Place = { file: '--extra-vars', line: 1, column: 1 }

export interface HostConnection {
  readonly connection: ConnectionSettings
  readonly explicit: ReadonlySet<ConnectionField>
}

/**
 * A host's connection from its `ansible_*` variables, `--extra-vars` (which win) and the command line.
 * Throws KmsfleetErrors at the places of the variables.
 */
export function hostConnection(
  name: string,
  variables: ReadonlyMap<string, Variable>,
  extraVars: ReadonlyMap<string, unknown>,
  defaults: SshDefaults,
): HostConnection {
  const inventory = settingsOf([...variables].map(([key, variable]) => [key, variable.value]))
  const located: Located = {
    value: inventory,
    place: (path = []) => variables.get(String(path[0]))?.origin ?? commandLinePlace,
    source: () => undefined,
  }
  const extra = settingsOf(extraVars)
  const fromCommandLine: Located = { value: extra, place: () => commandLinePlace, source: () => undefined }
  const options = { code: 'inventory.connection' } as const
  const said: CommandLineSettings = {
    ...checkValue(InventorySettings, inventory, located, options),
    ...checkValue(CommandLineSettings, extra, fromCommandLine, options),
  }
  const explicit = new Set<ConnectionField>()
  const choose = <T>(
    field: ConnectionField,
    own: T | undefined,
    byDefault: T | undefined,
    otherwise: T,
  ): T => {
    if (own !== undefined || byDefault !== undefined) explicit.add(field)
    return own ?? byDefault ?? otherwise
  }
  const path = (
    key: 'ansible_ssh_private_key_file' | 'ansible_ssh_known_hosts_file',
  ): string[] | undefined => {
    const written = said[key]
    const origin = extraVars.has(key) ? undefined : variables.get(key)?.origin
    return written === undefined ? undefined : [operatorPath(written, origin)]
  }
  const base: ConnectionSettings = {
    kind: choose('kind', said.ansible_connection, defaults.kind, 'ssh'),
    address: choose('address', said.ansible_host, undefined, name),
    port: choose('port', said.ansible_port, defaults.port, 22),
    user: choose('user', said.ansible_user, defaults.user, operatorName()),
    identityFiles: choose('identityFiles', path('ansible_ssh_private_key_file'), defaults.identityFiles, []),
    agent: choose('agent', undefined, defaults.agent, true),
    hostKeys: choose('hostKeys', said.ansible_ssh_host_keys, undefined, []),
    knownHostsFiles: choose(
      'knownHostsFiles',
      path('ansible_ssh_known_hosts_file'),
      defaults.knownHostsFiles,
      [join(homedir(), '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'],
    ),
    connectTimeoutMs: choose(
      'connectTimeoutMs',
      said.ansible_ssh_timeout === undefined ? undefined : said.ansible_ssh_timeout * 1000,
      defaults.connectTimeoutMs,
      10_000,
    ),
    become: become(choose('become', said.ansible_become, defaults.become, false), defaults.becomePassword),
    ...(defaults.transport === undefined ? {} : { transport: defaults.transport }),
    ...(defaults.password === undefined ? {} : { password: defaults.password }),
  }
  if (defaults.password !== undefined) explicit.add('password')
  const jump = said.ansible_ssh_proxy_jump
  if (jump === undefined) return { connection: base, explicit }
  explicit.add('jump')
  if (jump.user !== undefined) explicit.add('jump.user')
  if (jump.port !== undefined) explicit.add('jump.port')
  return { connection: { ...base, jump: jumpSettings(base, jump) }, explicit }
}

function settingsOf(variables: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  return Object.fromEntries([...variables].filter(([name]) => name.startsWith('ansible_')))
}

/** The jump host is logged in to with the operator's keys; neither a password nor host keys of the target go there. */
function jumpSettings(
  base: ConnectionSettings,
  jump: { readonly user?: string | undefined; readonly address: string; readonly port?: number | undefined },
): ConnectionSettings {
  return {
    identityFiles: base.identityFiles,
    agent: base.agent,
    knownHostsFiles: base.knownHostsFiles,
    connectTimeoutMs: base.connectTimeoutMs,
    kind: 'ssh',
    ...(base.transport === undefined ? {} : { transport: base.transport }),
    address: jump.address,
    port: jump.port ?? 22,
    user: jump.user ?? operatorName(),
    hostKeys: [],
    become: { method: 'none' },
  }
}

function become(wanted: boolean, password: Secret | undefined): Become {
  if (!wanted) return { method: 'none' }
  return password === undefined ? { method: 'sudo' } : { method: 'sudo', password }
}

/** `~/` is the operator's home; a relative path starts at the folder of the file that sets it. */
function operatorPath(written: string, origin: Place | undefined): string {
  if (written === '~' || written.startsWith('~/')) return join(homedir(), written.slice(1))
  return resolve(origin === undefined ? '.' : dirname(origin.file), written)
}

/** The login name that OpenSSH too takes where none is said. */
function operatorName(): string {
  try {
    return userInfo().username
  } catch {
    // An account without a passwd entry, as in some containers.
    return 'root'
  }
}
