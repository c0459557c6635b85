import { collect } from '../document/collect.ts'
import { describeValue } from '../document/describe.ts'
import { isDictionary } from '../document/dictionary.ts'
import type { Dictionary } from '../document/dictionary.ts'
import type { KeyLocated } from '../document/issues.ts'
import type { Located } from '../document/located.ts'
import { partOf, salvageValue } from '../document/parse.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { hintForModule, hintForTaskKey } from './ansible-names.ts'
import { TaskKeywords, taskKeywords } from './keywords.ts'
import { checkPlaybookVariable } from './variable-sets.ts'
import type { Role, Task } from './types.ts'

/** Where a list of tasks stands, and what all of them share. */
export interface TaskContext {
  readonly modules: ReadonlySet<string>
  /** Start of the handlers' ids: `PLAYBOOK.PLAY`, or the name of the role. */
  readonly owner: string
  /** Start of the tasks' ids. */
  readonly ids: string
  readonly role?: Role
  readonly folder: string
  readonly tags: readonly string[]
}

/** A task beside the part of the file it was read from. */
export interface ReadTask {
  readonly task: Task
  readonly part: KeyLocated
  readonly owner: string
}

/** Reads a list of tasks; errors are added and the rest is read on. `list` may be empty. */
export function readTasks(
  list: KeyLocated,
  context: TaskContext,
  errors: KmsfleetError[],
): readonly ReadTask[] {
  const written: readonly unknown[] = Array.isArray(list.value) ? list.value : []
  const tasks: ReadTask[] = []
  for (const index of written.keys()) {
    const part = partOf(list, [index])
    const task = collect(errors, () => readTask(part, `${context.ids}/${String(index + 1)}`, context, errors))
    if (task !== undefined) tasks.push({ task, part, owner: context.owner })
  }
  return tasks
}

function readTask(
  part: KeyLocated,
  id: string,
  context: TaskContext,
  errors: KmsfleetError[],
): Task | undefined {
  // Anything else was found by the schema of the list.
  if (!isDictionary(part.value)) return undefined
  const written = part.value
  const keys = Object.keys(written)
  const words = Object.fromEntries(Object.entries(written).filter(([key]) => taskKeywords.has(key)))
  const keywords = salvageValue(TaskKeywords, words, part, errors)?.value
  const module = moduleOf(keys, part, context.modules, errors)
  if (module === undefined || keywords === undefined) return undefined
  const args = moduleArguments(part, module)
  const register = keywords.register
  if (register !== undefined) {
    collect(errors, () => {
      checkPlaybookVariable(register, part.place(['register']))
    })
  }
  return {
    id,
    name: keywords.name ?? defaultName(module, args.value),
    module,
    args,
    when: keywords.when ?? [],
    ...(keywords.loop === undefined ? {} : { loop: keywords.loop }),
    notify: keywords.notify ?? [],
    ...(register === undefined ? {} : { register }),
    tags: [...new Set([...context.tags, ...(keywords.tags ?? [])])],
    ...(context.role === undefined ? {} : { role: context.role }),
    folder: context.folder,
    place: part.place(),
    placeOf: (path) => part.place(path),
  }
}

/** The one key that names a module; errors for all keys that are neither that nor a keyword. */
function moduleOf(
  keys: readonly string[],
  part: KeyLocated,
  modules: ReadonlySet<string>,
  errors: KmsfleetError[],
): string | undefined {
  const candidates = keys.filter((key) => !taskKeywords.has(key))
  const known = candidates.filter((key) => modules.has(key))
  const unknown = candidates.filter((key) => !modules.has(key))
  for (const key of unknown) errors.push(unknownKey(key, known.length > 0, part, modules))
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
  modules: ReadonlySet<string>,
): KmsfleetError {
  const place = part.keyPlace([key])
  const taskHint = hintForTaskKey(key)
  if (taskHint !== undefined || hasModule) {
    const hint = taskHint ?? suggestion(key, taskKeywords)
    return new KmsfleetError('document.unknown-key', `expected a known key, found \`${key}\``, {
      place,
      ...(hint === undefined ? {} : { hint }),
    })
  }
  const hint = hintForModule(key, modules) ?? suggestion(key, [...modules, ...taskKeywords])
  return new KmsfleetError('playbook.unknown-module', `expected the name of a module, found \`${key}\``, {
    place,
    ...(hint === undefined ? {} : { hint }),
  })
}

function moduleArguments(part: KeyLocated, module: string): Located<Dictionary> {
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

/** `directory /etc/x` for a task without name. */
function defaultName(module: string, args: Dictionary): string {
  const subject = ['path', 'dest', 'name', 'unit']
    .map((key) => args[key])
    .find((value) => typeof value === 'string')
  return typeof subject === 'string' ? `${module} ${subject}` : module
}
