import { connectLocal } from './local.ts'
import { createSshConnector, type SshConnector, type SshOptions } from './ssh.ts'

/** Connections of one run. Disposing closes what they share (jump hosts), not the connections themselves. */
export type Connector = SshConnector

/** Picks the transport by `settings.kind`; what connections share lives as long as the connector. */
export function createConnector(options: SshOptions = {}): Connector {
  const ssh = createSshConnector(options)
  return {
    ...ssh,
    connect: (host, settings, signal) =>
      settings.kind === 'local' ? connectLocal(host, settings, signal) : ssh.connect(host, settings, signal),
  }
}
