/** Which change of this run will make an unknown value known, in words an operator reads. */
export interface Origin {
  /** The resource whose change produces the value, such as `group:openbao-kms-socket`. */
  readonly after: string
  /** The attribute of that resource, such as `gid`. */
  readonly field: string
}

/** A value that is known now, or one that a change of this run must first produce. */
export type Value<T> = { readonly known: true; readonly value: T } | ({ readonly known: false } & Origin)

export function known<T>(value: T): Value<T> {
  return { known: true, value }
}

export function unknown(origin: Origin): Value<never> {
  return { known: false, after: origin.after, field: origin.field }
}
