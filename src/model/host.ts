import type { Secret } from './secret.ts'

/** How to become root on a host where the login is not. */
export type Become =
  | { readonly method: 'none' }
  /** `password`: asked once for the run, or from `--become-password-file`. */
  | { readonly method: 'sudo'; readonly password?: Secret }

/** How a host is reached; made from `ansible_*` names, ssh's own configuration and the command line. */
export interface ConnectionSettings {
  readonly kind: 'ssh' | 'local'
  /** The client that speaks SSH: the library, or the system's `ssh`. Not said: by what ssh's configuration needs. */
  readonly transport?: 'ssh2' | 'openssh'
  /** Name or address to dial. */
  readonly address: string
  /** What stands on the command line of `ssh`, where ssh's configuration has another address for it. */
  readonly alias?: string
  readonly port: number
  readonly user: string
  readonly identityFiles: readonly string[]
  readonly agent: boolean
  /** Path of the agent's socket (IdentityAgent of ssh_config); by default `SSH_AUTH_SOCK`. */
  readonly agentSocket?: string
  /** Offer only the agent keys that are also in `identityFiles` (IdentitiesOnly of ssh_config). */
  readonly identitiesOnly?: boolean
  readonly password?: Secret
  /** The jump host; with the system's `ssh` it may itself be reached through another. */
  readonly jump?: ConnectionSettings
  /** ssh's configuration has a ProxyCommand, which the system's `ssh` runs. */
  readonly proxyCommand?: true
  /** `host_keys` of the inventory: OpenSSH public-key lines that alone are accepted. */
  readonly hostKeys: readonly string[]
  readonly knownHostsFiles: readonly string[]
  readonly connectTimeoutMs: number
  readonly become: Become
}
