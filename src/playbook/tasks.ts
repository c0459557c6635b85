import { collect } from '../document/collect.ts'
import { isDictionary } from '../document/dictionary.ts'
import type { KeyLocated } from '../document/issues.ts'
import { partOf, salvageValue } from '../document/parse.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { hintForTaskKey } from './ansible-names.ts'
import { readTaskFile } from './imports.ts'
import {
  BlockKeywords,
  HandlerKeywords,
  handlerKeywords,
  ImportRoleKeywords,
  ImportTasksKeywords,
  MetaKeywords,
  TaskKeywords,
  taskKeywords,
  type TaskWords,
} from './keywords.ts'
import { moduleArguments, moduleOf } from './task-module.ts'
import { inherit, inheritAll, type Reading, type ReadTask, type TaskContext } from './reading.ts'
import { readUntil, refuseDue, refuseOnce } from './task-keywords.ts'
import { checkPlaybookVariable, readVariables } from './variable-sets.ts'

/**
 * Reads a list of tasks, blocks and imports in the order in which they will run; errors are added and the rest is
 * read on. `list` may be empty.
 */
export function readTasks(list: KeyLocated, context: TaskContext, reading: Reading): readonly ReadTask[] {
  const written: readonly unknown[] = Array.isArray(list.value) ? list.value : []
  return [...written.keys()].flatMap((index) => {
    const part = partOf(list, [index])
    // Anything else was found by the schema of the list.
    if (!isDictionary(part.value)) return []
    const id = `${context.ids}/${String(index + 1)}`
    return collect(reading.errors, () => readEntry(part, id, context, reading)) ?? []
  })
}

function readEntry(
  part: KeyLocated,
  id: string,
  context: TaskContext,
  reading: Reading,
): readonly ReadTask[] {
  const keys = new Set(isDictionary(part.value) ? Object.keys(part.value) : [])
  if (keys.has('block')) return readBlock(part, id, context, reading)
  if (keys.has('import_tasks')) return readImport(part, id, context, reading)
  if (keys.has('import_role')) return readRole(part, context, reading)
  if (keys.has('meta')) return readMeta(part, context, reading)
  const task = readTask(part, id, context, reading)
  return task === undefined ? [] : [task]
}

const noHandler = 'write the handlers one after the other; all that listen to one topic run together'

function readBlock(
  part: KeyLocated,
  id: string,
  context: TaskContext,
  reading: Reading,
): readonly ReadTask[] {
  const salvaged = salvageValue(BlockKeywords, part.value, part, reading.errors, keywordOptions('a block'))
  if (context.kind === 'handler') throw misplaced(part, 'block', 'a block among tasks', noHandler)
  if (salvaged === undefined) return []
  const inherited = inheritAll(context.inherited, salvaged.value, part, reading.errors)
  return readTasks(partOf(part, ['block']), { ...context, ids: id, inherited }, reading)
}

function readImport(
  part: KeyLocated,
  id: string,
  context: TaskContext,
  reading: Reading,
): readonly ReadTask[] {
  const options = keywordOptions('an import')
  const salvaged = salvageValue(ImportTasksKeywords, part.value, part, reading.errors, options)
  if (salvaged === undefined) return []
  const { file, list } = readTaskFile(
    salvaged.value.import_tasks,
    part.place(['import_tasks']),
    context,
    reading,
  )
  const inherited = inheritAll(context.inherited, salvaged.value, part, reading.errors)
  const within = [...context.within, file.path]
  return readTasks(list, { ...context, ids: id, fileFolder: file.folder, within, inherited }, reading)
}

function readRole(part: KeyLocated, context: TaskContext, reading: Reading): readonly ReadTask[] {
  const options = keywordOptions('an import')
  const salvaged = salvageValue(ImportRoleKeywords, part.value, part, reading.errors, options)
  if (context.kind === 'handler') throw misplaced(part, 'import_role', 'a role among tasks', noHandler)
  if (salvaged === undefined) return []
  const { name, tasks_from: tasksFrom } = salvaged.value.import_role
  // Its `vars` are the role's parameters: they hold for its defaults, handlers and dependencies too.
  const params = readVariables(partOf(part, ['vars']), reading.errors)
  const inherited = inherit(context.inherited, salvaged.value, part)
  const place = part.place(['import_role', 'name'])
  return reading.useRole(
    { name, place, params, always: true, ...(tasksFrom === undefined ? {} : { tasksFrom }) },
    { ...context, inherited },
  )
}

