import * as z from 'zod'
import { collect } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { partOf, readDocument } from '../document/parse.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { showPlace, type Place } from '../errors/place.ts'
import { argumentProblems } from './argument-values.ts'
import type { Variables } from './types.ts'
import { checkPlaybookVariable } from './variable-sets.ts'

/** What an argument may be. `path` is one of the host; `secret` is one of the play's `secrets`. */
export const argumentTypes = ['str', 'int', 'bool', 'list', 'dict', 'path', 'raw', 'secret'] as const
export type ArgumentType = (typeof argumentTypes)[number]

/** A value that a role is given, or a key of a dictionary in one. */
export interface RoleArgument {
  readonly name: string
  readonly type: ArgumentType
  readonly required: boolean
  /** A condition, as in `when`: the argument is required where it holds. */
  readonly requiredWhen?: string
  readonly choices?: readonly (string | number)[]
  /** Type of a list's elements. */
  readonly elements?: ArgumentType
  /** Keys of a dictionary, or of each dictionary of a list. */
  readonly options?: readonly RoleArgument[]
  /** Markdown. */
  readonly description: string
  readonly place: Place
}

/** What a role declares in `meta/arguments.yml`. */
export interface RoleArguments {
  readonly summary: string
  readonly description: string
  readonly list: readonly RoleArgument[]
  /** Defaults that are declared beside the arguments. */
  readonly defaults: Variables
}

const Type = z.enum(argumentTypes)

const Declaration = z.strictObject({
  type: Type.default('str'),
  required: z.boolean().default(false),
  required_when: z.string().min(1).optional(),
  default: z.unknown().optional(),
  choices: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional(),
  elements: Type.optional(),
  get options() {
    return z.record(z.string(), Declaration).optional()
  },
  description: z.string().default(''),
})
type Declaration = z.infer<typeof Declaration>

const Declarations = z.strictObject({
  summary: z.string().default(''),
  description: z.string().default(''),
  arguments: z.record(z.string(), Declaration),
})

/** Reads a role's declarations; errors are added, and what is right is kept. */
export function readArguments(file: string, errors: KmsfleetError[]): RoleArguments | undefined {
  const document = collect(errors, () => readDocument(file, Declarations, { errors }))
  if (document === undefined) return undefined
  const { summary, description } = document.value
  const part = partOf(document, ['arguments'])
  const declared = Object.entries(document.value.arguments)
  const list = declared.map(([name, declaration]) => {
    collect(errors, () => {
      checkPlaybookVariable(name, part.keyPlace([name]))
    })
    return toArgument(name, declaration, partOf(part, [name]), errors)
  })
  const defaults = new Map(
    declared.flatMap(([name, { default: value }]) =>
      value === undefined ? [] : [[name, { value, origin: part.place([name, 'default']) }] as const],
    ),
  )
  for (const argument of list) checkDefault(argument, defaults, errors)
  return { summary, description, list, defaults }
}

function toArgument(
  name: string,
  declaration: Declaration,
  part: KeyLocated,
  errors: KmsfleetError[],
): RoleArgument {
  const { type, required, required_when: requiredWhen, choices, elements, options, description } = declaration
  const refuse = (key: string, expected: string): void => {
    const place = part.keyPlace([key])
    errors.push(new KmsfleetError('playbook.invalid', `expected ${expected}, found \`${key}\``, { place }))
  }
  const mayBeRequired = required || requiredWhen !== undefined
  if (mayBeRequired && declaration.default !== undefined) refuse('default', 'no default for what is required')
  if (required && requiredWhen !== undefined) refuse('required_when', 'no condition for what is required')
  if (elements !== undefined && type !== 'list') refuse('elements', 'elements of a list only')
  if (options !== undefined && (type === 'list' ? elements : type) !== 'dict') {
    refuse('options', 'options of a dictionary, or of a list of dictionaries, only')
  }
  if (choices !== undefined && type !== 'str' && type !== 'int')
    refuse('choices', 'choices of str or int only')
  const inner = Object.entries(options ?? {}).map(([key, option]) => {
    const below = partOf(part, ['options', key])
    if (option.required_when !== undefined) {
      const message = 'expected a condition of the argument itself, found one within a dictionary'
      const place = below.keyPlace(['required_when'])
      errors.push(new KmsfleetError('playbook.invalid', message, { place }))
    }
    if (option.default !== undefined) {
      const message =
        'expected no default within a dictionary, since variables are taken as they are, found `default`'
      errors.push(new KmsfleetError('playbook.invalid', message, { place: below.keyPlace(['default']) }))
    }
    return toArgument(key, option, below, errors)
  })
  return {
    name,
    type,
    required,
    ...(requiredWhen === undefined ? {} : { requiredWhen }),
    ...(choices === undefined ? {} : { choices }),
    ...(elements === undefined ? {} : { elements }),
    ...(options === undefined ? {} : { options: inner }),
    description: description.trim(),
    place: part.place(),
  }
}

/** A default is of its own type, as far as it can be known without a host. */
function checkDefault(argument: RoleArgument, defaults: Variables, errors: KmsfleetError[]): void {
  const given = defaults.get(argument.name)
  if (given === undefined || JSON.stringify(given.value).includes('{{')) return
  for (const { path, expected, found } of argumentProblems(argument, given.value)) {
    const message = `expected ${expected} as default of \`${path}\`, found ${found}`
    errors.push(new KmsfleetError('playbook.invalid', message, { place: given.origin }))
  }
}

/** A default stands in one place: beside its declaration, or in `defaults/main.yml`. */
export function joinDefaults(
  declared: RoleArguments | undefined,
  written: Variables,
  errors: KmsfleetError[],
): Variables {
  if (declared === undefined) return written
  for (const [name, { origin }] of written) {
    const first = declared.defaults.get(name)
    const required = declared.list.find(
      (argument) => argument.name === name && (argument.required || argument.requiredWhen !== undefined),
    )
    if (first === undefined && required === undefined) continue
    const found =
      first === undefined
        ? `found one for \`${name}\`, which ${showPlace(required?.place ?? origin)} says is required`
        : `found \`${name}\` again after ${showPlace(first.origin)}`
    errors.push(
      new KmsfleetError('playbook.duplicate', `expected one default at most, ${found}`, { place: origin }),
    )
  }
  return new Map([...declared.defaults, ...written])
}

/** What is passed to a role by name must be an argument: a misspelt one would silently leave the default. */
export function refuseUndeclared(
  role: string,
  declared: RoleArguments | undefined,
  passed: Variables,
  errors: KmsfleetError[],
): void {
  if (declared === undefined) return
  const known = declared.list.map(({ name }) => name)
  for (const [name, { origin }] of passed) {
    if (known.includes(name)) continue
    const hint = suggestion(name, known)
    errors.push(
      new KmsfleetError(
        'playbook.invalid',
        `expected an argument of the role \`${role}\`, found \`${name}\``,
        {
          place: origin,
          ...(hint === undefined ? {} : { hint }),
        },
      ),
    )
  }
}
