import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer as createNetServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server as GrpcServer, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterAll, describe, expect, test } from 'vitest'
import { openKms } from '../../../src/access/kms/client.ts'
import { decrypt, encrypt, status } from '../../../src/access/kms/messages.ts'
import { proveKms, type KmsProof } from '../../../src/access/kms/prove.ts'

const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-kms-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})
let sockets = 0
const nextSocket = (): string => join(folder, `${String((sockets += 1))}.sock`)

const prove = async (socket: string, deadlineMs = 5000): Promise<KmsProof> => {
  using client = openKms(createConnection(socket), deadlineMs)
  return await proveKms(client)
}

type Handler = (request: Readonly<Record<string, unknown>>) => object
const secret = 7
const mask = (bytes: unknown): Uint8Array => (bytes as Uint8Array).map((byte) => byte ^ secret)

/** A service that does it right, by the reference implementation of gRPC. */
const right: Readonly<Record<string, Handler>> = {
  Status: () => ({ version: 'v2', healthz: 'ok', key_id: 'key-1' }),
  Encrypt: ({ plaintext }) => ({
    ...{
      ciphertext: mask(plaintext),
      key_id: 'key-1',
      annotations: { 'version.kms.example.org': Buffer.from('1') },
    },
  }),
  Decrypt: ({ ciphertext }) => ({ plaintext: mask(ciphertext) }),
}

async function grpc(
  changes: Readonly<Record<string, Handler>>,
): Promise<{ readonly socket: string } & Disposable> {
  const definition = loadSync(join(import.meta.dirname, '../../lab/kms.proto'), { keepCase: true })
  const service = definition['v2.KeyManagementService']
  if (service === undefined) throw new Error('expected the service, found none')
  const server = new GrpcServer()
  const handlers = Object.entries({ ...right, ...changes }).map(([name, handler]) => [
    name,
    (
      call: { request: Readonly<Record<string, unknown>> },
      done: (error: unknown, reply?: object) => void,
    ) => {
      try {
        done(null, handler(call.request))
      } catch (error) {
        done(error)
      }
    },
  ])
  server.addService(service as never, Object.fromEntries(handlers) as UntypedServiceImplementation)
  const socket = nextSocket()
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve()
      else reject(error)
    })
  })
  return {
    socket,
    [Symbol.dispose]: () => {
      server.forceShutdown()
    },
  }
}

const refuse = (): never => {
  throw Object.assign(new Error('sealed % \n'), { code: 14, details: 'sealed % \n' })
}

describe('a service that speaks gRPC', () => {
  test('is proved, with the time of each call and the hash of the key id', async () => {
    using service = await grpc({})
    const proof = await prove(service.socket)
    expect(proof).toMatchObject({
      is: 'proved',
      calls: [{ call: 'Status' }, { call: 'Encrypt' }, { call: 'Decrypt' }],
      // printf key-1 | openssl dgst -sha256 -binary | base64, as base64url
      keyIdHash: 'vil0VGl443OebW2oXEvp8zTOMt8rn9S2_xtVwNV-nUQ',
    })
  })

  const long = (bytes: number): string => 'x'.repeat(bytes)
  test.each([
    [
      'another version',
      { Status: () => ({ version: 'v1', healthz: 'ok', key_id: 'k' }) },
      'expected KMS version v2, found "v1"',
    ],
    [
      'a sick provider',
      { Status: () => ({ version: 'v2', healthz: 'no login', key_id: 'k' }) },
      'expected the provider to be healthy, found "no login"',
    ],
    [
      'no key id',
      { Status: () => ({ version: 'v2', healthz: 'ok' }) },
      'expected a key id of 1 to 1023 bytes, found 0',
    ],
    [
      'a key id too long',
      { Status: () => ({ version: 'v2', healthz: 'ok', key_id: long(1024) }) },
      'expected a key id of 1 to 1023 bytes, found 1024',
    ],
    [
      'a Status that is refused',
      { Status: refuse },
      'expected an answer to Status, found gRPC status 14: "sealed % \\n"',
    ],
    [
      'an Encrypt that is refused',
      { Encrypt: refuse },
      'expected an answer to Encrypt, found gRPC status 14: "sealed % \\n"',
    ],
    [
      'a Decrypt that is refused',
      { Decrypt: refuse },
      'expected an answer to Decrypt, found gRPC status 14: "sealed % \\n"',
    ],
    [
      'no ciphertext',
      { Encrypt: () => ({ key_id: 'key-1' }) },
      'expected a ciphertext of 1 to 1023 bytes, found 0',
    ],
    [
      'a ciphertext too long',
      { Encrypt: () => ({ key_id: 'key-1', ciphertext: Buffer.alloc(1024) }) },
      'expected a ciphertext of 1 to 1023 bytes, found 1024',
    ],
    [
      'the plaintext as ciphertext',
      { Encrypt: ({ plaintext }) => ({ key_id: 'key-1', ciphertext: plaintext }) },
      'expected a ciphertext, found the plaintext in it',
    ],
    [
      'an annotation without a domain',
      {
        Encrypt: ({ plaintext }) => ({
          key_id: 'key-1',
          ciphertext: mask(plaintext),
          annotations: { 'a\nb': Buffer.from('1') },
        }),
      },
      'expected annotations with domain names as keys, found "a\\nb"',
    ],
    [
      'annotations too long',
      {
        Encrypt: ({ plaintext }) => ({
          key_id: 'key-1',
          ciphertext: mask(plaintext),
          annotations: { 'a.b': Buffer.alloc(32768) },
        }),
      },
      'expected annotations of less than 32768 bytes, found 32771',
    ],
    [
      'other bytes',
      { Decrypt: () => ({ plaintext: Buffer.alloc(32) }) },
      'expected Decrypt to give back what Encrypt was given, found other bytes',
    ],
    [
      'a message too long',
      { Status: () => ({ version: 'v2', healthz: 'ok', key_id: long(70_000) }) },
      'expected an answer to Status, found a message of more than 64 KiB',
    ],
  ] satisfies readonly (readonly [string, Readonly<Record<string, Handler>>, string])[])(
    '%s',
    async (_, changes, finding) => {
      using service = await grpc(changes)
      expect(await prove(service.socket)).toMatchObject({ is: 'failed', finding })
    },
  )

  test('one that changes its key between two calls is rotating, not broken', async () => {
    using service = await grpc({ Status: () => ({ version: 'v2', healthz: 'ok', key_id: 'key-0' }) })
    expect(await prove(service.socket)).toMatchObject({ is: 'rotating', calls: [{}, {}, {}] })
  })
})

