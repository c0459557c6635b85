import { inspect } from 'node:util'
import { Secret } from './secret.ts'
import { UnknownText } from './text.ts'

/**
 * Text in a scope that is used verbatim: a host's output, or a value that was rendered already. A template
 * inside it is never rendered, or whoever writes on a host could run templates on the workstation.
 */
export class HostText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }

  toJSON(): string {
    return this.text
  }

  [inspect.custom](): string {
    return JSON.stringify(this.text)
  }
}

/**
 * Marks every string of a tree as {@link HostText}. Whatever comes out of the template engine and goes
 * into a scope again (`item` of a loop, `register`) must pass through here.
 */
export function verbatim(tree: unknown): unknown {
  if (typeof tree === 'string') return new HostText(tree)
  if (typeof tree !== 'object' || tree === null) return tree
  if (tree instanceof HostText || tree instanceof Secret || tree instanceof UnknownText) return tree
  if (Array.isArray(tree)) return tree.map(verbatim)
  const entries = tree instanceof Map ? [...tree.entries()] : Object.entries(tree)
  return new Map<unknown, unknown>(entries.map(([key, value]) => [key, verbatim(value)]))
}
