import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { KeyLocated } from '../document/issues.ts'
import { readDocument } from '../document/parse.ts'
import { isFile } from '../document/read.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { isInside } from '../project/code.ts'
import { isCode } from './code/reader.ts'
import { TaskList } from './keywords.ts'
import type { Reading, TaskContext } from './reading.ts'

/** A file of tasks that another list imports. */
export interface TaskFile {
  /** Links followed. */
  readonly path: string
  readonly folder: string
}

/**
 * Reads a file of tasks named from the file that imports it, or from a role's `tasks/`. A role's stay inside the
 * role after links are followed; those of a playbook are the operator's own and may lie anywhere.
 */
export function readTaskFile(
  name: string,
  place: Place,
  context: TaskContext,
  reading: Reading,
): { readonly file: TaskFile; readonly list: KeyLocated } {
  const { role } = context
  const folders = [context.fileFolder, ...(role === undefined ? [] : [join(role.folder, 'tasks')])]
  const candidates = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))
  const found = candidates.find((path) => isFile(path))
  if (found === undefined) {
    throw new KmsfleetError(
      'playbook.not-found',
      `expected a file of tasks, found none at ${candidates.join(' or ')}`,
      {
        place,
      },
    )
  }
  const path = realpathSync(found)
  if (role !== undefined && !isInside(role.folder, path)) {
    throw new KmsfleetError(
      'playbook.source',
      `expected a file inside ${role.folder}, found that \`${name}\` leads to ${path}`,
      {
        place,
        hint: 'a role imports its own files only',
      },
    )
  }
  refuseCycle([...context.within, path], place)
  const list = isCode(path)
    ? reading.code.list(path)
    : readDocument(path, TaskList, { errors: reading.errors })
  return { file: { path, folder: dirname(path) }, list }
}

/** The last of these files or roles is being imported; one that is under way already would never end. */
export function refuseCycle(within: readonly string[], place: Place): void {
  const last = within.at(-1)
  const first = within.findIndex((each) => each === last)
  if (first === within.length - 1) return
  throw new KmsfleetError(
    'playbook.invalid',
    `expected imports that end, found a cycle: ${within.slice(first).join(' → ')}`,
    { place },
  )
}
