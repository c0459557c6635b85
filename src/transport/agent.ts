import { Socket } from 'node:net'
import ssh2 from 'ssh2'
import type {
  BaseAgent,
  GetStreamCallback,
  IdentityCallback,
  ParsedKey,
  SignCallback,
  SigningRequestOptions,
} from 'ssh2'
import type { ConnectionSettings } from '../model/host.ts'
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

/** The agent of a login: the one that ssh's configuration names, else that of `SSH_AUTH_SOCK`. */
export type Agents = (settings: ConnectionSettings) => Agent

/** Time that an agent gets for an answer: long enough for a person who is asked to confirm. */
const patienceMs = 30_000

/** The agents of a run, each listed once. `socket`: path of the default one (`SSH_AUTH_SOCK`). */
export function createAgents(socket: string | undefined): Agents {
  const agents = new Map<string, Agent>()
  return ({ agentSocket }) => {
    const path = agentSocket ?? socket ?? ''
    const agent = agents.get(path) ?? createAgent(path, patienceMs)
    agents.set(path, agent)
    return agent
  }
}

/** The agent at a socket path; an empty one is none. `patience`: milliseconds that it gets for an answer. */
export function createAgent(socket: string, patience: number): Agent {
  const agent = new PatientAgent(socket, patience)
  let listed: Promise<AgentKeys> | undefined
  return {
    keys: () => (listed ??= listKeys(agent, socket)),
    offering: (keys) => new OfferingAgent(agent, keys),
  }
}

/** ssh2 would wait for a silent agent for ever. */
class PatientAgent extends ssh2.OpenSSHAgent {
  readonly #patience: number

  constructor(socket: string, patience: number) {
    super(socket)
    this.#patience = patience
  }

  override getStream(callback: GetStreamCallback): void {
    super.getStream((error, stream) => {
      if (stream instanceof Socket) stream.setTimeout(this.#patience, () => stream.destroy())
      callback(error, stream)
    })
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

function listKeys(agent: ssh2.OpenSSHAgent, socket: string): Promise<AgentKeys> {
  if (socket === '') {
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