/** Only `flush_handlers` has a meaning here. */
function readMeta(part: KeyLocated, context: TaskContext, reading: Reading): readonly ReadTask[] {
  const options = keywordOptions('`meta`')
  const salvaged = salvageValue(MetaKeywords, part.value, part, reading.errors, options)
  if (context.kind === 'handler') throw misplaced(part, 'meta', 'a flush among tasks')
  if (context.inherited.when.length > 0) {
    const hint = 'write it outside: handlers that are due on a host are flushed whatever a condition says'
    throw misplaced(part, 'meta', 'a flush that no block or import makes conditional', hint)
  }
  if (salvaged !== undefined) reading.section += 1
  return []
}

function misplaced(part: KeyLocated, key: string, expected: string, hint?: string): KmsfleetError {
  return new KmsfleetError('playbook.invalid', `expected ${expected}, found \`${key}\` here`, {
    place: part.keyPlace([key]),
    ...(hint === undefined ? {} : { hint }),
  })
}

/** What stands beside `block`, an import or `meta` is refused by name: a task of its own has more keywords. */
function keywordOptions(what: string): Parameters<typeof salvageValue>[4] {
  return {
    code: 'playbook.invalid',
    unknownKey: (key, known) =>
      hintForTaskKey(key) ??
      (taskKeywords.has(key)
        ? `${what} takes ${known.join(', ')}: write \`${key}\` in its tasks`
        : suggestion(key, known)),
  }
}

function readTask(
  part: KeyLocated,
  id: string,
  context: TaskContext,
  reading: Reading,
): ReadTask | undefined {
  const { errors } = reading
  const [schema, known] =
    context.kind === 'handler' ? [HandlerKeywords, handlerKeywords] : [TaskKeywords, taskKeywords]
  const written = isDictionary(part.value) ? part.value : {}
  const words = Object.fromEntries(Object.entries(written).filter(([key]) => known.has(key)))
  const keywords = salvageValue<TaskWords>(schema, words, part, errors)?.value
  const module = moduleOf(Object.keys(written), part, known, reading)
  if (module === undefined || keywords === undefined) return undefined
  const args = moduleArguments(part, module)
  const { register } = keywords
  if (register !== undefined) {
    collect(errors, () => {
      checkPlaybookVariable(register, part.place(['register']))
    })
  }
  const inherited = inheritAll(context.inherited, keywords, part, errors)
  if (inherited.runOnce) refuseOnce(context, keywords, part, errors)
  refuseDue(context, keywords, part, errors)
  const until = readUntil(module, keywords, part, errors)
  return {
    task: {
      id,
      name: keywords.name ?? defaultName(module, args.value),
      module,
      args,
      when: inherited.when,
      ...(keywords.loop === undefined ? {} : { loop: keywords.loop }),
      notify: [],
      ...(register === undefined ? {} : { register }),
      ...(until === undefined ? {} : { until }),
      runOnce: inherited.runOnce,
      ...(inherited.throttle === undefined ? {} : { throttle: inherited.throttle }),
      ...(keywords.due === undefined ? {} : { due: keywords.due }),
      tags: inherited.tags,
      vars: inherited.vars,
      section: reading.section,
      ...(context.role === undefined ? {} : { role: context.role }),
      ...(context.aroundRole === undefined ? {} : { aroundRole: context.aroundRole }),
      folder: context.folder,
      place: part.place(),
      placeOf: (path) => part.place(path),
    },
    notified: inherited.notify,
    listen: keywords.listen ?? [],
    owner: context.owner,
  }
}

/** `directory /etc/x` for a task without name. */
function defaultName(module: string, args: Readonly<Record<string, unknown>>): string {
  const subject = ['path', 'dest', 'name', 'unit']
    .map((key) => args[key])
    .find((value) => typeof value === 'string')
  return typeof subject === 'string' ? `${module} ${subject}` : module
}
