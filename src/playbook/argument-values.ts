import { describeValue } from '../document/describe.ts'
import { isDictionary } from '../document/dictionary.ts'
import { Secret } from '../model/secret.ts'
import { UnknownText } from '../model/text.ts'
import { AbsolutePath } from '../modules/arguments.ts'
import type { ArgumentType, RoleArgument } from './role-arguments.ts'

/** What is wrong with one value, or with a part of it. */
export interface ArgumentProblem {
  /** Such as `members[0].user`. */
  readonly path: string
  readonly expected: string
  readonly found: string
}

/**
 * Everything in a rendered value that is not as its argument says. What only a change of the run will make known is
 * taken to be right; a value is never converted.
 */
export function argumentProblems(argument: RoleArgument, value: unknown): readonly ArgumentProblem[] {
  if (value === null && !argument.required) return []
  return problemsOf(argument, argument.type, value, argument.name)
}

function problemsOf(
  argument: RoleArgument,
  type: ArgumentType,
  value: unknown,
  path: string,
): readonly ArgumentProblem[] {
  if (value instanceof UnknownText) return []
  if (!isOfType(type, value))
    return [
      { path, expected: typeWords[type], found: foundWords(value, type === 'secret' ? 'secret' : path) },
    ]
  if (argument.choices !== undefined && !argument.choices.some((choice) => choice === value)) {
    const expected = argument.choices.map((choice) => JSON.stringify(choice)).join(' or ')
    return [{ path, expected, found: foundWords(value, path) }]
  }
  if (Array.isArray(value)) {
    const { elements } = argument
    if (elements === undefined) return []
    const inner: RoleArgument = { ...argument, type: elements }
    return value.flatMap((element, index) =>
      problemsOf(inner, elements, element, `${path}[${String(index)}]`),
    )
  }
  return isDictionary(value) && argument.options !== undefined
    ? optionProblems(argument.options, value, path)
    : []
}

function optionProblems(
  options: readonly RoleArgument[],
  value: Readonly<Record<string, unknown>>,
  path: string,
): readonly ArgumentProblem[] {
  const unknown = Object.keys(value)
    .filter((key) => !options.some(({ name }) => name === key))
    .map((key) => ({
      path,
      expected: `keys ${options.map(({ name }) => name).join(', ')}`,
      found: `\`${key}\``,
    }))
  const known = options.flatMap((option): readonly ArgumentProblem[] => {
    const given = value[option.name]
    const below = `${path}.${option.name}`
    if (given !== undefined && (given !== null || option.required)) {
      return problemsOf(option, option.type, given, below)
    }
    return option.required ? [{ path: below, expected: typeWords[option.type], found: 'nothing' }] : []
  })
  return [...unknown, ...known]
}

function isOfType(type: ArgumentType, value: unknown): boolean {
  switch (type) {
    case 'str':
      return typeof value === 'string' || value instanceof Secret
    case 'int':
      return Number.isSafeInteger(value)
    case 'bool':
      return typeof value === 'boolean'
    case 'list':
      return Array.isArray(value)
    case 'dict':
      return isDictionary(value)
    case 'path':
      return AbsolutePath.safeParse(value).success
    case 'secret':
      return value instanceof Secret
    case 'raw':
      return true
  }
}

/** In the words of errors and of the reference. */
export const typeWords: Readonly<Record<ArgumentType, string>> = {
  str: 'text',
  int: 'a whole number',
  bool: 'true or false',
  list: 'a list',
  dict: 'a dictionary',
  path: 'an absolute path',
  raw: 'anything',
  secret: 'a secret of the play',
}

/** What stands under a name that speaks of a secret is never shown. */
function foundWords(value: unknown, name: string): string {
  return value instanceof Secret ? 'a secret' : describeValue(value, name)
}
