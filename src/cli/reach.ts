import { resolve } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import { loadInventory } from '../inventory/load.ts'
import { selectHosts } from '../inventory/select.ts'
import type { Host, Inventory } from '../inventory/types.ts'
import type { ConnectionSettings } from '../model/host.ts'
import { Secret } from '../model/secret.ts'
import { hostList } from '../report/names.ts'
import type { Connect } from '../transport/channel.ts'
import { createConnector } from '../transport/connect.ts'
import type { NamedHost } from '../transport/ssh.ts'
import { createSshConfig } from '../transport/ssh-config.ts'
import { parseExtraVars } from '../playbook/extra-vars.ts'
import type { ReachOptions } from './options.ts'
import type { Passwords } from './passwords.ts'
import { askPassword } from './prompt.ts'

/** The hosts of a command and the way to them. */
export interface Reach extends AsyncDisposable {
  readonly connect: Connect
  /** Settings of hosts with what ssh's own configuration says. Contacts nothing. */
  settingsOf(hosts: readonly Host[], signal: AbortSignal): Promise<readonly NamedHost[]>
  /** Throws one `transport.host-key-unknown` for all hosts that have no key on record. */
  refuseUnknown(hosts: readonly Host[], signal: AbortSignal): Promise<void>
}

/** Loads the inventory as the command line says; contacts nothing. */
export function loadReachedInventory(
  options: ReachOptions,
  passwords: Passwords,
): { readonly inventory: Inventory; readonly extraVars: ReadonlyMap<string, unknown> } {
  const extraVars = parseExtraVars(options.extraVars ?? [])
  const { connection, transport, user, privateKey, become, connectionTimeout } = options
  const inventory = loadInventory(options.inventory, {
    extraVars,
    ssh: {
      kind: connection,
      ...(transport === 'auto' ? {} : { transport }),
      connectTimeoutMs: connectionTimeout * 1000,
      ...(user === undefined ? {} : { user }),
      ...(privateKey === undefined ? {} : { identityFiles: [resolve(privateKey)] }),
      ...(become === undefined ? {} : { become }),
      ...(passwords.login === undefined ? {} : { password: passwords.login }),
      ...(passwords.become === undefined ? {} : { becomePassword: passwords.become }),
    },
  })
  return { inventory, extraVars }
}

/** The hosts of a pattern, or all. */
export function chooseHosts(inventory: Inventory, pattern: string | undefined): readonly Host[] {
  return selectHosts(inventory, pattern ?? 'all')
}

/** How a question gets the terminal for itself: whatever draws on it stands aside meanwhile. */
export type AloneOnTerminal = <T>(ask: () => Promise<T>) => Promise<T>

/**
 * Opens the way to the hosts of an inventory. Passphrases are asked for once and only when a key needs one.
 * `inventoryPaths` stand in hints, so that they can be pasted.
 */
export function openReach(
  inventory: Inventory,
  inventoryPaths: readonly string[],
  alone: AloneOnTerminal,
): Reach {
  const agentSocket = process.env['SSH_AUTH_SOCK']
  const connector = createConnector({
    promptPassphrase: (file) => alone(() => askPassphrase(file)),
    ...(agentSocket === undefined ? {} : { agentSocket }),
  })
  const sshConfig = createSshConfig()
  const byName = new Map(inventory.hosts.map((host) => [host.name, host]))
  const completed = new Map<string, Promise<ConnectionSettings>>()

  const complete = (host: Host, signal: AbortSignal): Promise<ConnectionSettings> => {
    const known = completed.get(host.name)
    if (known !== undefined) return known
    const asked = sshConfig.complete(host.name, host.connection, host.explicit, signal)
    completed.set(host.name, asked)
    return asked
  }

  const settingsOf: Reach['settingsOf'] = (hosts, signal) =>
    Promise.all(hosts.map(async (host) => ({ name: host.name, connection: await complete(host, signal) })))

  return {
    settingsOf,
    async connect(name, settings, signal) {
      const host = byName.get(name)
      return connector.connect(name, host === undefined ? settings : await complete(host, signal), signal)
    },
    async refuseUnknown(hosts, signal) {
      const reachable = (await settingsOf(hosts, signal)).filter(
        ({ connection }) => connection.kind === 'ssh',
      )
      const unknown = (await connector.unknownHosts(reachable, signal)).map(({ host }) => host)
      if (unknown.length === 0) return
      const named =
        unknown.length <= 5 && unknown.every((name) => byName.has(name)) ? ` ${unknown.join(',')}` : ''
      throw new KmsfleetError(
        'transport.host-key-unknown',
        `expected known host keys, found none on record for ${hostList(unknown)}`,
        {
          hint: `Look at the fingerprints and accept them: kmsfleet trust -i ${inventoryPaths.join(' -i ')}${named}`,
        },
      )
    },
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  }
}

async function askPassphrase(file: string): Promise<Secret | undefined> {
  const typed = await askPassword(
    `passphrase of ${file}: `,
    `the passphrase of ${file}`,
    'Add the key to an agent: ssh-add.',
  )
  return typed.length === 0 ? undefined : new Secret('passphrase', typed)
}
