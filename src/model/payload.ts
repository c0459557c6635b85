import type { Digest } from './secret.ts'

/** Bytes that go to hosts: one buffer per digest, shared by all hosts of a run. */
export interface Payload {
  readonly digest: Digest
  readonly bytes: Uint8Array
  /** True where the bytes are, or contain, a secret. */
  readonly secret: boolean
}
