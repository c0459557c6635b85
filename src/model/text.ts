import type { Secret } from './secret.ts'
import type { Origin } from './value.ts'

/** Text that touched a value which a change of this run must first produce: wholly unknown until then. */
export class UnknownText {
  /** At least one. */
  readonly origins: readonly Origin[]

  constructor(origins: readonly Origin[]) {
    this.origins = origins
  }

  /** `(known after group:openbao-kms-socket)`, as plans print it. */
  toString(): string {
    return `(known after ${this.origins.map((origin) => `${origin.after} gives its ${origin.field}`).join(' and ')})`
  }
}

/** A rendered template. A Secret comes only from a template that is one bare `{{ name }}`. */
export type Text = string | Secret | UnknownText

/** A rendered argument tree: YAML values whose strings were rendered. Dictionaries are Maps-free plain objects without prototype. */
export type Rendered =
  Text | number | boolean | null | readonly Rendered[] | { readonly [key: string]: Rendered }
