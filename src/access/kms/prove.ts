import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { TimedCall } from '../../model/access.ts'
import { grpcStatus, type CallEnd, type KmsClient } from './client.ts'
import { type Annotations, decrypt, encrypt, status } from './messages.ts'

/** What came of Status, Encrypt and Decrypt. */
export type KmsProof =
  | {
      readonly is: 'proved'
      readonly calls: readonly TimedCall[]
      /** base64url of the SHA-256 of the key id, as the provider's metrics show it: it is compared over a cluster. */
      readonly keyIdHash: string
    }
  /** Two calls saw different keys: the provider is just changing to another one. */
  | { readonly is: 'rotating'; readonly calls: readonly TimedCall[] }
  | { readonly is: 'failed'; readonly calls: readonly TimedCall[]; readonly finding: string }

/** What the API server of Kubernetes accepts (k8s.io/apiserver, kmsv2 envelope). */
const limits = { keyId: 1024, ciphertext: 1024, annotations: 32 * 1024 } as const

/** Bytes that are encrypted and decrypted; they are random, and thrown away. */
const probeSize = 32

/**
 * Proves that a KMS v2 service works end to end: Status says that it is healthy, and random bytes come back from Encrypt
 * and Decrypt. A healthy Status alone is cached and says nothing of OpenBao.
 */
export async function proveKms(client: KmsClient): Promise<KmsProof> {
  const calls: TimedCall[] = []
  const failed = (finding: string): KmsProof => ({ is: 'failed', calls, finding })

  const health = await client.call(status, {})
  if (health.is !== 'reply') return failed(notAnswered('Status', health))
  calls.push({ call: 'Status', milliseconds: health.milliseconds })
  const { version, healthz, keyId } = health.reply
  if (version !== 'v2' && version !== 'v2beta1')
    return failed(`expected KMS version v2, found ${shown(version)}`)
  if (healthz !== 'ok') return failed(`expected the provider to be healthy, found ${shown(healthz)}`)
  const wrongKey = keyIdProblem(keyId)
  if (wrongKey !== undefined) return failed(wrongKey)

  const plaintext = randomBytes(probeSize)
  const uid = randomUUID()
  const sealed = await client.call(encrypt, { plaintext, uid })
  if (sealed.is !== 'reply') return failed(notAnswered('Encrypt', sealed))
  calls.push({ call: 'Encrypt', milliseconds: sealed.milliseconds })
  const wrongSeal = sealProblem(sealed.reply, plaintext)
  if (wrongSeal !== undefined) return failed(wrongSeal)

  const { ciphertext, annotations } = sealed.reply
  const opened = await client.call(decrypt, { ciphertext, annotations, uid, keyId: sealed.reply.keyId })
  if (opened.is !== 'reply') return failed(notAnswered('Decrypt', opened))
  calls.push({ call: 'Decrypt', milliseconds: opened.milliseconds })
  if (!plaintext.equals(opened.reply.plaintext)) {
    return failed('expected Decrypt to give back what Encrypt was given, found other bytes')
  }
  if (sealed.reply.keyId !== keyId) return { is: 'rotating', calls }
  return { is: 'proved', calls, keyIdHash: createHash('sha256').update(keyId).digest('base64url') }
}

function notAnswered(call: string, end: Exclude<CallEnd<unknown>, { readonly is: 'reply' }>): string {
  const found = end.is === 'refused' ? `${grpcStatus(end.status)}: ${shown(end.message)}` : end.detail
  return `expected an answer to ${call}, found ${found}`
}

function keyIdProblem(keyId: string): string | undefined {
  const size = Buffer.byteLength(keyId)
  if (size > 0 && size < limits.keyId) return undefined
  return `expected a key id of 1 to ${String(limits.keyId - 1)} bytes, found ${String(size)}`
}

interface Sealed {
  readonly ciphertext: Uint8Array
  readonly keyId: string
  readonly annotations: Annotations
}

function sealProblem({ ciphertext, keyId, annotations }: Sealed, plaintext: Buffer): string | undefined {
  if (ciphertext.length === 0 || ciphertext.length >= limits.ciphertext) {
    return `expected a ciphertext of 1 to ${String(limits.ciphertext - 1)} bytes, found ${String(ciphertext.length)}`
  }
  if (Buffer.from(ciphertext).includes(plaintext)) return 'expected a ciphertext, found the plaintext in it'
  const names = Object.keys(annotations)
  const size = names.reduce(
    (sum, name) => sum + Buffer.byteLength(name) + (annotations[name]?.length ?? 0),
    0,
  )
  if (size >= limits.annotations) {
    return `expected annotations of less than ${String(limits.annotations)} bytes, found ${String(size)}`
  }
  const wrong = names.find((name) => !qualifiedName.test(name))
  if (wrong !== undefined) return `expected annotations with domain names as keys, found ${shown(wrong)}`
  return keyIdProblem(keyId)
}

/** A fully qualified domain name, as Kubernetes wants keys of annotations. */
const qualifiedName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/

const shown = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
