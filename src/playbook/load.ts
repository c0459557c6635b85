import { statSync } from 'node:fs'
import { basename, dirname, extname, resolve } from 'node:path'
import { collect, throwCollected } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { partOf, readDocument, salvageValue } from '../document/parse.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { hintForPlayKey } from './ansible-names.ts'
import { findOwnModules } from './code/own-modules.ts'
import { createCodeReader, type CodeReader, type RanCode } from './code/reader.ts'
import { flushed, nameHandlers, resolveNotified } from './handlers.ts'
import { PlayKeywords, PlayList, Vars } from './keywords.ts'
import { inheritsNothing, type Reading, type ReadTask, type TaskContext } from './reading.ts'
import { createRoleUses, readRoleEntry } from './role-use.ts'
import { roleFinder, type RoleFinder } from './roles.ts'
import { readSecretReferences } from './secrets.ts'
import { readTasks } from './tasks.ts'
import type { Handler, Play, Playbook, Variables } from './types.ts'
import { overlay, readVariables } from './variable-sets.ts'

export interface PlaybookOptions {
  /** Names of all shipped modules. */
  readonly modules: ReadonlySet<string>
  /** Folders of roles, looked in first. */
  readonly rolesPath?: readonly string[]
  /** What the code of the playbook and its roles gave; files that are missing here are not looked into. */
  readonly code?: RanCode
}

/**
 * Loads a YAML playbook with its roles. All that can be known without a host is checked: keys, modules,
 * handlers, names. Runs no code of the project: what would have to run is named in `unread`. Throws KmsfleetErrors
 * with all errors of all files.
 */
export function loadPlaybook(file: string, options: PlaybookOptions): Playbook {
  const ran = options.code ?? { lists: new Map(), modules: new Map() }
  const code = createCodeReader(ran, findOwnModules(dirname(resolve(file))))
  const findRole = roleFinder(file, options.rolesPath ?? [], code)
  const errors: KmsfleetError[] = []
  const document = readDocument(file, PlayList, {
    missing: 'playbook.not-found',
    code: 'playbook.invalid',
    errors,
  })
  const plays: Play[] = []
  for (const index of document.value.keys()) {
    const part = partOf(document, [index])
    const play = collect(errors, () => readPlay(part, file, findRole, code, options, errors))
    if (play !== undefined) plays.push(play)
  }
  throwCollected(errors)
  return { file, plays, modules: code.modules, unread: code.unread }
}

function readPlay(
  part: KeyLocated,
  file: string,
  findRole: RoleFinder,
  code: CodeReader,
  options: PlaybookOptions,
  errors: KmsfleetError[],
): Play | undefined {
  const before = errors.length
  const salvaged = salvageValue(PlayKeywords, part.value, part, errors, {
    code: 'playbook.invalid',
    unknownKey: (key, known) => hintForPlayKey(key) ?? suggestion(key, known),
  })
  if (salvaged === undefined) return undefined
  const keywords = salvaged.value
  const vars = readPlayVariables(keywords, part, file, errors)
  const secrets = readSecretReferences(keywords.secrets, part, vars, errors)
  const hosts = keywords.hosts.join(',')
  const name = keywords.name ?? hosts
  const folder = dirname(resolve(file))
  const context: TaskContext = {
    kind: 'task',
    // A debt on a host outlives the run: `restart` of one play or playbook is not that of another.
    owner: `${basename(file, extname(file))}.${name}`,
    ids: 'play',
    folder,
    fileFolder: folder,
    within: [],
    inherited: { ...inheritsNothing, tags: keywords.tags ?? [] },
  }
  const roles = createRoleUses(findRole, () => reading)
  const modules = new Set([...options.modules, ...code.names])
  const reading: Reading = { modules, errors, section: 0, useRole: roles.use, code }
  const tasks = readSections(keywords, part, context, reading)
  const handlerContext: TaskContext = { ...context, kind: 'handler', ids: 'play/handler' }
  const written = readTasks(partOf(part, ['handlers']), handlerContext, reading)
  const names = nameHandlers([...roles.handlers, ...written], errors)
  // Where a role or handler is itself in error or was not read, a name that is missing says nothing.
  const notifyErrors: KmsfleetError[] = []
  const resolved = tasks.map((task) => resolveNotified(task, names, notifyErrors))
  const handlers = names.all.map(({ read, handlerId }): Handler => ({
    ...resolveNotified(read, names, notifyErrors),
    handlerId,
  }))
  const knownTasks = resolved.filter(({ module }) => code.knows(module))
  const knownHandlers = handlers.filter(({ module }) => code.knows(module))
  if (errors.length === before && code.unread.length === 0) errors.push(...notifyErrors)
  return {
    name,
    hosts,
    tasks: knownTasks,
    handlers: knownHandlers,
    flushes: Array.from({ length: reading.section }, (_, index) => flushed(knownHandlers, index + 1)),
    vars,
    access: roles.access,
    secrets,
    serial: keywords.serial ?? [],
    ...(keywords.max_fail_percentage === undefined
      ? {}
      : { maxFailPercentage: keywords.max_fail_percentage }),
    anyErrorsFatal: keywords.any_errors_fatal,
    order: keywords.order,
    pause: keywords.pause,
    ...(keywords.seed_from === undefined
      ? {}
      : { seedFrom: { template: keywords.seed_from, place: part.place(['seed_from']) } }),
    place: part.place(),
  }
}

/** `pre_tasks`, then `roles` and `tasks`, then `post_tasks`; handlers that are due run between them, as in Ansible. */
function readSections(
  keywords: PlayKeywords,
  part: KeyLocated,
  context: TaskContext,
  reading: Reading,
): readonly ReadTask[] {
  const before = readTasks(partOf(part, ['pre_tasks']), { ...context, ids: 'play/pre' }, reading)
  if (keywords.pre_tasks !== null) reading.section += 1
  const roles = (keywords.roles ?? []).flatMap((entry, index) =>
    readRoleEntry(entry, partOf(part, ['roles', index]), context, reading),
  )
  const tasks = readTasks(partOf(part, ['tasks']), context, reading)
  if (keywords.post_tasks !== null) reading.section += 1
  const after = readTasks(partOf(part, ['post_tasks']), { ...context, ids: 'play/post' }, reading)
  return [...before, ...roles, ...tasks, ...after]
}

/** `vars` of a play, with those of its `vars_files` over them. */
function readPlayVariables(
  keywords: PlayKeywords,
  part: KeyLocated,
  file: string,
  errors: KmsfleetError[],
): Variables {
  const files = (keywords.vars_files ?? []).map((name, index) => {
    const path = resolve(dirname(file), name)
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      const place = part.place(['vars_files', index])
      errors.push(
        new KmsfleetError('playbook.not-found', `expected a file of variables, found none at ${path}`, {
          place,
        }),
      )
      return new Map<string, never>()
    }
    const document = collect(errors, () => readDocument(path, Vars, { errors }))
    return document === undefined ? new Map<string, never>() : readVariables(document, errors)
  })
  return files.reduce(overlay, readVariables(partOf(part, ['vars']), errors))
}
