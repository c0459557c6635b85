import { join } from 'node:path'
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { Lab, LabHost } from './lab.ts'

export type Message = Readonly<Record<string, unknown>>

/** `Missing` is a method that the service does not have. */
export type Method = 'Status' | 'Encrypt' | 'Decrypt' | 'Missing'

interface MethodShape {
  readonly requestSerialize: (message: Message) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Message
}

/** One KMS v2 call over a host's socket, as the API server makes it; gives the reply or throws the gRPC error. */
export async function callKms(lab: Lab, host: LabHost, method: Method, request: Message): Promise<Message> {
  const definition = loadSync(join(import.meta.dirname, 'kms.proto'), { keepCase: true })
  const service = definition['v2.KeyManagementService'] as unknown as Record<string, MethodShape>
  const shape = service[method === 'Missing' ? 'Status' : method]
  if (shape === undefined) throw new Error(`expected the method ${method}, found none`)
  const { KeyManagementService } = loadPackageDefinition(definition)['v2'] as unknown as {
    KeyManagementService: new (address: string, credentials: unknown) => Client
  }
  const socket = `unix:${lab.liveRoot(host)}/run/openbao-kms/kms.sock`
  const client = new KeyManagementService(socket, credentials.createInsecure())
  try {
    return await new Promise<Message>((resolve, reject) => {
      client.makeUnaryRequest(
        `/v2.KeyManagementService/${method}`,
        shape.requestSerialize,
        shape.responseDeserialize,
        request,
        (error, reply) => {
          if (error !== null) reject(error)
          else resolve(reply ?? {})
        },
      )
    })
  } finally {
    client.close()
  }
}
