import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'

/** What a run's command lines of `ssh` have in common. */
export interface SshCommandOptions {
  /** `ssh -F`; by default the user's and the system's configuration. */
  readonly configFile?: string
  /** Does this client know options that came with OpenSSH 8.7? An unknown one would be an error. */
  readonly modern: boolean
  /** The known_hosts file that alone counts for a host, where the inventory has `host_keys`; else undefined. */
  pinned(settings: ConnectionSettings): string | undefined
}

/** The name that a pinned key has in its own known_hosts file: such a file is for one host. */
export const pinnedName = 'kmsfleet-pinned'

/**
 * Options that no configuration of the operator changes: the command line comes first. What they turn off would let a
 * host use the workstation's agent, tickets or network, run something on it, or weaken the check of its key.
 */
const forced: readonly string[] = [
  'BatchMode=yes',
  'PasswordAuthentication=no',
  'KbdInteractiveAuthentication=no',
  'StrictHostKeyChecking=yes',
  'UpdateHostKeys=no',
  'VerifyHostKeyDNS=no',
  'NoHostAuthenticationForLocalhost=no',
  'CheckHostIP=no',
  'HostKeyAlgorithms=-ssh-rsa,ssh-rsa-cert-v01@openssh.com,ssh-dss,ssh-dss-cert-v01@openssh.com',
  'ForwardAgent=no',
  'ForwardX11=no',
  'ForwardX11Trusted=no',
  'GSSAPIDelegateCredentials=no',
  'ClearAllForwardings=yes',
  'Tunnel=no',
  'PermitLocalCommand=no',
  'AddKeysToAgent=no',
  'RequestTTY=no',
  'EscapeChar=none',
  'VisualHostKey=no',
  'ControlMaster=no',
  'ControlPath=none',
  'ControlPersist=no',
  'ConnectionAttempts=1',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
]
const forcedOnModern: readonly string[] = [
  'KnownHostsCommand=none',
  'StdinNull=no',
  'ForkAfterAuthentication=no',
]

/** Arguments that make `ssh` run `command` (text for the login shell) on a host. It says on stderr when it is in. */
export function runArguments(
  host: string,
  settings: ConnectionSettings,
  command: string,
  options: SshCommandOptions,
): readonly string[] {
  const session = ['RemoteCommand=none', ...(options.modern ? ['SessionType=default'] : [])]
  return [
    '-T',
    ...words(['LogLevel=VERBOSE', ...session]),
    ...commonArguments(host, settings, options),
    '--',
    name(host, settings),
    command,
  ]
}

/** Arguments that make `ssh` carry bytes between its own streams and `to`, through the host of `settings`. */
export function carryArguments(
  host: string,
  settings: ConnectionSettings,
  to: ConnectionSettings,
  options: SshCommandOptions,
): readonly string[] {
  const far = `[${to.address}]:${String(to.port)}`
  return [
    ...words(['LogLevel=ERROR']),
    ...commonArguments(host, settings, options),
    '-W',
    far,
    '--',
    name(host, settings),
  ]
}

function commonArguments(
  host: string,
  settings: ConnectionSettings,
  options: SshCommandOptions,
): readonly string[] {
  const { jump, identityFiles, agentSocket } = settings
  const pinned = options.pinned(settings)
  const knownHosts = pinned === undefined ? settings.knownHostsFiles : [pinned]
  const said = [
    `ConnectTimeout=${String(Math.ceil(settings.connectTimeoutMs / 1000))}`,
    `UserKnownHostsFile=${knownHosts.length === 0 ? 'none' : knownHosts.map((file) => quoted(host, file)).join(' ')}`,
    'GlobalKnownHostsFile=none',
    ...(pinned === undefined ? [] : [`HostKeyAlias=${pinnedName}`]),
    ...identityFiles.map((file) => `IdentityFile=${quoted(host, file)}`),
    ...(settings.identitiesOnly === true ? ['IdentitiesOnly=yes'] : []),
    ...(settings.agent
      ? agentSocket === undefined
        ? []
        : [`IdentityAgent=${quoted(host, agentSocket)}`]
      : ['IdentityAgent=none']),
    // ssh's own ProxyJump would start an ssh without any of these options.
    ...(jump === undefined ? [] : [`ProxyCommand=${proxyCommand(host, jump, settings, options)}`]),
  ]
  return [
    ...(options.configFile === undefined ? [] : ['-F', options.configFile]),
    ...words([...forced, ...(options.modern ? forcedOnModern : []), ...said]),
    '-p',
    String(settings.port),
    '-l',
    settings.user,
  ]
}

function proxyCommand(
  host: string,
  jump: ConnectionSettings,
  to: ConnectionSettings,
  options: SshCommandOptions,
): string {
  const command = ['ssh', ...carryArguments(host, jump, to, options)]
  return command.map(shellWord).join(' ').replaceAll('%', '%%')
}

const words = (settings: readonly string[]): readonly string[] =>
  settings.flatMap((setting) => ['-o', setting])

/** What stands on ssh's command line as the host: after `--`, and never of a form that a ProxyCommand's shell reads. */
function name(host: string, { alias, address }: ConnectionSettings): string {
  const found = alias ?? address
  if (/^[A-Za-z0-9_:][A-Za-z0-9_.:%-]*$/.test(found)) return found
  throw new KmsfleetError(
    'transport.ssh-config',
    `${host}: expected the name of a host, found "${found}", which ssh could read as something else`,
    { hint: 'Names begin with a letter or a digit, and have none but letters, digits, dots and dashes.' },
  )
}

/** A path that ssh takes as it is: one word, no token, no variable of the environment. */
function quoted(host: string, path: string): string {
  if (!/["\n\\]|\$\{/.test(path)) return `"${path.replaceAll('%', '%%')}"`
  throw new KmsfleetError(
    'transport.ssh-config',
    `${host}: expected a path without quotes, backslashes and \${, found ${path}`,
    { hint: 'ssh would read them as something else: rename the file, or use --transport ssh2.' },
  )
}

/** A word for the shell that ssh starts for a ProxyCommand (`SHELL`, which is /bin/sh there). */
const shellWord = (word: string): string =>
  /^[A-Za-z0-9_./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
