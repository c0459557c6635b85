import type { Connect } from './channel.ts'
import { connectLocal } from './local.ts'
import { createSshConnector, type SshOptions } from './ssh.ts'

/** Connections of one run. Disposing closes what they share (jump hosts), not the connections themselves. */
export interface Connector extends AsyncDisposable {
  readonly connect: Connect
}

/** Picks the transport by `settings.kind`; what connections share lives as long as the connector. */
export function createConnector(options: SshOptions = {}): Connector {
  const ssh = createSshConnector(options)
  return {
    connect: (host, settings, signal) =>
      settings.kind === 'local' ? connectLocal(host, settings, signal) : ssh.connect(host, settings, signal),
    [Symbol.asyncDispose]: () => ssh[Symbol.asyncDispose](),
  }
}
