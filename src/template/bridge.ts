import { KmsfleetError } from '../errors/error.ts'
import { Secret } from '../model/secret.ts'
import { UnknownText, type Rendered } from '../model/text.ts'
import type { Origin, Value } from '../model/value.ts'
import type { HostLookups } from './engine.ts'
import { resolve, secretMisused, type Evaluation } from './resolve.ts'
import type { Pieces } from './scan.ts'
import { engineError, placeAt, sized, type Site } from './site.ts'
import { dictionaryOf } from './tree.ts'
import type { Use } from './uses.ts'
import { EngineFailure, undefinedName, useFunction, type Functions } from './wasm.ts'

/** What stands for an unknown value while the engine runs; the result is thrown away. */
const placeholder = 1

/** A template as the engine runs it. */
export interface Prepared {
  readonly source: string
  readonly uses: readonly Use[]
  /** Variables whose names the template also binds itself: they are handed over whole. */
  readonly shadowed: readonly Use[]
}

/** Replaces each use by a call that resolves it, so that only what is really reached is rendered, or refused. */
export function prepare(
  evaluation: Evaluation,
  site: Site,
  pieces: Pieces,
  locals: ReadonlySet<string>,
): Prepared {
  const uses: Use[] = []
  let source = ''
  for (const piece of pieces) {
    if (typeof piece === 'string') source += piece
    else if (piece.guarded && isUndefined(evaluation, site, piece)) source += undefinedName
    // In brackets, since the engine takes `-f()` for `(-f)()`.
    else source += `(${useFunction}(${String(uses.push(piece) - 1)}))`
  }
  const { variables } = evaluation.scope
  const shadowed = [...locals]
    .filter((name) => variables.has(name))
    .map((root) => ({ root, steps: [], offset: 0, guarded: false, called: false }))
    .filter((use) => !isUndefined(evaluation, site, use))
  return { source, uses, shadowed }
}

function isUndefined(evaluation: Evaluation, site: Site, use: Use): boolean {
  try {
    resolve(evaluation, site, use)
    return false
  } catch (error) {
    if (error instanceof KmsfleetError && error.code === 'template.undefined') return true
    throw error
  }
}

/** Runs the engine and gives its result, or unknown where it was told anything that is not known yet. */
export function runEngine<T>(
  evaluation: Evaluation,
  site: Site,
  prepared: Prepared,
  work: (functions: Functions) => T,
): T | UnknownText {
  const origins = new Map<string, Origin>()
  const give = (use: Use): unknown => toEngine(resolve(evaluation, site, use), site, use, origins)
  const lookup = (value: Value<number>): number => {
    if (value.known) return value.value
    addOrigins(origins, [{ after: value.after, field: value.field }])
    return placeholder
  }
  const named = (kind: keyof HostLookups, name: unknown): number => {
    if (typeof name === 'string') return lookup(evaluation.scope.host[kind](name))
    const message = `expected the name of a ${kind === 'groupId' ? 'group' : 'user'} as a string, found ${typeof name}`
    throw new KmsfleetError('template.failed', message, { place: site.place })
  }
  const functions: Functions = {
    use: (index) => {
      const use = prepared.uses[index]
      return use === undefined ? null : give(use)
    },
    group: (name) => ({ gid: named('groupId', name) }),
    user: (name) => ({ uid: named('userId', name) }),
    variables: prepared.shadowed.map((use) => [use.root, give(use)] as const),
  }
  try {
    const result = work(functions)
    return origins.size > 0 ? new UnknownText([...origins.values()]) : result
  } catch (error) {
    if (!(error instanceof EngineFailure)) throw withPlace(error, site)
    // A placeholder may have led the engine astray: nothing can be said before the value is known.
    if (origins.size > 0 && (error.kind === 'other' || error.kind === 'undefined')) {
      return new UnknownText([...origins.values()])
    }
    throw engineError(site, error)
  }
}

function withPlace(error: unknown, site: Site): unknown {
  if (!(error instanceof KmsfleetError) || error.place !== undefined) return error
  return new KmsfleetError(error.code, error.message, {
    place: placeAt(site, 0),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}

export function addOrigins(to: Map<string, Origin>, origins: readonly Origin[]): void {
  for (const origin of origins) to.set(`${origin.after} ${origin.field}`, origin)
}

/** A value as the engine takes it. A secret never goes there. */
function toEngine(value: Rendered, site: Site, use: Use, origins: Map<string, Origin>): unknown {
  if (value instanceof Secret) throw secretMisused(site, use)
  if (value instanceof UnknownText) {
    addOrigins(origins, value.origins)
    return placeholder
  }
  if (isList(value)) return value.map((item) => toEngine(item, site, use, origins))
  if (typeof value !== 'object' || value === null) return value
  return dictionaryOf(
    Object.entries(value).map(([key, item]) => [key, toEngine(item, site, use, origins)] as const),
  )
}

function isList(value: Rendered): value is readonly Rendered[] {
  return Array.isArray(value)
}

/** A value as the engine gives it: dictionaries are Maps, none is undefined, integers may be bigint. */
export function fromEngine(site: Site, value: unknown): Rendered {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return sized(site, value)
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value)
  if (Array.isArray(value)) return value.map((item) => fromEngine(site, item))
  if (value instanceof Map) {
    return dictionaryOf(
      [...value.entries()].map(([key, item]) => [String(key), fromEngine(site, item)] as const),
    )
  }
  throw new KmsfleetError('template.failed', `expected a YAML value, found a ${typeof value}`, {
    place: site.place,
  })
}
