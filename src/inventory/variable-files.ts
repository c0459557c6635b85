import { extname, join } from 'node:path'
import { collect } from '../document/collect.ts'
import { parseDocument, readText } from '../document/parse.ts'
import { isDirectory } from '../document/read.ts'
import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { refuseVault } from './foreign.ts'
import { filesBelow, namesIn } from './sources.ts'
import type { Layer } from './types.ts'
import { readVariables, VariablesForm } from './values.ts'

const extensions: ReadonlySet<string> = new Set(['.yml', '.yaml', '.json'])

/**
 * Reads `group_vars/` or `host_vars/` below `folder`: NAME.yml, NAME, or a folder NAME with such files, of which a
 * later one wins. A name that no group or host has is an error: nothing would ever read the file.
 */
export function readVariableFiles(
  folder: string,
  kind: 'group' | 'host',
  known: ReadonlySet<string>,
  errors: KmsfleetError[],
): ReadonlyMap<string, readonly Layer[]> {
  const found = new Map<string, readonly Layer[]>()
  const paths = new Map<string, string>()
  const base = join(folder, `${kind}_vars`)
  for (const entry of collect(errors, () => namesIn(base)) ?? []) {
    const path = join(base, entry)
    const isFolder = isDirectory(path)
    // Notes and other files that hold no variables.
    if (!isFolder && /\.(md|txt|rst)$/.test(entry)) continue
    const name = isFolder || !extensions.has(extname(entry)) ? entry : entry.slice(0, -extname(entry).length)
    const other = paths.get(name)
    if (!known.has(name)) errors.push(unknownName(path, kind, name, known))
    else if (other !== undefined) errors.push(twice(path, other))
    else {
      paths.set(name, path)
      const files = isFolder ? (collect(errors, () => filesBelow(path)) ?? []) : [path]
      found.set(
        name,
        files.flatMap((file) => readFile(file, `${kind}_vars/${name}`, errors)),
      )
    }
  }
  return found
}

function readFile(file: string, level: string, errors: KmsfleetError[]): readonly Layer[] {
  const document = collect(errors, () => {
    const text = readText(file, 'inventory.not-found')
    refuseVault(file, text)
    return parseDocument(file, text, VariablesForm, { errors })
  })
  if (document === undefined) return []
  return [{ level, variables: readVariables(document, [], document.value, 'file', errors) }]
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

/** Ansible reads the first and passes over the second without a word. */
function twice(path: string, other: string): KmsfleetError {
  return new KmsfleetError(
    'inventory.group',
    `expected one file or folder of that name, found ${other} too`,
    {
      place: { file: path, line: 1, column: 1 },
      hint: 'put all of them into the folder, where a later file wins over an earlier one',
    },
  )
}
