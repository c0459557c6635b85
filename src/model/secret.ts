import { createHash } from 'node:crypto'
import { inspect } from 'node:util'

/**
 * Bytes that must never be printed, serialised, or rendered into anything but a payload.
 * `String(secret)`, JSON and `console.log` all give a placeholder; only {@link Secret.reveal} gives the bytes.
 */
export class Secret {
  readonly #bytes: Uint8Array
  /** Where it came from, for messages: a variable name, never content. */
  readonly label: string

  constructor(label: string, bytes: Uint8Array) {
    this.label = label
    this.#bytes = bytes
  }

  reveal(): Uint8Array {
    return this.#bytes
  }

  get size(): number {
    return this.#bytes.length
  }

  toString(): string {
    return `[secret ${this.label}]`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

/**
 * A SHA-256 of file content. A sealed digest (of a secret, or of whatever stands at a secret's path)
 * compares but never shows itself: the hash of a short secret gives the secret away.
 */
export class Digest {
  readonly #hex: string
  readonly sealed: boolean

  constructor(hex: string, sealed: boolean) {
    this.#hex = hex
    this.sealed = sealed
  }

  static of(bytes: Uint8Array, sealed = false): Digest {
    return new Digest(createHash('sha256').update(bytes).digest('hex'), sealed)
  }

  equals(other: Digest): boolean {
    return this.#hex === other.#hex
  }

  /** The 64 hex digits; for the wire and for comparison only, never for a sink. */
  reveal(): string {
    return this.#hex
  }

  toString(): string {
    return this.sealed ? 'sha256:[sealed]' : `sha256:${this.#hex.slice(0, 12)}`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }
}
