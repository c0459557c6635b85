import type { Secret } from '../model/secret.ts'
import type { TagChoice } from '../playbook/tags.ts'
import { createTemplateEngine } from '../template/create.ts'
import type { TemplateEngine } from '../template/engine.ts'
import type { RunRequest } from './request.ts'

/** What the plays of a run share. */
export interface RunMemory {
  readonly engine: TemplateEngine
  /** What modules remember over all hosts. */
  readonly remembered: Map<string, unknown>
  /** Secrets that were read, by the key of their source. */
  readonly secrets: Map<string, Secret>
}

/** An empty memory for a run. */
export function createMemory(): RunMemory {
  return { engine: createTemplateEngine(), remembered: new Map(), secrets: new Map() }
}

/** What of a request decides how tasks expand. */
export type ContextRequest = Pick<
  RunRequest,
  | 'command'
  | 'playbook'
  | 'inventory'
  | 'limit'
  | 'shard'
  | 'tags'
  | 'skipTags'
  | 'extraVars'
  | 'acceptNewIdentity'
>

export function tagChoice({ tags, skipTags = [] }: ContextRequest): TagChoice {
  return { tags, skipTags }
}
