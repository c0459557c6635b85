import { throwCollected } from '../document/collect.ts'
import type { KmsfleetError } from '../errors/error.ts'
import type { ArgumentType, RoleArgument } from '../playbook/role-arguments.ts'
import { readInterface } from '../playbook/roles.ts'
import type { Variables } from '../playbook/types.ts'
import type { Argument } from './module-doc.ts'

/** What the reference says of a role. */
export interface RoleDoc {
  readonly name: string
  readonly summary: string
  /** Markdown. */
  readonly description: string
  readonly arguments: readonly Argument[]
}

/** What a role is given, as it declares it; `declared` is undefined where it declares nothing. */
export interface RoleInterface {
  readonly name: string
  readonly summary: string
  readonly declared: readonly RoleArgument[] | undefined
}

/** Runs no code. Throws KmsfleetErrors where the role's files are wrong. */
export function roleInterface(playbook: string, name: string): RoleInterface {
  const errors: KmsfleetError[] = []
  const { declared } = readInterface(playbook, name, errors)
  throwCollected(errors)
  return { name, summary: declared?.summary ?? '', declared: declared?.list }
}

/** A role as a playbook finds it; runs no code. Throws KmsfleetErrors where the role's files are wrong. */
export function roleDoc(playbook: string, name: string): RoleDoc {
  const errors: KmsfleetError[] = []
  const { declared, defaults } = readInterface(playbook, name, errors)
  throwCollected(errors)
  return {
    name,
    summary: declared?.summary ?? '',
    description: declared?.description ?? '',
    arguments: (declared?.list ?? []).flatMap((argument) => rows(argument, argument.name, defaults)),
  }
}

function rows(argument: RoleArgument, name: string, defaults: Variables): readonly Argument[] {
  const given = defaults.get(name)
  const row: Argument = {
    name,
    type: typeOf(argument),
    required: argument.required,
    ...(given === undefined ? {} : { byDefault: showDefault(given.value) }),
    description: described(argument),
  }
  const below = argument.type === 'list' ? `${name}[].` : `${name}.`
  const inner = (argument.options ?? []).flatMap((option) =>
    rows(option, `${below}${option.name}`, new Map()),
  )
  return [row, ...inner]
}

function described({ description, requiredWhen }: RoleArgument): string {
  if (requiredWhen === undefined) return description
  return `${description === '' ? '' : `${description}; `}required when \`${requiredWhen}\``
}

const words: Readonly<Record<ArgumentType, string>> = {
  str: 'text',
  int: 'whole number',
  bool: '`true` or `false`',
  list: 'list',
  dict: 'dictionary',
  path: 'absolute path',
  raw: 'anything',
  secret: 'secret',
}

function typeOf({ type, elements, choices }: RoleArgument): string {
  if (choices !== undefined) return choices.map((choice) => `\`${String(choice)}\``).join(' or ')
  return elements === undefined
    ? words[type]
    : `list of ${elements === 'dict' ? 'dictionaries' : words[elements]}`
}

/** What is made of other variables is long, and says nothing without them. */
function showDefault(value: unknown): string {
  const written = JSON.stringify(value)
  return written.includes('{{') ? '{{ ... }}' : written
}