/** A server of HTTP/2 that does what it is told with the first request. */
async function http2(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<string> {
  const server = createServer()
  server.on('stream', answer)
  // what a client that hangs up leaves behind
  server.on('session', (session) => session.on('error', () => undefined))
  return await listening(server)
}

const open: Server[] = []
afterAll(() => {
  for (const server of open) server.close()
})
function listening(server: Server): Promise<string> {
  open.push(server)
  server.unref()
  const socket = nextSocket()
  return new Promise((resolve) =>
    server.listen(socket, () => {
      resolve(socket)
    }),
  )
}

describe('whoever else listens there', () => {
  test.each([
    [
      'answers 404',
      () =>
        http2((stream) => {
          stream.respond({ ':status': 404 }, { endStream: true })
        }),
      'HTTP status 404',
    ],
    [
      'ends without a status',
      () =>
        http2((stream) => {
          stream.respond({ ':status': 200 }, { endStream: true })
        }),
      'the answer ended without a gRPC status',
    ],
    [
      'sends no message',
      () =>
        http2((stream) => {
          stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true })
        }),
      'no Status reply is in the answer',
    ],
    [
      'sends what is no message',
      () =>
        http2((stream) => {
          stream.respond({ ':status': 200, 'grpc-status': '0' })
          stream.end(Buffer.from([0, 0, 0, 0, 1, 255]))
        }),
      'no Status reply is in the answer',
    ],
    ['never answers', () => http2(() => undefined), 'no end within 0.3 s'],
    [
      'drips',
      () =>
        http2((stream) => {
          stream.on('error', () => undefined)
          stream.respond({ ':status': 200 })
          const timer = setInterval(() => stream.write(Buffer.alloc(1)), 20)
          stream.on('close', () => {
            clearInterval(timer)
          })
        }),
      'no end within 0.3 s',
    ],
    [
      'is a flood',
      () =>
        listening(
          createNetServer((socket) => {
            socket.on('error', () => undefined)
            // an empty SETTINGS frame, over and over
            const frames = Buffer.alloc(9 * 100_000)
            for (let at = 3; at < frames.length; at += 9) frames[at] = 4
            socket.write(frames)
          }),
        ),
      /more than 512 KiB|flood|Protocol|closed|reset/i,
    ],
    [
      'speaks something else',
      () =>
        listening(
          createNetServer((socket) => {
            socket.on('error', () => undefined)
            socket.end('220 mail.example.org ESMTP\r\n')
          }),
        ),
      /Protocol error|closed/,
    ],
    [
      'hangs up',
      () =>
        listening(
          createNetServer((socket) => {
            socket.destroy()
          }),
        ),
      /closed|reset|ECONNRESET|without/i,
    ],
  ] as const)('%s: no proof, and no hang', async (_, start, detail) => {
    const proof = await prove(await start(), 300)
    expect(proof).toMatchObject({ is: 'failed', calls: [], finding: expect.stringMatching(detail) as string })
  })
})

test('replies that are no replies are none', () => {
  for (const procedure of [status, encrypt, decrypt]) {
    expect(procedure.decode(Buffer.from([15]))).toBeUndefined()
    expect(procedure.decode(Buffer.alloc(0))).toBeDefined()
  }
})
