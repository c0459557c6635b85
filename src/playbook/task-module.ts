import { describeValue } from '../document/describe.ts'
import { isDictionary, type Dictionary } from '../document/dictionary.ts'
import type { KeyLocated } from '../document/issues.ts'
import type { Located } from '../document/located.ts'
import { partOf } from '../document/parse.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { hintForModule, hintForTaskKey } from './ansible-names.ts'
import type { Reading } from './reading.ts'

/** The one key that names a module; errors for all keys that are neither that nor one of the keywords. */
export function moduleOf(
  keys: readonly string[],
  part: KeyLocated,
  keywords: ReadonlySet<string>,
  { modules, errors }: Pick<Reading, 'modules' | 'errors'>,
): string | undefined {
  const candidates = keys.filter((key) => !keywords.has(key))
  const known = candidates.filter((key) => modules.has(key))
  const unknown = candidates.filter((key) => !modules.has(key))
  for (const key of unknown) errors.push(unknownKey(key, known.length > 0, part, keywords, modules))
  const [first, second] = known
  if (second !== undefined) {
    errors.push(
      new KmsfleetError(
        'playbook.invalid',
        `expected one module, found \`${String(first)}\` and \`${second}\``,
        {
          place: part.keyPlace([second]),
          hint: 'write a task for each',
        },
      ),
    )
  } else if (first === undefined && unknown.length === 0) {
    errors.push(
      new KmsfleetError('playbook.invalid', 'expected a task with a module, found none', {
        place: part.place(),
        hint: 'known modules are listed by `kmsfleet doc`',
      }),
    )
  }
  return second === undefined && unknown.length === 0 ? first : undefined
}

function unknownKey(
  key: string,
  hasModule: boolean,
  part: KeyLocated,
  keywords: ReadonlySet<string>,
  modules: ReadonlySet<string>,
): KmsfleetError {
  const place = part.keyPlace([key])
  const taskHint = hintForTaskKey(key)
  if (taskHint !== undefined || hasModule) {
    const hint = taskHint ?? suggestion(key, keywords)
    return new KmsfleetError('document.unknown-key', `expected a known key, found \`${key}\``, {
      place,
      ...(hint === undefined ? {} : { hint }),
    })
  }
  const hint = hintForModule(key, modules) ?? suggestion(key, [...modules, ...keywords])
  return new KmsfleetError('playbook.unknown-module', `expected the name of a module, found \`${key}\``, {
    place,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The arguments below a module's name. */
export function moduleArguments(part: KeyLocated, module: string): Located<Dictionary> {
  const args = partOf(part, [module])
  const value = args.value
  if (isDictionary(value)) return { ...args, value }
  const hint =
    module === 'command'
      ? 'write `command:` with `argv:`, a list of the program and its arguments'
      : `write the arguments below \`${module}:\`, one a line`
  throw new KmsfleetError(
    'playbook.invalid',
    `expected a dictionary of arguments for \`${module}\`, found ${describeValue(value)}`,
    { place: args.place(), hint },
  )
}
