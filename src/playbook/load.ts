import { basename, dirname, extname, resolve } from 'node:path'
import { collect, throwCollected } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { partOf, readDocument, salvageValue } from '../document/parse.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { hintForPlayKey } from './ansible-names.ts'
import { checkNotified, toHandlers } from './handlers.ts'
import { PlayKeywords, PlayList } from './keywords.ts'
import { roleFinder } from './roles.ts'
import type { RoleFinder } from './roles.ts'
import { readTasks } from './tasks.ts'
import type { ReadTask, TaskContext } from './tasks.ts'
import type { Play, Playbook, Role, SecretReference } from './types.ts'
import { checkPlaybookVariable, readVariables } from './variable-sets.ts'

export interface PlaybookOptions {
  /** Names of all modules. */
  readonly modules: ReadonlySet<string>
  /** Folders of roles, looked in first. */
  readonly rolesPath?: readonly string[]
}

/**
 * Loads a YAML playbook with its roles. All that can be known without a host is checked: keys, modules,
 * handlers, names. Runs no code of the project. Throws KmsfleetErrors with all errors of all files.
 */
export function loadPlaybook(file: string, options: PlaybookOptions): Playbook {
  const findRole = roleFinder(file, options.rolesPath ?? [])
  const errors: KmsfleetError[] = []
  const document = readDocument(file, PlayList, {
    missing: 'playbook.not-found',
    code: 'playbook.invalid',
    errors,
  })
  const plays: Play[] = []
  for (const index of document.value.keys()) {
    const part = partOf(document, [index])
    const play = collect(errors, () => readPlay(part, file, findRole, options, errors))
    if (play !== undefined) plays.push(play)
  }
  throwCollected(errors)
  return { file, plays }
}

function readPlay(
  part: KeyLocated,
  file: string,
  findRole: RoleFinder,
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
  const vars = readVariables(partOf(part, ['vars']), errors)
  const secrets = readSecretReferences(keywords, part, vars, errors)
  const hosts = keywords.hosts.join(',')
  const name = keywords.name ?? hosts
  const common = {
    modules: options.modules,
    // A debt on a host outlives the run: `restart` of one play or playbook is not that of another.
    owner: `${basename(file, extname(file))}.${name}`,
    ids: 'play',
    folder: dirname(resolve(file)),
    tags: keywords.tags ?? [],
  }
  const fromRoles = readRoles(keywords, part, findRole, common, errors)
  const written = readTasks(partOf(part, ['handlers']), { ...common, ids: 'play/handler' }, errors)
  const handlers = toHandlers([...fromRoles.handlers, ...written], errors)
  // Where a role or handler is itself in error, a name that is missing says nothing.
  const complete = errors.length === before
  const tasks = [...fromRoles.tasks, ...readTasks(partOf(part, ['tasks']), common, errors)]
  if (complete) checkNotified([...tasks, ...fromRoles.handlers, ...written], handlers, errors)
  return {
    name,
    hosts,
    tasks: tasks.map(({ task }) => task),
    handlers,
    vars,
    secrets,
    serial: keywords.serial ?? [],
    ...(keywords.max_fail_percentage === undefined
      ? {}
      : { maxFailPercentage: keywords.max_fail_percentage }),
    anyErrorsFatal: keywords.any_errors_fatal,
    place: part.place(),
  }
}

function readSecretReferences(
  keywords: PlayKeywords,
  part: KeyLocated,
  vars: ReadonlyMap<string, unknown>,
  errors: KmsfleetError[],
): readonly SecretReference[] {
  const references: SecretReference[] = []
  for (const [name, secret] of Object.entries(keywords.secrets ?? {})) {
    const place = part.keyPlace(['secrets', name])
    collect(errors, () => {
      checkPlaybookVariable(name, place)
    })
    if (vars.has(name)) {
      const message = `expected different names, found a variable and a secret \`${name}\``
      errors.push(new KmsfleetError('playbook.duplicate', message, { place }))
    }
    references.push({ name, source: 'file', path: secret.file, place: part.place(['secrets', name, 'file']) })
  }
  return references
}

/** Tasks and handlers of a play's roles, in order. Each role once: its handlers and task ids are its own. */
function readRoles(
  keywords: PlayKeywords,
  part: KeyLocated,
  findRole: RoleFinder,
  common: TaskContext,
  errors: KmsfleetError[],
): { readonly tasks: readonly ReadTask[]; readonly handlers: readonly ReadTask[] } {
  const tasks: ReadTask[] = []
  const handlers: ReadTask[] = []
  const used = new Set<string>()
  for (const [index, entry] of (keywords.roles ?? []).entries()) {
    const place = part.place(['roles', index, 'role'])
    if (used.has(entry.role)) {
      const message = `expected each role once in a play, found \`${entry.role}\` again`
      errors.push(new KmsfleetError('playbook.duplicate', message, { place, hint: 'make a second play' }))
      continue
    }
    used.add(entry.role)
    const files = collect(errors, () => findRole(entry.role, place, errors))
    if (files === undefined) continue
    const own = readVariables(partOf(part, ['roles', index, 'vars']), errors)
    const role: Role = {
      name: files.name,
      folder: files.folder,
      defaults: files.defaults,
      vars: new Map([...files.vars, ...own]),
    }
    const context: TaskContext = {
      ...common,
      owner: role.name,
      ids: role.name,
      role,
      folder: role.folder,
      tags: [...common.tags, ...(entry.tags ?? [])],
    }
    if (files.tasks !== undefined) tasks.push(...readTasks(files.tasks, context, errors))
    if (files.handlers !== undefined) {
      handlers.push(...readTasks(files.handlers, { ...context, ids: `${role.name}/handler` }, errors))
    }
  }
  return { tasks, handlers }
}
