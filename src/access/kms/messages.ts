import protobuf from 'protobufjs/light.js'
import * as z from 'zod'

/*
 * What a client needs of the Kubernetes KMS v2 API (`k8s.io/kms/apis/v2`, service `v2.KeyManagementService`). A reply is
 * the provider's word: these schemas say its form, and nothing more is believed of it.
 */

/** One remote procedure: how its request becomes bytes, and bytes its reply. */
export interface Procedure<Request extends object, Reply> {
  readonly name: string
  readonly encode: (request: Request) => Uint8Array
  /** Undefined where the bytes are no such reply. Fields that are not there have their defaults. */
  readonly decode: (bytes: Uint8Array) => Reply | undefined
}

type Fields = Readonly<Record<string, protobuf.IField | protobuf.IMapField>>

const text = (id: number): protobuf.IField => ({ type: 'string', id })
const bytes = (id: number): protobuf.IField => ({ type: 'bytes', id })
const annotations = (id: number): protobuf.IMapField => ({ keyType: 'string', type: 'bytes', id })

const Bytes = z.instanceof(Uint8Array)
const Annotations = z.record(z.string(), Bytes)

export type Annotations = z.infer<typeof Annotations>

export const status = procedure<object>()(
  'Status',
  {},
  { version: text(1), healthz: text(2), keyId: text(3) },
  z.object({ version: z.string(), healthz: z.string(), keyId: z.string() }),
)

export const encrypt = procedure<{ readonly plaintext: Uint8Array; readonly uid: string }>()(
  'Encrypt',
  { plaintext: bytes(1), uid: text(2) },
  { ciphertext: bytes(1), keyId: text(2), annotations: annotations(3) },
  z.object({ ciphertext: Bytes, keyId: z.string(), annotations: Annotations }),
)

export const decrypt = procedure<{
  readonly ciphertext: Uint8Array
  readonly uid: string
  readonly keyId: string
  readonly annotations: Annotations
}>()(
  'Decrypt',
  { ciphertext: bytes(1), uid: text(2), keyId: text(3), annotations: annotations(4) },
  { plaintext: bytes(1) },
  z.object({ plaintext: Bytes }),
)

function procedure<Request extends object>() {
  return <Reply>(
    name: string,
    request: Fields,
    reply: Fields,
    schema: z.ZodType<Reply>,
  ): Procedure<Request, Reply> => {
    const requestType = typeOf(`${name}Request`, request)
    const replyType = typeOf(`${name}Response`, reply)
    return {
      name,
      encode: (message) => requestType.encode(requestType.fromObject(message)).finish(),
      decode: (received) => {
        try {
          return schema.safeParse(replyType.toObject(replyType.decode(received), { defaults: true })).data
        } catch (error) {
          // Bytes that end too early, or a wire type that does not exist.
          if (error instanceof Error) return undefined
          throw error
        }
      },
    }
  }
}

function typeOf(name: string, fields: Fields): protobuf.Type {
  const type = protobuf.Type.fromJSON(name, { fields })
  new protobuf.Root().add(type)
  return type
}
