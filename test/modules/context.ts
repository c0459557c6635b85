import { Digest } from '../../src/model/secret.ts'
import type { SignatureRequest } from '../../src/model/signature.ts'
import type { Text, UnknownText } from '../../src/model/text.ts'
import type { ModuleContext } from '../../src/modules/define.ts'

/** Files of the workstation and answers of the template engine, as a test tells them. */
export interface ContextSpec {
  readonly files?: Readonly<Record<string, Uint8Array>>
  readonly template?: Text
  readonly condition?: boolean | UnknownText
  readonly secretsOpened?: boolean
  /** Gets what a module wanted verified; all signatures are good. */
  readonly verified?: SignatureRequest[]
  readonly acceptsNewIdentity?: boolean
}

/** A context whose `once` really remembers; `makes` counts what it made. */
export function context(
  spec: ContextSpec = {},
): ModuleContext & { readonly made: ReadonlyMap<string, unknown> } {
  const made = new Map<string, unknown>()
  const read = (path: string): Uint8Array => {
    const bytes = spec.files?.[path]
    if (bytes === undefined) throw new Error(`the test tells of no file ${path}`)
    return bytes
  }
  return {
    task: { id: 'play/1', name: 'a task', place: { file: 'play.yml', line: 1, column: 1 } },
    file: (src) => ({ digest: Digest.of(read(src)), bytes: read(src), secret: false }),
    template: () => spec.template ?? '',
    condition: () => spec.condition ?? true,
    localFile: read,
    verifySignature: (request) => spec.verified?.push(request),
    once: <T>(key: string, make: () => T): T => {
      if (!made.has(key)) made.set(key, make())
      // The map holds under a key what `make` gave for it, of whatever type.
      return made.get(key) as T
    },
    secretsOpened: spec.secretsOpened ?? true,
    acceptsNewIdentity: spec.acceptsNewIdentity ?? false,
    made,
  }
}
