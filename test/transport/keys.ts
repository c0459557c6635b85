import type { HostKey } from '../../src/transport/known-hosts.ts'

/** A well-formed public key of any type with made-up content. */
export function madeUpKey(type: string, seed: number): HostKey {
  const name = Buffer.from(type)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(name.length)
  const blob = Buffer.concat([length, name, Buffer.alloc(36, seed)])
  return { type, base64: blob.toString('base64') }
}

export function line(names: string, key: HostKey): string {
  return `${names} ${key.type} ${key.base64}`
}
