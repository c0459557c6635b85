import type { Place } from '../errors/place.ts'
import type { Rendered, Text, UnknownText } from '../model/text.ts'
import type { Value } from '../model/value.ts'

/** What templates may ask of the host; answers may be unknown until an earlier change was made. */
export interface HostLookups {
  /** gid of a group; throws KmsfleetError where the group neither exists nor is going to. */
  groupId(name: string): Value<number>
  /** uid of a user. */
  userId(name: string): Value<number>
}

/** All that a template sees. */
export interface Scope {
  /** Plain YAML values; a string value that itself contains `{{ }}` is rendered when it is used, as in Ansible. Secrets are leaves. */
  readonly variables: ReadonlyMap<string, unknown>
  readonly host: HostLookups
}

/** Place of the part of a tree at a path of keys and indexes. */
export type PlaceOf = (path: readonly PropertyKey[]) => Place

/** The sandboxed Jinja2 engine. Undefined is an error with the place; fuel and output size are limited. */
export interface TemplateEngine {
  /** Renders one template text. */
  text(template: string, scope: Scope, place: Place): Text
  /** Renders every string of a YAML value; a string that is one bare `{{ expression }}` keeps the expression's type. */
  value(tree: unknown, scope: Scope, place: Place | PlaceOf): Rendered
  /** A bare Jinja2 expression, as `when` and `that` have: truth, or unknown. */
  condition(expression: string, scope: Scope, place: Place): boolean | UnknownText
}
