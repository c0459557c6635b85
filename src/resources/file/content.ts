import { Digest, Secret } from '../../model/secret.ts'
import type { Payload } from '../../model/payload.ts'
import { UnknownText, type Text } from '../../model/text.ts'
import type { Origin } from '../../model/value.ts'
import { KmsfleetError } from '../../errors/error.ts'

/** What a file shall contain, as far as it is known while planning. */
export type FileContent =
  | { readonly is: 'bytes'; readonly payload: Payload }
  /** Text that an earlier change must first make known. At least one origin. */
  | { readonly is: 'unknown'; readonly origins: readonly Origin[] }
  /** A secret whose source this run does not open: it is not compared. `label` names it. */
  | { readonly is: 'unopened'; readonly label: string }

/** What turning text into content needs of the engine. */
export interface ContentContext {
  readonly secretsOpened: boolean
  /** Remembers the result of `make` under `key` for the whole run. */
  once<T>(key: string, make: () => T): T
}

/** Files up to this size are shown as text in `--diff`. */
const largestText = 65_536

/** The content that a rendered text stands for. An empty secret is refused: it would lock its reader out. */
export function contentOf(text: Text, context: ContentContext): FileContent {
  if (text instanceof UnknownText) return { is: 'unknown', origins: text.origins }
  if (text instanceof Secret) {
    if (!context.secretsOpened) return { is: 'unopened', label: text.label }
    if (text.size === 0) {
      throw new KmsfleetError(
        'module.arguments',
        `expected the secret ${text.label} to have content, found 0 bytes`,
        { hint: 'An empty secret is never written; look at its source.' },
      )
    }
    return { is: 'bytes', payload: payloadOf(text.reveal(), true, context) }
  }
  return { is: 'bytes', payload: payloadOf(Buffer.from(text, 'utf8'), false, context) }
}

/** One buffer per digest for all hosts of a run. */
export function payloadOf(bytes: Uint8Array, secret: boolean, context: ContentContext): Payload {
  const digest = Digest.of(bytes, secret)
  return context.once(`payload:${String(secret)}:${digest.reveal()}`, () => ({ digest, bytes, secret }))
}

/** The payload as text where it is fit to be shown: not secret, small, UTF-8 without NUL. */
export function textOf(payload: Payload): string | undefined {
  if (payload.secret || payload.bytes.length > largestText || payload.bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload.bytes)
  } catch {
    return undefined
  }
}

/** Bytes of the old file that are worth reading for a diff, or undefined for none. */
export function textLimit(content: FileContent | undefined): number | undefined {
  if (content?.is === 'unknown') return largestText
  return content?.is === 'bytes' && textOf(content.payload) !== undefined ? largestText : undefined
}

/** Largest old file that is worth hashing: a bigger one differs by its size alone. */
export function digestLimit(content: FileContent | undefined): number | undefined {
  if (content?.is === 'unknown') return 1_048_576
  return content?.is === 'bytes' ? Math.max(largestText, content.payload.bytes.length) : undefined
}
