import { isDictionary } from '../../document/dictionary.ts'
import type { Secret } from '../../model/secret.ts'
import type { UnknownText } from '../../model/text.ts'

/** Also that of another copy of this file, which a project may have installed. */
const brand = Symbol.for('kmsfleet.host-value')

/**
 * A value that is not yet known where tasks are written: each host gives its own, from its variables before any
 * contact (`vars.x`), or from what is found on it (`host.group('x').gid`). It stands for a Jinja2 expression, and
 * goes into arguments, conditions and texts; it cannot be looked at, compared or calculated with here.
 */
export class HostValue<T> {
  readonly [brand] = true
  /** Tells the compiler what the value will be; never there. */
  declare readonly gives?: T
  /** Jinja2, without braces. */
  readonly expression: string

  constructor(expression: string) {
    this.expression = expression
  }

  /** The template that the value is rendered from, such as `{{ port }}`. */
  toString(): string {
    return `{{ ${this.expression} }}`
  }

  toJSON(): string {
    return this.toString()
  }

  /** `${value}` is a text; anything else would calculate with what is not there yet. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString()
    throw new TypeError(
      `expected a value that is known here, found \`${this.expression}\`, which each host gives: ` +
        'write a text with ${ }, a `when`, or an `expression`',
    )
  }
}

export function isHostValue(value: unknown): value is HostValue<unknown> {
  return typeof value === 'object' && value !== null && brand in value
}

/** What may be written for a value of a task: a known one of this type, or one that each host gives. */
export type Written<T> = Known<T> | HostValue<Frozen<NonNullable<T>>>

/** The same, never written to: what a variable is declared to hold may be either. */
type Frozen<T> = T extends readonly (infer Element)[]
  ? readonly Frozen<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T

type Known<T> = T extends Secret | UnknownText
  ? never
  : T extends readonly (infer Element)[]
    ? readonly Written<Element>[]
    : T extends object
      ? { readonly [Key in keyof T]: Written<T[Key]> }
      : T

/**
 * A Jinja2 expression from its text: `` expression<boolean>`${vars.port} > 1023` ``. Values of hosts go in as they
 * are, known ones as literals.
 */
export function expression<T = never>(
  texts: TemplateStringsArray,
  ...values: readonly unknown[]
): HostValue<T> {
  const [first = '', ...rest] = texts
  return new HostValue(rest.reduce((text, next, index) => text + operand(values[index]) + next, first))
}

function operand(value: unknown): string {
  if (!isHostValue(value)) return literal(value)
  return /^[\w.]+$/.test(value.expression) ? value.expression : `(${value.expression})`
}

/** A known value in Jinja2's own words, which are those of JSON but for `none`. */
function literal(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  if (Array.isArray(value)) return `[${value.map(operand).join(', ')}]`
  if (isDictionary(value)) {
    return `{${Object.entries(value)
      .map(([key, part]) => `${JSON.stringify(key)}: ${operand(part)}`)
      .join(', ')}}`
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return JSON.stringify(value)
  }
  throw new TypeError(
    `expected text, a number, true or false, a list or a dictionary, found a ${typeof value}`,
  )
}

/** What is asked of the host itself; known once an earlier task has made the account, if it is not there yet. */
export const host = {
  group: (name: string | HostValue<string>): { readonly gid: HostValue<number> } => ({
    gid: new HostValue(`host.group(${operand(name)}).gid`),
  }),
  user: (name: string | HostValue<string>): { readonly uid: HostValue<number> } => ({
    uid: new HostValue(`host.user(${operand(name)}).uid`),
  }),
} as const

/** The element of the task's `loop`. */
export function item<T = never>(): HostValue<T> {
  return new HostValue('item')
}

/** What an earlier task left under `register`. */
export function registered(name: string): {
  readonly changed: HostValue<boolean>
  readonly rc: HostValue<number>
  readonly stdout: HostValue<string>
} {
  return {
    changed: new HostValue(`${name}.changed`),
    rc: new HostValue(`${name}.rc`),
    stdout: new HostValue(`${name}.stdout`),
  }
}
