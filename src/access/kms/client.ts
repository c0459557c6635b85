import { connect, constants, type ClientHttp2Session } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Procedure } from './messages.ts'

/** How a call ended: with a reply, with the provider's own error, or with something that is no gRPC. */
export type CallEnd<Reply> =
  | { readonly is: 'reply'; readonly reply: Reply; readonly milliseconds: number }
  | { readonly is: 'refused'; readonly status: number; readonly message: string }
  | { readonly is: 'broken'; readonly detail: string }

/** A connection to a KMS v2 service over whatever stream leads there. */
export interface KmsClient extends Disposable {
  call<Request extends object, Reply>(
    procedure: Procedure<Request, Reply>,
    request: Request,
  ): Promise<CallEnd<Reply>>
}

/** Bytes of a message; Kubernetes takes no more. */
const messageLimit = 64 * 1024

/** Bytes that may come over the connection in all, headers and pings too: three messages, and what HTTP/2 adds. */
const receiveLimit = 512 * 1024

const statusNames = ['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND']

/** The word for a gRPC status code, where it is a common one. */
export function grpcStatus(code: number): string {
  return statusNames[code] ?? `gRPC status ${String(code)}`
}

/**
 * gRPC over HTTP/2 without TLS, as the API server speaks it. The other side may be anybody: bytes, headers and settings
 * are bounded, and all calls together must end within `deadlineMs`, whatever arrives.
 */
export function openKms(stream: Duplex, deadlineMs: number): KmsClient {
  const session = connect('http://localhost', {
    createConnection: () => stream,
    maxHeaderListPairs: 64,
    maxSessionMemory: 1,
    maxSettings: 32,
    settings: { enablePush: false, maxHeaderListSize: 16 * 1024, initialWindowSize: 128 * 1024 },
  })
  let trouble = ''
  const fail = (detail: string): void => {
    if (trouble === '') trouble = detail
    session.destroy()
    stream.destroy()
  }
  session.on('error', (error: Error) => {
    fail(error.message)
  })
  stream.on('error', (error: Error) => {
    fail(error.message)
  })
  let received = 0
  stream.on('data', (chunk: Uint8Array) => {
    received += chunk.length
    if (received > receiveLimit) fail(`more than ${String(receiveLimit / 1024)} KiB came over the connection`)
  })
  const timer = setTimeout(() => {
    fail(`no end within ${String(deadlineMs / 1000)} s`)
  }, deadlineMs)
  return {
    call: (procedure, request) => unary(session, procedure, request, () => trouble),
    [Symbol.dispose]() {
      clearTimeout(timer)
      session.destroy()
      stream.destroy()
    },
  }
}

function unary<Request extends object, Reply>(
  session: ClientHttp2Session,
  procedure: Procedure<Request, Reply>,
  request: Request,
  trouble: () => string,
): Promise<CallEnd<Reply>> {
  const start = performance.now()
  return new Promise((resolve) => {
    const broken = (detail: string): void => {
      resolve({ is: 'broken', detail: trouble() === '' ? detail : trouble() })
    }
    if (session.destroyed) {
      broken('the connection was closed')
      return
    }
    const call = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: `/v2.KeyManagementService/${procedure.name}`,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    })
    const chunks: Uint8Array[] = []
    let length = 0
    let ending: Readonly<Record<string, unknown>> = {}
    call.on('response', (headers: Readonly<Record<string, unknown>>) => {
      // A refusal without a body has its status in the first headers.
      ending = headers
      if (headers[':status'] !== 200) broken(`HTTP status ${String(headers[':status'])}`)
    })
    call.on('trailers', (headers: Readonly<Record<string, unknown>>) => {
      ending = headers
    })
    call.on('data', (chunk: Uint8Array) => {
      length += chunk.length
      if (length <= messageLimit + 5) chunks.push(chunk)
      else {
        broken(`a message of more than ${String(messageLimit / 1024)} KiB`)
        call.close(constants.NGHTTP2_CANCEL)
      }
    })
    call.on('error', (error: Error) => {
      broken(error.message)
    })
    call.on('close', () => {
      const code = Number(ending['grpc-status'] ?? NaN)
      if (!Number.isInteger(code)) broken('the answer ended without a gRPC status')
      else if (code !== 0) {
        resolve({ is: 'refused', status: code, message: decodeMessage(ending['grpc-message']) })
      } else {
        const reply = decodeFrame(Buffer.concat(chunks), procedure)
        if (reply === undefined) broken(`no ${procedure.name} reply is in the answer`)
        else resolve({ is: 'reply', reply, milliseconds: Math.round(10 * (performance.now() - start)) / 10 })
      }
    })
    call.end(frame(procedure.encode(request)))
  })
}

/** One message of gRPC: a byte that says it is not compressed, its length, and itself. */
function frame(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function decodeFrame<Reply>(answer: Buffer, procedure: Procedure<never, Reply>): Reply | undefined {
  if (answer.length < 5 || answer[0] !== 0 || answer.readUInt32BE(1) !== answer.length - 5) return undefined
  return procedure.decode(answer.subarray(5))
}

/** `grpc-message` is percent-encoded; text of the host, never more than a line of it. */
function decodeMessage(written: unknown): string {
  if (typeof written !== 'string') return ''
  try {
    return decodeURIComponent(written).slice(0, 400)
  } catch {
    return written.slice(0, 400)
  }
}
