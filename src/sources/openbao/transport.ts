import { request as plainRequest } from 'node:http'
import { Agent, request as tlsRequest } from 'node:https'
import type { OpenbaoSettings } from './settings.ts'

/** Bytes of an answer at most: a secret at its limit, in JSON that escapes it, and what stands around it. */
const answerLimit = 8 * 1024 * 1024

/** What node-vault asks of its transport. */
export interface TransportRequest {
  readonly method: string
  readonly uri: string
  readonly headers: Readonly<Record<string, string>>
}

/** What node-vault takes from its transport. */
export interface TransportResponse {
  readonly statusCode: number
  readonly body: unknown
  readonly request: { readonly path: string }
}

/** The server sent the client elsewhere. `origin` is the server's word. */
export class Redirected extends Error {
  readonly origin: string

  constructor(origin: string) {
    super('redirected')
    this.origin = origin
  }
}

/** More came than any secret needs. */
export class TooLong extends Error {
  constructor() {
    super('too long')
  }
}

/** One connection pool to one server. */
export interface Transport extends Disposable {
  send(request: TransportRequest, signal: AbortSignal): Promise<TransportResponse>
}

/**
 * A transport in place of node-vault's own, which has no deadline, ignores abort signals, sends the token after
 * redirects to any host, and puts it into its errors. This one sends to one server, follows nothing, and its errors
 * are those of Node's TLS and sockets, which know no headers.
 */
export function openTransport(settings: OpenbaoSettings): Transport {
  const { address, ca, serverName, client } = settings
  const agent =
    address.protocol === 'https:'
      ? new Agent({
          keepAlive: true,
          minVersion: 'TLSv1.2',
          // Said aloud, since NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off otherwise.
          rejectUnauthorized: true,
          ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
          ...(serverName === undefined ? {} : { servername: serverName }),
          ...(client === undefined
            ? {}
            : { cert: Buffer.from(client.certificate), key: Buffer.from(client.key.reveal()) }),
        })
      : undefined
  return {
    send: (request, signal) => send(address, agent, request, signal),
    [Symbol.dispose]() {
      agent?.destroy()
    },
  }
}

function send(
  address: URL,
  agent: Agent | undefined,
  { method, uri, headers }: TransportRequest,
  signal: AbortSignal,
): Promise<TransportResponse> {
  const url = new URL(uri)
  // Whatever is asked for, the token goes to no other server.
  if (url.origin !== address.origin) return Promise.reject(new Redirected(url.origin))
  const options = { method, headers: { accept: 'application/json', ...headers }, signal }
  return new Promise((resolve, reject) => {
    const sent = agent === undefined ? plainRequest(url, options) : tlsRequest(url, { ...options, agent })
    sent.on('error', reject)
    sent.on('response', (response) => {
      const statusCode = response.statusCode ?? 0
      const { location } = response.headers
      if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
        response.destroy()
        reject(new Redirected(originOf(location, url)))
        return
      }
      const chunks: Buffer[] = []
      let size = 0
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= answerLimit) chunks.push(chunk)
        else response.destroy(new TooLong())
      })
      response.on('end', () => {
        resolve({ statusCode, body: parse(Buffer.concat(chunks)), request: { path: url.pathname } })
      })
    })
    sent.end()
  })
}

/** A proxy in between may answer with a page of its own: that is an answer without errors or data. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

function originOf(location: string, base: URL): string {
  return URL.canParse(location, base.href) ? new URL(location, base).origin : 'an address that is none'
}
