import { readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type * as z from 'zod'
import { collect } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { readDocument } from '../document/parse.ts'
import { isDirectory, isFile } from '../document/read.ts'
import { nearest, suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { isInside } from '../project/code.ts'
import { isCode, type CodeReader } from './code/reader.ts'
import { AccessKeywords } from './access-keywords.ts'
import { TaskList, Vars } from './keywords.ts'
import { joinDefaults } from './role-arguments.ts'
import { readMeta, type RoleMeta } from './role-meta.ts'
import type { Variables } from './types.ts'
import { readVariables } from './variable-sets.ts'

/** What a role is given, and what it depends on. */
export interface RoleInterface extends RoleMeta {
  /** Of `defaults/main.yml` and `meta/arguments.yml`. */
  readonly defaults: Variables
}

/** What a role's folder holds, read once however many plays use it. */
export interface RoleFiles extends RoleInterface {
  readonly name: string
  readonly folder: string
  readonly tasks?: KeyLocated
  readonly handlers?: KeyLocated
  readonly vars: Variables
  /** Its part of the access matrix, `access.yml`. */
  readonly access?: KeyLocated<AccessKeywords>
}

/** Finds roles by name; throws where there is none. */
export type RoleFinder = (name: string, place: Place, errors: KmsfleetError[]) => RoleFiles

const parts = ['tasks', 'handlers', 'defaults', 'vars', 'meta', 'templates', 'files'] as const

/** The roles that come with the package. */
export const shippedRoles = resolve(import.meta.dirname, '../../roles')

/** Folders that a playbook finds roles in, the nearest first. */
function roleFolders(playbook: string): readonly string[] {
  const folder = dirname(resolve(playbook))
  return [join(folder, 'roles'), join(folder, '../roles'), shippedRoles]
}

/** Names of all roles that a playbook finds without a `rolesPath`, sorted. */
export function roleNames(playbook: string): readonly string[] {
  return [...new Set(roleFolders(playbook).flatMap(foldersIn))].sort()
}

/** Looks in `rolesPath`, in `roles/` beside and above the playbook, then among the shipped roles. */
export function roleFinder(playbook: string, rolesPath: readonly string[], code: CodeReader): RoleFinder {
  const places = [...rolesPath, ...roleFolders(playbook)]
  const known = new Map<string, RoleFiles>()
  return (name, place, errors) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const found = findFolder(name, places, place)
    const role = readRole(name, found, place, code, errors)
    known.set(name, role)
    return role
  }
}

/** What a role is given, without its tasks: reading it runs no code. Throws where there is no such role. */
export function readInterface(playbook: string, name: string, errors: KmsfleetError[]): RoleInterface {
  const place = { file: playbook, line: 1, column: 1 }
  return interfaceOf(findFolder(name, roleFolders(playbook), place), errors)
}

/** A role's folder, links followed. */
function findFolder(name: string, places: readonly string[], place: Place): string {
  const found = places.map((base) => join(base, name)).find((path) => isDirectory(path))
  if (found !== undefined) return realpathSync(found)
  const hint = suggestion(name, places.flatMap(foldersIn)) ?? `looked in ${places.join(', ')}`
  throw new KmsfleetError('playbook.not-found', `expected a role, found none named \`${name}\``, {
    place,
    hint,
  })
}

function interfaceOf(folder: string, errors: KmsfleetError[]): RoleInterface {
  const defaults = mainFile(folder, 'defaults', Vars, errors)
  const meta = readMeta(folder, errors)
  const written = defaults === undefined ? new Map<string, never>() : readVariables(defaults, errors)
  return { ...meta, defaults: joinDefaults(meta.declared, written, errors) }
}

function foldersIn(base: string): readonly string[] {
  return isDirectory(base) ? readdirSync(base).filter((name) => isDirectory(join(base, name))) : []
}

function readRole(
  name: string,
  folder: string,
  place: Place,
  code: CodeReader,
  errors: KmsfleetError[],
): RoleFiles {
  checkFolder(name, folder, place, errors)
  const tasks = mainFile(folder, 'tasks', TaskList, errors, code)
  const handlers = mainFile(folder, 'handlers', TaskList, errors, code)
  const vars = mainFile(folder, 'vars', Vars, errors)
  const access = readAccess(folder, errors)
  return {
    ...interfaceOf(folder, errors),
    name,
    folder,
    ...(tasks === undefined ? {} : { tasks }),
    ...(handlers === undefined ? {} : { handlers }),
    vars: vars === undefined ? new Map() : readVariables(vars, errors),
    ...(access === undefined ? {} : { access }),
  }
}

function readAccess(folder: string, errors: KmsfleetError[]): KeyLocated<AccessKeywords> | undefined {
  const file = join(folder, 'access.yml')
  if (!isFile(file)) return undefined
  return collect(errors, () => readDocument(file, AccessKeywords, { code: 'playbook.invalid' }))
}

/** A misspelt `task/` would silently do nothing. */
function checkFolder(name: string, folder: string, place: Place, errors: KmsfleetError[]): void {
  const entries = foldersIn(folder)
  const known: readonly string[] = parts
  for (const entry of entries) {
    if (known.includes(entry)) continue
    const path = join(folder, entry)
    const near = nearest(entry, known)
    if (near === undefined) continue
    errors.push(
      new KmsfleetError('playbook.invalid', `expected folders named ${known.join(', ')}, found ${path}`, {
        place,
        hint: `did you mean \`${near}\`?`,
      }),
    )
  }
  if (!entries.includes('tasks') && !entries.includes('handlers')) {
    errors.push(
      new KmsfleetError(
        'playbook.not-found',
        `expected tasks/main.yml in the role \`${name}\`, found none in ${folder}`,
        {
          place,
        },
      ),
    )
  }
}

function mainFile<T>(
  folder: string,
  part: (typeof parts)[number],
  schema: z.ZodType<T>,
  errors: KmsfleetError[],
  code?: CodeReader,
): KeyLocated | undefined {
  if (!isDirectory(join(folder, part))) return undefined
  const files = ['main.yml', 'main.yaml', ...(code === undefined ? [] : ['main.ts'])].map((file) =>
    join(folder, part, file),
  )
  const [file = join(folder, part, 'main.yml'), second] = files.filter(
    (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
  )
  if (second !== undefined) {
    errors.push(
      new KmsfleetError('playbook.duplicate', `expected one main file, found ${file} and ${second}`),
    )
  }
  if (code !== undefined && isCode(file)) return collect(errors, () => ownList(file, folder, code))
  return collect(errors, () => readDocument(file, schema, { missing: 'playbook.not-found', errors }))
}

/** Code that leaves its role through a link would be that of another project. */
function ownList(file: string, folder: string, code: CodeReader): KeyLocated {
  const path = realpathSync(file)
  if (isInside(folder, path)) return code.list(path)
  throw new KmsfleetError(
    'playbook.source',
    `expected a file inside ${folder}, found that ${file} leads to ${path}`,
  )
}
