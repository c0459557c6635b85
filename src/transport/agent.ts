import ssh2 from 'ssh2'
import type { BaseAgent, IdentityCallback, ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2'
import { messageOf } from './failures.ts'

/** The keys that an ssh-agent holds, as far as they can be used. */
export type AgentKeys =
  { readonly is: 'keys'; readonly keys: readonly ParsedKey[] } | { readonly is: 'none'; readonly why: string }

/** An ssh-agent of the workstation. It only signs logins; it is never forwarded to a host. */
export interface Agent {
  /** Listed once for a run. */
  keys(): Promise<AgentKeys>
  /** The agent as ssh2 takes it, offering exactly these keys in this order. */
  offering(keys: readonly ParsedKey[]): BaseAgent
}

/** The agent at a socket path (`SSH_AUTH_SOCK`). */
export function createAgent(socket: string | undefined): Agent {
  const agent = new ssh2.OpenSSHAgent(socket ?? '')
  let listed: Promise<AgentKeys> | undefined
  return {
    keys: () => (listed ??= listKeys(agent, socket)),
    offering: (keys) => new OfferingAgent(agent, keys),
  }
}

/** ssh2 knows an agent by its class only, hence a class. */
class OfferingAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: ssh2.OpenSSHAgent
  readonly #keys: readonly ParsedKey[]

  constructor(agent: ssh2.OpenSSHAgent, keys: readonly ParsedKey[]) {
    super()
    this.#agent = agent
    this.#keys = keys
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(undefined, [...this.#keys])
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const done = typeof options === 'function' ? options : callback
    const signing = typeof options === 'function' ? {} : options
    if (signing.hash === 'sha1') {
      done?.(new Error('the server accepts RSA signatures with SHA-1 only'))
      return
    }
    this.#agent.sign(key, data, signing, done)
  }
}

function listKeys(agent: ssh2.OpenSSHAgent, socket: string | undefined): Promise<AgentKeys> {
  if (socket === undefined || socket === '') {
    return Promise.resolve({ is: 'none', why: 'SSH_AUTH_SOCK is not set' })
  }
  return new Promise((resolve) => {
    agent.getIdentities((error, keys) => {
      const usable = (keys ?? []).flatMap((entry) => (isParsedKey(entry) ? [entry] : []))
      if (error) resolve({ is: 'none', why: messageOf(error) })
      else if (usable.length === 0) resolve({ is: 'none', why: 'it holds no usable key' })
      else resolve({ is: 'keys', keys: usable })
    })
  })
}

/** Type guard over what ssh2's parser and agent give. */
export function isParsedKey(value: unknown): value is ParsedKey {
  return typeof value === 'object' && value !== null && 'isPrivateKey' in value && 'getPublicSSH' in value
}
