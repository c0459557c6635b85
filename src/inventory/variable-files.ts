import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { collect } from '../document/collect.ts'
import { readDocument } from '../document/parse.ts'
import { systemErrorCode } from '../document/read.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Variable } from './types.ts'
import { setOnce, VariablesDocument } from './written.ts'

const extension = /\.(ya?ml|json)$/

/**
 * Reads `group_vars/` or `host_vars/` below `folder`: NAME.yml, NAME, or a folder NAME with such files.
 * A name that no group or host has is an error: nothing would ever read the file.
 */
export function readVariableFiles(
  folder: string,
  kind: 'group' | 'host',
  known: ReadonlySet<string>,
  errors: KmsfleetError[],
): ReadonlyMap<string, ReadonlyMap<string, Variable>> {
  const found = new Map<string, Map<string, Variable>>()
  const base = join(folder, `${kind}_vars`)
  for (const entry of entriesOf(base, errors)) {
    const path = join(base, entry)
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    const name = isFolder ? entry : entry.replace(extension, '')
    if (!known.has(name)) {
      errors.push(unknownName(path, kind, name, known))
      continue
    }
    const variables = found.get(name) ?? new Map<string, Variable>()
    found.set(name, variables)
    const files = isFolder ? entriesOf(path, errors).map((file) => join(path, file)) : [path]
    for (const file of files) readFile(file, `${kind} \`${name}\``, variables, errors)
  }
  return found
}

function unknownName(path: string, kind: string, name: string, known: ReadonlySet<string>): KmsfleetError {
  const hint = suggestion(name, known)
  return new KmsfleetError(
    'inventory.group',
    `expected the name of a ${kind} of the inventory, found ${path}`,
    {
      place: { file: path, line: 1, column: 1 },
      ...(hint === undefined ? {} : { hint }),
    },
  )
}

function readFile(
  file: string,
  owner: string,
  variables: Map<string, Variable>,
  errors: KmsfleetError[],
): void {
  const document = collect(errors, () =>
    readDocument(file, VariablesDocument, { missing: 'inventory.not-found', errors }),
  )
  for (const [name, value] of Object.entries(document?.value ?? {})) {
    const origin = document?.keyPlace([name])
    if (origin !== undefined) setOnce(variables, name, { value, origin }, owner, errors)
  }
}

/** Names in a folder, sorted; without hidden files, editors' backups and notes. Empty where there is no folder. */
function entriesOf(folder: string, errors: KmsfleetError[]): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.') && !name.endsWith('~') && !name.endsWith('.md'))
      .sort()
  } catch (error) {
    const code = systemErrorCode(error)
    if (code !== 'ENOENT') {
      const message = `expected a readable folder ${folder}, found the system error ${code}`
      errors.push(new KmsfleetError('inventory.not-found', message))
    }
    return []
  }
}
