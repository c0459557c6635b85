import { basename, dirname, join } from 'node:path'
import { collect } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { partOf } from '../document/parse.ts'
import { readTaskFile, refuseCycle } from './imports.ts'
import type { RoleEntry } from './keywords.ts'
import {
  inherit,
  inheritsNothing,
  type Reading,
  type ReadTask,
  type RoleUse,
  type TaskContext,
} from './reading.ts'
import { refuseUndeclared } from './role-arguments.ts'
import type { RoleFiles, RoleFinder } from './roles.ts'
import { readTasks } from './tasks.ts'
import type { AccessUse, Role } from './types.ts'
import { overlay, readVariables } from './variable-sets.ts'

/** The roles of one play, however they are named in it. */
export interface RoleUses {
  readonly use: Reading['useRole']
  /** Handlers of all roles used so far, those of each role with the same parameters once. */
  readonly handlers: readonly ReadTask[]
  /** What the roles used so far say of who may do what. */
  readonly access: readonly AccessUse[]
}

interface KnownRole {
  readonly role: Role
  /** Start of its handlers' ids. */
  readonly owner: string
}

export function createRoleUses(findRole: RoleFinder, reading: () => Reading): RoleUses {
  const handlers: ReadTask[] = []
  const access: AccessUse[] = []
  /** By folder and parameters. */
  const known = new Map<string, KnownRole>()
  /** Uses whose tasks were read: by folder, parameters, tags and conditions. */
  const used = new Set<string>()
  const turns = new Map<string, number>()

  return { use, handlers, access }

  function use(request: RoleUse, context: TaskContext): readonly ReadTask[] {
    const { errors } = reading()
    const files = findRole(request.name, request.place, errors)
    const within = [...context.within, files.folder]
    refuseCycle(within, request.place)
    refuseUndeclared(files.name, files.declared, request.params, errors)
    const { role, owner } = knownRole(files, request, context)
    const { tags, when, vars } = context.inherited
    const key = JSON.stringify([
      role.folder,
      values(role.params),
      tags,
      when.map(({ expression }) => expression),
      values(vars),
    ])
    if (used.has(key) && !request.always && !files.allowDuplicates) return []
    used.add(key)
    if (files.access !== undefined) access.push({ role, when, vars, document: files.access })
    const inside = { ...context, role, aroundRole: vars, owner, folder: role.folder, within }
    const before = dependencies(files, inside)
    const turn = (turns.get(role.name) ?? 0) + 1
    turns.set(role.name, turn)
    const ids = turn === 1 ? role.name : `${role.name}#${String(turn)}`
    const list = tasksOf(files, request, inside)
    if (list === undefined) return before
    return [...before, ...readTasks(list.tasks, { ...inside, ids, fileFolder: list.folder }, reading())]
  }

  function knownRole(files: RoleFiles, request: RoleUse, context: TaskContext): KnownRole {
    const params = overlay(context.role?.params ?? new Map(), request.params)
    const key = JSON.stringify([files.folder, values(params)])
    const before = known.get(key)
    if (before !== undefined) return before
    const { name, folder, defaults, vars, declared } = files
    const role: Role = {
      ...{ name, folder, defaults, vars, params },
      ...(declared === undefined ? {} : { declared }),
    }
    const sameName = [...known.values()].filter((each) => each.role.name === name).length
    const owner = sameName === 0 ? name : `${name}.${String(sameName + 1)}`
    const made = { role, owner }
    known.set(key, made)
    if (files.handlers !== undefined) {
      const handlerContext: TaskContext = {
        kind: 'handler',
        owner,
        ids: `${owner}/handler`,
        role,
        folder,
        fileFolder: join(folder, 'handlers'),
        within: [folder],
        inherited: inheritsNothing,
      }
      handlers.push(...readTasks(files.handlers, handlerContext, reading()))
    }
    return made
  }

  function dependencies(files: RoleFiles, context: TaskContext): readonly ReadTask[] {
    return files.dependencies.flatMap(({ entry, part }) => readRoleEntry(entry, part, context, reading()))
  }

  function tasksOf(
    files: RoleFiles,
    { tasksFrom, place }: RoleUse,
    context: TaskContext,
  ): { readonly tasks: KeyLocated; readonly folder: string } | undefined {
    const folder = join(files.folder, 'tasks')
    if (tasksFrom === undefined) return files.tasks === undefined ? undefined : { tasks: files.tasks, folder }
    const file = basename(tasksFrom).includes('.') ? tasksFrom : `${tasksFrom}.yml`
    const read = readTaskFile(file, place, { ...context, fileFolder: folder }, reading())
    return { tasks: read.list, folder: dirname(read.file.path) }
  }
}

/** The tasks of an entry under `roles` of a play or `dependencies` of a role. */
export function readRoleEntry(
  entry: RoleEntry,
  part: KeyLocated,
  context: TaskContext,
  reading: Reading,
): readonly ReadTask[] {
  const { errors } = reading
  const place = part.place(['role'])
  const params = readVariables(partOf(part, ['vars']), errors)
  const inherited = inherit(context.inherited, entry, part)
  return (
    collect(errors, () =>
      reading.useRole({ name: entry.role, place, params, always: false }, { ...context, inherited }),
    ) ?? []
  )
}

function values(variables: Role['params']): readonly unknown[] {
  return [...variables].map(([name, { value }]) => [name, value])
}
