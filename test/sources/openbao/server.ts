import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Certificate } from '../certificates.ts'

/** A server of this machine that answers as a test says. */
export interface StandIn extends AsyncDisposable {
  readonly address: string
  readonly requests: readonly IncomingMessage[]
}

/** `clientAuthority`: file of the authority that clients must have a certificate of. */
export async function startStandIn(
  certificate: Certificate,
  answer: RequestListener,
  clientAuthority?: string,
): Promise<StandIn> {
  const requests: IncomingMessage[] = []
  const server = createServer(
    {
      cert: readFileSync(certificate.certificate),
      key: readFileSync(certificate.key),
      ...(clientAuthority === undefined
        ? {}
        : { ca: readFileSync(clientAuthority), requestCert: true, rejectUnauthorized: true }),
    },
    (request, response) => {
      requests.push(request)
      answer(request, response)
    },
  )
  const sockets = new Set<Duplex>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    address: `https://127.0.0.1:${String(port)}`,
    requests,
    async [Symbol.asyncDispose]() {
      // closeAllConnections passes over those that are still in their handshake, and close would wait for them.
      const closed = new Promise((done) => server.close(done))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Answers every request with this status and JSON. */
export function answering(statusCode: number, body: unknown): RequestListener {
  return (_, response) => {
    response.writeHead(statusCode, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}
