import * as nodeModule from 'node:module'
import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as z from 'zod'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'

/** What begins the message of an error of the hooks; what follows is JSON. */
const mark = 'kmsfleet: outside of the project: '

/**
 * Code that a trusted folder imports from elsewhere was not shown and is not part of its digest. Written as text: for
 * older versions of Node hooks run in a thread of their own, and load no TypeScript there.
 */
const hooks = `import { fileURLToPath } from 'node:url'
let bounds
export function initialize(data) {
  bounds = data
}
export async function resolve(specifier, context, next) {
  return check(bounds, specifier, context, await next(specifier, context))
}
export function check({ folder, program }, specifier, { parentURL }, found) {
  const parent = pathOf(parentURL ?? '')
  const target = pathOf(found.url)
  const guarded = parent !== undefined && isIn(folder, parent) && !isIn(program, parent)
  if (!guarded || target === undefined || isIn(folder, target) || isIn(program, target)) return found
  throw new Error(${JSON.stringify(mark)} + JSON.stringify({ parent, specifier, target, folder }))
}
function pathOf(url) {
  const plain = url.split('%3Ftsx-')[0].split('?')[0]
  return plain.startsWith('file:') ? fileURLToPath(plain) : undefined
}
function isIn(folder, path) {
  return path.startsWith(folder === '/' ? folder : folder + '/')
}`
const hooksUrl = `data:text/javascript,${encodeURIComponent(hooks)}`

interface Bounds {
  /** Real path of the trusted folder. */
  readonly folder: string
  /** Real path of the program, which every project may import. */
  readonly program: string
}

type Resolve = (specifier: string, context: unknown) => unknown

/** Synchronous hooks, which newer versions of Node have; they see `require` too. */
interface SyncHooks {
  readonly registerHooks: (hooks: {
    readonly resolve: (specifier: string, context: unknown, next: Resolve) => unknown
  }) => unknown
}

interface Checking {
  readonly check: (bounds: Bounds, specifier: string, context: unknown, found: unknown) => unknown
}

const guarded = new Set<string>()

/**
 * From now on an import of this folder's code that leads out of it fails, wherever the link or path to it is written.
 * To be called behind all other hooks, so that it sees what they make of an import.
 */
export async function keepInside(bounds: Bounds): Promise<void> {
  if (guarded.has(bounds.folder)) return
  guarded.add(bounds.folder)
  const { registerHooks } = nodeModule as Partial<SyncHooks>
  const { check } = (await import(hooksUrl)) as Checking
  if (registerHooks === undefined) {
    nodeModule.register(hooksUrl, { data: bounds })
    watchRequire((specifier, parentURL, url) => check(bounds, specifier, { parentURL }, { url }))
    return
  }
  registerHooks({
    resolve: (specifier, context, next) => check(bounds, specifier, context, next(specifier, context)),
  })
}

/** What finds the file of a `require`: private to Node, and yet what all who hook older versions take. */
interface CommonJs {
  _resolveFilename: (
    specifier: string,
    parent: { readonly filename?: string | null } | null | undefined,
    ...more: readonly unknown[]
  ) => string
}

/** The hooks of older versions do not see `require`. What is found had its links followed. */
function watchRequire(look: (specifier: string, parentURL: string, url: string) => unknown): void {
  const commonJs = nodeModule.Module as unknown as CommonJs
  const find = commonJs._resolveFilename
  commonJs._resolveFilename = function (this: unknown, specifier, parent, ...more) {
    const found = find.call(this, specifier, parent, ...more)
    const from = parent?.filename ?? ''
    if (isAbsolute(from) && isAbsolute(found)) {
      look(specifier, pathToFileURL(from).href, pathToFileURL(found).href)
    }
    return found
  }
}

const Outside = z.object({
  parent: z.string(),
  specifier: z.string(),
  target: z.string(),
  folder: z.string(),
})

/** The error that an import out of the project is for its operator; undefined for any other. */
export function outsideError(thrown: unknown): KmsfleetError | undefined {
  if (!(thrown instanceof Error) || !thrown.message.startsWith(mark)) return undefined
  const { parent, specifier, target, folder } = Outside.parse(JSON.parse(thrown.message.slice(mark.length)))
  return new KmsfleetError(
    'project.untrusted',
    `expected an import within the trusted folder ${folder}, found that \`${specifier}\` leads to ${target}`,
    {
      place: placeOf(specifier, parent),
      hint: 'put it, or a copy, inside of the folder; or trust a folder that holds both with kmsfleet trust-project',
    },
  )
}

/** Where the file names it first, in quotes. */
function placeOf(specifier: string, file: string): Place {
  const lines = readFileSync(file, 'utf8').split('\n')
  const named = new RegExp(`['"\`]${specifier.replaceAll(/[^\w/]/g, '\\$&')}['"\`]`)
  const index = lines.findIndex((line) => named.test(line))
  if (index === -1) return { file, line: 1, column: 1 }
  return { file, line: index + 1, column: (lines[index]?.search(named) ?? 0) + 1 }
}
