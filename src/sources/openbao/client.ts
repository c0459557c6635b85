import type nodeVault from 'node-vault'
import * as z from 'zod'
import { KmsfleetError } from '../../errors/error.ts'
import type { Secret } from '../../model/secret.ts'
import { secretOf } from '../content.ts'
import type { OpenbaoSource, SourceOptions, WantedSecret } from '../types.ts'
import { failureOf, unfit, type Asked } from './failures.ts'
import { openbaoSettings, type OpenbaoSettings } from './settings.ts'
import { openTransport, type Transport, type TransportRequest } from './transport.ts'

/** A secret of OpenBao that a play names. */
export interface WantedField extends WantedSecret {
  readonly source: OpenbaoSource
}

/** The connections of a run to OpenBao. */
export interface OpenbaoReader extends Disposable {
  /** Reads a field. Fields of one secret come from one answer, so that a certificate and its key are of one version. */
  read(wanted: WantedField, signal: AbortSignal): Promise<Secret>
}

interface Server {
  readonly settings: OpenbaoSettings
  readonly transport: Transport
  /** What keeps it from answering; whoever waits for it need not find out again. */
  failure?: KmsfleetError
}

type Fields = Readonly<Record<string, unknown>>

/** Opens nothing before the first read. Throws KmsfleetErrors of the family `openbao`, free of tokens and secrets. */
export function createOpenbaoReader(
  options: SourceOptions,
  onSecret: (secret: Secret) => void,
): OpenbaoReader {
  const servers = new Map<string, Server>()
  const answers = new Map<string, Promise<Fields>>()

  function serverOf({ source, place }: WantedField): Server {
    const { address, namespace, caFile, serverName, clientCertificate, clientKey } = source
    const key = JSON.stringify([address, namespace, caFile, serverName, clientCertificate, clientKey])
    const before = servers.get(key)
    if (before !== undefined) return before
    const settings = openbaoSettings(source, options, place)
    onSecret(settings.token)
    const server: Server = { settings, transport: openTransport(settings) }
    servers.set(key, server)
    return server
  }

  return {
    async read(wanted, signal) {
      const { source, place, name } = wanted
      const server = serverOf(wanted)
      const asked: Asked = { source, settings: server.settings, place }
      const key = JSON.stringify({ ...source, field: undefined, timeout: undefined })
      const answer = answers.get(key) ?? ask(server, asked, signal)
      answers.set(key, answer)
      const value = (await answer)[source.field]
      if (value === undefined) throw unfit(asked, 'no such field')
      if (typeof value !== 'string') throw unfit(asked, 'another type', 'write the value as a text')
      return secretOf(name, Buffer.from(value, 'utf8'), `in field \`${source.field}\``, { place })
    },
    [Symbol.dispose]() {
      for (const { transport } of servers.values()) transport[Symbol.dispose]()
    },
  }
}

async function ask(server: Server, asked: Asked, signal: AbortSignal): Promise<Fields> {
  if (server.failure !== undefined) throw server.failure
  const { source } = asked
  const limited = AbortSignal.any([signal, AbortSignal.timeout(source.timeout * 1000)])
  let body: unknown
  try {
    const client = await createClient(server, limited)
    body = await client.read(requestPath(source))
  } catch (error) {
    const failure = failureOf(error, asked, signal)
    if (failure.code === 'openbao.unavailable' || failure.code === 'openbao.tls') server.failure = failure
    throw failure
  }
  const fields = Answer[source.engine].safeParse(body)
  if (fields.success) return fields.data
  throw unfit(asked, 'an answer of another form', `check mount and \`engine\` (here ${source.engine})`)
}

const Record = z.record(z.string(), z.unknown())
const Answer = {
  'kv-v1': z.object({ data: Record }).transform(({ data }) => data),
  'kv-v2': z.object({ data: z.object({ data: Record }) }).transform(({ data }) => data.data),
} satisfies Record<OpenbaoSource['engine'], z.ZodType<Fields>>

/** node-vault with our own transport, and without the settings and the debugging that it takes from the environment. */
async function createClient({ settings, transport }: Server, signal: AbortSignal): Promise<nodeVault.client> {
  // Loaded where it is needed: it brings a whole HTTP client.
  const { default: create } = await import('node-vault')
  const send = (request: TransportRequest): ReturnType<Transport['send']> => transport.send(request, signal)
  const client = create({
    endpoint: settings.address.origin,
    token: Buffer.from(settings.token.reveal()).toString('latin1'),
    debug: () => undefined,
    'request-promise': { defaults: () => send },
  })
  return Object.assign(client, { pathPrefix: '', namespace: settings.namespace ?? '' })
}

/** Each part is encoded: none can lead out of its mount. Parts that a server would resolve were refused. */
function requestPath({ mount, path, engine, version }: OpenbaoSource): string {
  const encode = (text: string): string => text.split('/').map(encodeURIComponent).join('/')
  if (engine === 'kv-v1') return `${encode(mount)}/${encode(path)}`
  const query = version === undefined || version === '' ? '' : `?version=${version}`
  return `${encode(mount)}/data/${encode(path)}${query}`
}
