import type { AuthHandlerMiddleware, AuthenticationType, AnyAuthMethod, ParsedKey } from 'ssh2'
import { KmsfleetError } from '../errors/error.ts'
import type { ConnectionSettings } from '../model/host.ts'
import type { Agents } from './agent.ts'
import { target } from './failures.ts'
import { sameBlob, type KeyFile, type KeyFiles } from './identities.ts'

/** The credentials of a run, shared by all its connections. */
export interface Credentials {
  readonly keyFiles: KeyFiles
  readonly agents: Agents
}

/** One login: hands ssh2 a credential after the other and remembers what was tried. */
export interface Login {
  readonly handler: AuthHandlerMiddleware
  /** Says what was tried; for when the host accepted none of it. */
  failed(host: string, cause?: unknown): KmsfleetError
  /** For when the connection broke in the middle of it, which is no refusal of what was offered last. */
  brokeOff(host: string, cause?: unknown): KmsfleetError
}

/** What a login asks of the connection that it is part of. */
export interface LoginHooks {
  /** Stops the clock while a person types. */
  pause(): void
  resume(): void
  /** Nothing is left to try. */
  giveUp(): void
}

type Offer =
  | { readonly say: string; readonly method: AuthenticationType; readonly auth: AnyAuthMethod }
  /** Needs a passphrase: asked for only when it is this key's turn. */
  | { readonly say: string; readonly method: 'publickey'; readonly unlock: () => Promise<ParsedKey> }

/**
 * Prepares a login. Order: open key files, the agent's keys (those of the key files first), encrypted key files that
 * the agent does not hold, the password.
 */
export async function prepareLogin(
  settings: ConnectionSettings,
  credentials: Credentials,
  hooks: LoginHooks,
): Promise<Login> {
  const { offers, notes } = await collectOffers(settings, credentials)
  const tried: string[] = []
  let refusal: unknown
  let next = 0

  const failure = (host: string, refused: readonly string[], more: readonly string[], cause: unknown) => {
    if (refusal instanceof KmsfleetError) return refusal
    const found = [
      ...(refused.length > 0 ? [`${refused.join(', ')} refused`] : []),
      ...(tried.length > 0 ? [] : ['no usable credential']),
      ...more,
      ...notes,
    ]
    const message = `${host}: expected a login as ${target(settings)}, found ${found.join('; ')}`
    return refused.length > 0 || tried.length === 0
      ? new KmsfleetError('transport.auth-failed', message, {
          hint: 'Check the user, the key file and whether the agent holds the key (ssh-add -l).',
          cause,
        })
      : new KmsfleetError('transport.unreachable', message, {
          hint: 'Look at the log of sshd on the host: it may be restarting, or its limits may be reached.',
          cause,
        })
  }

  const handler: AuthHandlerMiddleware = (methodsLeft, _partial, give) => {
    const offer = offers[next++]
    if (offer === undefined) {
      hooks.giveUp()
      return
    }
    // An agent's keys are `publickey` to the server. The first call comes before the server named its methods.
    const method = offer.method === 'agent' ? 'publickey' : offer.method
    if (!accepts(methodsLeft, method)) {
      notes.push(`${offer.say}: the host does not take ${method}`)
      handler(methodsLeft, _partial, give)
      return
    }
    tried.push(offer.say)
    if ('auth' in offer) {
      give(offer.auth)
      return
    }
    hooks.pause()
    offer
      .unlock()
      .then(
        (key) => {
          give({ type: 'publickey', username: settings.user, key })
        },
        (error: unknown) => {
          refusal ??= error
          handler(methodsLeft, _partial, give)
        },
      )
      .finally(() => {
        hooks.resume()
      })
  }

  return {
    handler,
    failed: (host, cause) => failure(host, tried, [], cause),
    brokeOff(host, cause) {
      const last = tried.at(-1)
      const broke = last === undefined ? [] : [`the connection closed before an answer to ${last}`]
      return failure(host, tried.slice(0, -1), broke, cause)
    },
  }
}

/** ssh2 gives null, whatever its types say, until the server named its methods. */
function accepts(methodsLeft: readonly AuthenticationType[] | null, method: AuthenticationType): boolean {
  return methodsLeft?.includes(method) ?? true
}

/**
 * Asks for a passphrase before any host is dialled where the first thing to offer is a locked key: a person types
 * longer than an sshd waits for a login. A key that stays locked is reported when it is its turn.
 */
export async function unlockEarly(settings: ConnectionSettings, credentials: Credentials): Promise<void> {
  const [first] = (await collectOffers(settings, credentials)).offers
  if (first !== undefined && 'unlock' in first) await first.unlock().catch(() => undefined)
}

async function collectOffers(
  settings: ConnectionSettings,
  { keyFiles, agents }: Credentials,
): Promise<{ offers: readonly Offer[]; notes: string[] }> {
  const username = settings.user
  const notes: string[] = []
  const agent = agents(settings)
  const files = await Promise.all(settings.identityFiles.map((file) => keyFiles.load(file)))
  const held = settings.agent ? await agent.keys() : undefined
  if (held?.is === 'none') notes.push(`agent: ${held.why}`)
  const agentKeys = held?.is === 'keys' ? held.keys : []

  const plain: Offer[] = []
  const locked: Offer[] = []
  for (const file of files) {
    if (file.is === 'unusable') notes.push(`${file.file}: ${file.why}`)
    else if (file.is === 'key') {
      plain.push({
        say: `key ${file.file}`,
        method: 'publickey',
        auth: { type: 'publickey', username, key: file.key },
      })
    } else if (file.is === 'public') {
      if (!agentKeys.some((key) => sameBlob(key.getPublicSSH(), file.publicBlob))) {
        notes.push(`${file.file}: only its public half is here, and no agent holds it`)
      }
    } else if (!agentKeys.some((key) => sameBlob(key.getPublicSSH(), file.publicBlob))) {
      locked.push({
        say: `key ${file.file}`,
        method: 'publickey',
        unlock: () => keyFiles.unlock(file.file),
      })
    }
  }
  const inAgent = agentOffer(agentKeys, files, settings.identitiesOnly === true)
  if (inAgent.length > 0) {
    plain.push({
      say: `agent (${String(inAgent.length)} keys)`,
      method: 'agent',
      auth: { type: 'agent', username, agent: agent.offering(inAgent) },
    })
  }
  const password: Offer[] =
    settings.password === undefined
      ? []
      : [
          {
            say: 'password',
            method: 'password',
            auth: {
              type: 'password',
              username,
              password: Buffer.from(settings.password.reveal()).toString('utf8'),
            },
          },
        ]
  return { offers: [...plain, ...locked, ...password], notes }
}

/** The agent's keys, those of the configured files first: a server stops listening after a few (MaxAuthTries). */
function agentOffer(
  keys: readonly ParsedKey[],
  files: readonly KeyFile[],
  only: boolean,
): readonly ParsedKey[] {
  const wanted = (key: ParsedKey): boolean =>
    files.some((file) => 'publicBlob' in file && sameBlob(key.getPublicSSH(), file.publicBlob))
  const offeredAsFile = (key: ParsedKey): boolean =>
    files.some((file) => file.is === 'key' && sameBlob(key.getPublicSSH(), file.key.getPublicSSH()))
  const rest = keys.filter((key) => !wanted(key) && !offeredAsFile(key))
  return [...keys.filter(wanted), ...(only ? [] : rest)]
}
