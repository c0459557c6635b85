import type * as z from 'zod'
import type { Payload } from '../model/payload.ts'
import type { Resource, TaskRef } from '../model/resource.ts'
import type { Seeding } from '../model/seed.ts'
import type { SignatureRequest } from '../model/signature.ts'
import type { Text, UnknownText } from '../model/text.ts'

/** What the engine offers a module beside its arguments. Everything in it is memoised over all hosts of a run. */
export interface ModuleContext {
  readonly task: TaskRef
  /** Bytes of a file of the role's (or play's) `files/`; after realpath it must lie inside the role or play. */
  file(src: string): Payload
  /** A file of `templates/`, rendered for this host and task. */
  template(src: string): Text
  /** Judges a bare Jinja2 expression (no braces) for this host and task. */
  condition(expression: string): boolean | UnknownText
  /** Raw bytes of any file of the workstation named by the operator's variables (a release tarball and its checksums). */
  localFile(path: string): Uint8Array
  /** Throws KmsfleetError `bundle.signature` where the blob is not signed as asked, or nothing is there to tell. */
  verifySignature(request: SignatureRequest): void
  /** Remembers the result of `make` under `key` for the whole run. */
  once<T>(key: string, make: () => T): T
  /** False in runs that open no secret source: content that is a Secret is then not compared. */
  readonly secretsOpened: boolean
  /** The operator accepts, by name, that this host's provider gets another identity. */
  readonly acceptsNewIdentity: boolean
  /** What the host gets from a peer, or gives to one; absent in plays without `seed_from`. */
  readonly seeding?: Seeding | undefined
}

/**
 * A module: what a user writes. Validated arguments in, resources out; no shell, no effects. `Args` is the
 * parsed form of the schema, `Input` what a task writes.
 */
export interface Module<Args = unknown, Input = unknown> {
  readonly name: string
  /** One line. */
  readonly summary: string
  /** Plain words for operators, Markdown. */
  readonly description: string
  readonly args: z.ZodType<Args, Input>
  /** YAML of task lists; each is parsed and planned by a test, and printed in the docs. */
  readonly examples: readonly string[]
  /** Arguments whose value, or any part of it, may be unknown while planning (bytes, never addresses). */
  readonly mayBeUnknown: readonly string[]
  /** Throws KmsfleetError where the arguments cannot be met whatever the host is like. */
  resources(args: Args, context: ModuleContext): readonly Resource[]
}

/** Gives a module constant its argument types. */
export function defineModule<Args, Input>(module: Module<Args, Input>): Module<Args, Input> {
  return module
}
