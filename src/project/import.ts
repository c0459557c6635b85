import * as nodeModule from 'node:module'
import { pathToFileURL } from 'node:url'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { placeInStack } from './stack.ts'
import { keepInside, outsideError } from './stay-inside.ts'
import { programFolder } from './trust.ts'

/**
 * Imports a TypeScript or JavaScript file of a project, without a build step, and gives what it exports. The file
 * must have been found to be trusted. Throws `project.failed` with the place in the project's code.
 */
export async function importProjectFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  await prepare()
  return attemptProjectCode(file, async () => {
    const exported: unknown = await import(pathToFileURL(file).href)
    return { ...(typeof exported === 'object' ? exported : {}) }
  })
}

/** Before code of these trusted folders runs: nothing that lies elsewhere comes in with it. */
export async function keepProjectsInside(folders: readonly string[]): Promise<void> {
  await prepare()
  for (const folder of folders) await keepInside({ folder, program: programFolder })
}

/** Runs code of a project; whatever it throws becomes an error with its place, and without a stack of ours. */
export async function attemptProjectCode<T>(file: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw projectError(file, error)
  }
}

/** {@link attemptProjectCode} for code that does not wait. */
export function attemptSync<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw projectError(file, error)
  }
}

function projectError(file: string, thrown: unknown): Error {
  if (thrown instanceof KmsfleetErrors) return thrown
  const outside = outsideError(thrown)
  if (outside !== undefined) return outside
  if (thrown instanceof KmsfleetError && thrown.place !== undefined) return thrown
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : ''
  const written = syntaxError(text)
  const place = written?.place ?? placeInStack(stack) ?? headPlace(stack) ?? { file, line: 1, column: 1 }
  const [message = ''] = (written?.message ?? text).split('\n')
  const kind =
    thrown instanceof Error && thrown.name !== 'Error' && written === undefined ? `${thrown.name}: ` : ''
  return new KmsfleetError(
    thrown instanceof KmsfleetError ? thrown.code : 'project.failed',
    thrown instanceof KmsfleetError ? message : `expected code that runs, found ${kind}${message}`,
    {
      place,
      cause: thrown,
      ...(thrown instanceof KmsfleetError && thrown.hint !== undefined ? { hint: thrown.hint } : {}),
    },
  )
}

/** What the compiler says: `FILE:LINE:COLUMN: ERROR: TEXT`, columns from 0. */
function syntaxError(text: string): { readonly place: Place; readonly message: string } | undefined {
  const [, file, line, column, message] = /^(\/.*?):(\d+):(\d+): ERROR: (.*)$/m.exec(text) ?? []
  if (file === undefined || message === undefined) return undefined
  return { place: { file, line: Number(line), column: Number(column) + 1 }, message }
}

/** A mistake in an import stands above the stack: `FILE:LINE`. */
function headPlace(stack: string): Place | undefined {
  const [, file, line] = /^(?:file:\/\/)?(\/.*):(\d+)$/m.exec(stack.split('\n')[0] ?? '') ?? []
  return file === undefined ? undefined : { file, line: Number(line), column: 1 }
}

/** The program runs from its sources: TypeScript is loaded already, and loading it twice would move all lines. */
const fromSources = import.meta.url.endsWith('.ts')

let prepared: Promise<void> | undefined

function prepare(): Promise<void> {
  prepared ??= registerHooks()
  return prepared
}

interface Found {
  readonly url: string
  readonly format?: string | null
  readonly shortCircuit?: boolean
}

/** Synchronous hooks, which newer versions of Node have and which tsx uses there. */
interface SyncHooks {
  registerHooks(hooks: {
    resolve(specifier: string, context: unknown, next: (specifier: string, context: unknown) => Found): Found
  }): unknown
}

/**
 * The same for older versions, where hooks run in a thread of their own. Where the program runs from its sources, tsx
 * has looked at the file first and marked it as CommonJS (`%3Ftsx-`): the mark goes.
 */
const asyncHook = `let target
export function initialize(data) {
  target = data.target
}
export async function resolve(specifier, context, next) {
  if (specifier === 'kmsfleet') return { url: target, format: 'module', shortCircuit: true }
  const found = await next(specifier, context)
  const url = found.url.split('%3Ftsx-')[0].split('?')[0]
  return url.endsWith('.ts') ? { ...found, url, format: 'module' } : found
}`

/**
 * `import ... from 'kmsfleet'` leads to the program that runs, whatever the project has installed: two copies would
 * not know each other's values. And a project needs no package.json: its `.ts` files are ES modules.
 * These hooks come before those of tsx, so that tsx builds on them.
 */
async function registerHooks(): Promise<void> {
  const target = new URL(`../index${fromSources ? '.ts' : '.js'}`, import.meta.url).href
  const { registerHooks: register } = nodeModule as Partial<SyncHooks>
  if (register === undefined) {
    nodeModule.register(`data:text/javascript,${encodeURIComponent(asyncHook)}`, { data: { target } })
  } else {
    register({
      resolve: (specifier, context, next) => {
        if (specifier === 'kmsfleet') return { url: target, format: 'module', shortCircuit: true }
        const found = next(specifier, context)
        const [url = ''] = found.url.split('?')
        return url.endsWith('.ts') ? { ...found, url, format: 'module' } : found
      },
    })
  }
  if (fromSources) return
  const tsx = await import('tsx/esm/api')
  // The compiler options of whatever folder the operator stands in must not change what a project means.
  tsx.register({ tsconfig: false })
}
