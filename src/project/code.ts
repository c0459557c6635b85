import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path'
import * as z from 'zod'
import { isDictionary } from '../document/dictionary.ts'
import { parseDocument, readText } from '../document/parse.ts'
import { isFile, readRegularFile, showFailure } from '../document/read.ts'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'

/** Something of a project that would run on the workstation. */
export interface CodePart {
  /**
   * Path below the project's folder; for a program that a secret is read from, and a server that gets the operator's
   * token for it, `FILE: exec ARGUMENTS` and `FILE: openbao SETTINGS` too.
   */
  readonly name: string
  /** SHA-256 in hexadecimal digits. */
  readonly digest: string
}

/** What a project's module says of itself, kept so that it can be printed without running it. */
export const ModuleDoc = z.strictObject({
  name: z.string(),
  summary: z.string(),
  description: z.string(),
  examples: z.array(z.string()),
  /** JSON Schema of the arguments. */
  schema: z.record(z.string(), z.json()),
})
export type ModuleDoc = z.infer<typeof ModuleDoc>

/** All that the code of a project consists of. */
export interface ProjectCode {
  /** Real path. */
  readonly folder: string
  /** Sorted by name. */
  readonly parts: readonly CodePart[]
  /** SHA-256 over all parts; an empty project has one too. */
  readonly digest: string
}

const codeSuffixes: ReadonlySet<string> = new Set(
  '.ts .mts .cts .tsx .js .mjs .cjs .jsx .node .wasm'.split(' '),
)
/** Says what `import` leads to. Other JSON is data. */
const manifest = 'package.json'
const documentSuffixes: ReadonlySet<string> = new Set(['.yml', '.yaml'])
const largestPart = 256 * 1024 * 1024
const mostParts = 100_000

/**
 * Reads all code below a folder, that of `node_modules` too: code files by their content, and the programs that
 * YAML files name under `exec`, with those of their arguments that are files of the project, and so the authorities
 * of a server under `openbao`. Runs nothing.
 */
export function readProjectCode(path: string): ProjectCode {
  const folder = realpathSync(path)
  const parts = new Map<string, string>()
  for (const file of filesBelow(folder)) {
    const suffix = extname(file)
    if (codeSuffixes.has(suffix) || basename(file) === manifest) addFile(parts, folder, file)
    else if (documentSuffixes.has(suffix) && !isDependency(relative(folder, file)))
      addPrograms(parts, folder, file)
  }
  const sorted = [...parts].map(([name, digest]) => ({ name, digest })).sort(byName)
  return {
    folder,
    parts: sorted,
    digest: sha256(sorted.map(({ name, digest }) => `${digest}  ${name}\n`).join('')),
  }
}

/** Is a path inside a folder, or the folder itself? Both are real paths. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep)
}

/** Does {@link readProjectCode} of a folder look into this file of it? A playbook may have any name. */
export function isLookedInto(folder: string, file: string): boolean {
  const name = relative(folder, file)
  if (name.split(sep).includes('.git')) return false
  const suffix = extname(file)
  return codeSuffixes.has(suffix) || (documentSuffixes.has(suffix) && !isDependency(name))
}

/** Is a path below the project that of an installed package? */
export function isDependency(name: string): boolean {
  return name.split(sep).includes('node_modules')
}

function byName(left: CodePart, right: CodePart): number {
  return left.name < right.name ? -1 : 1
}

/** Files below a folder. Folders that are links are left out: what is imported through one lies at its real path. */
function* filesBelow(folder: string): Generator<string> {
  const left = [folder]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      const path = join(next, entry.name)
      if (entry.isDirectory()) {
        if (entry.name !== '.git') left.push(path)
      } else if (entry.isFile() || (entry.isSymbolicLink() && isFile(path))) {
        yield path
      }
    }
  }
}

function addFile(parts: Map<string, string>, folder: string, file: string): void {
  const read = readRegularFile(file, largestPart)
  if (read.is !== 'read') {
    throw new KmsfleetError(
      'playbook.source',
      `expected readable code ${file}, ${showFailure(read, largestPart)}`,
    )
  }
  // A link that is turned to another file is another project, even where both have the same content.
  const target = lstatSync(file).isSymbolicLink() ? ` -> ${realpathSync(file)}` : ''
  parts.set(`${relative(folder, file)}${target}`, sha256(read.bytes))
  if (parts.size > mostParts) {
    throw new KmsfleetError(
      'playbook.source',
      `expected at most ${String(mostParts)} code files in a project, found more in ${folder}`,
      { hint: 'name a smaller folder' },
    )
  }
}

function addPrograms(parts: Map<string, string>, folder: string, file: string): void {
  for (const [kind, source] of sourcesOf(file)) {
    const text = JSON.stringify(source)
    parts.set(`${relative(folder, file)}: ${kind} ${text}`, sha256(text))
    for (const word of stringsIn(source)) {
      for (const candidate of [resolve(dirname(file), word), resolve(folder, word)]) {
        if (isInside(folder, candidate) && isFile(candidate)) addFile(parts, folder, candidate)
      }
    }
  }
}

type Source = readonly [kind: 'exec' | 'openbao', value: unknown]

/** What all `exec` and `openbao` keys of a YAML file hold. A file that cannot be read runs nothing either. */
function sourcesOf(file: string): readonly Source[] {
  try {
    return sourcesIn(parseDocument(file, readText(file, 'document.unreadable'), z.unknown()).value)
  } catch (error) {
    if (error instanceof KmsfleetError || error instanceof KmsfleetErrors) return []
    throw error
  }
}

function sourcesIn(value: unknown): readonly Source[] {
  if (Array.isArray(value)) return value.flatMap(sourcesIn)
  if (!isDictionary(value)) return []
  return Object.entries(value).flatMap(([key, part]): readonly Source[] => {
    if (key === 'exec') return [[key, part]]
    const server = key === 'openbao' ? serverIn(part) : {}
    return Object.keys(server).length === 0 ? sourcesIn(part) : [['openbao', server]]
  })
}

/** Which server a source names, and how it is told from another; nothing where the operator's environment says so. */
function serverIn(source: unknown): Readonly<Record<string, unknown>> {
  const entries = isDictionary(source) ? Object.entries(source) : []
  return Object.fromEntries(entries.filter(([key]) => ['address', 'ca_file', 'server_name'].includes(key)))
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(stringsIn)
  return isDictionary(value) ? Object.values(value).flatMap(stringsIn) : []
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
