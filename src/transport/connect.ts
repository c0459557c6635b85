import { createKnownHostsFiles } from './host-keys.ts'
import { connectLocal } from './local.ts'
import { createOpenssh } from './openssh.ts'
import { createSshConnector, type SshConnector, type SshOptions } from './ssh.ts'

/** Connections of one run. Disposing closes what they share (jump hosts), not the connections themselves. */
export type Connector = SshConnector

export interface ConnectorOptions extends SshOptions {
  /** `ssh -F` of the OpenSSH client; by default the user's and the system's configuration. */
  readonly sshConfigFile?: string
}

/** Picks the transport by the settings; what connections share lives as long as the connector. */
export function createConnector(options: ConnectorOptions = {}): Connector {
  const { agentSocket, sshConfigFile } = options
  const knownHosts = createKnownHostsFiles()
  const openssh = createOpenssh(
    {
      ...(agentSocket === undefined ? {} : { agentSocket }),
      ...(sshConfigFile === undefined ? {} : { configFile: sshConfigFile }),
    },
    knownHosts,
  )
  const ssh = createSshConnector(options, knownHosts, openssh.carry)
  return {
    ...ssh,
    connect: (host, settings, signal) => {
      if (settings.kind === 'local') return connectLocal(host, settings, signal)
      return settings.transport === 'openssh'
        ? openssh.connect(host, settings, signal)
        : ssh.connect(host, settings, signal)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([ssh[Symbol.asyncDispose](), openssh[Symbol.asyncDispose]()])
    },
  }
}
