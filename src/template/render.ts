import { KmsfleetError } from '../errors/error.ts'
import { Secret } from '../model/secret.ts'
import { UnknownText, type Rendered } from '../model/text.ts'
import type { Origin, Value } from '../model/value.ts'
import type { HostLookups } from './engine.ts'
import { resolve, secretMisused, type Evaluation } from './resolve.ts'
import { hasTemplate, type Scanned, type Use } from './scan.ts'
import { engineError, maxText, placeAt, tooLarge, type Site } from './site.ts'
import { dictionaryOf } from './tree.ts'
import { EngineFailure, undefinedName, useFunction, type Engine, type Functions } from './wasm.ts'

/** What stands for an unknown value while the engine runs; the result is thrown away. */
const placeholder = 1

type Pieces = readonly (string | Use)[]

/** Renders templates of one evaluation with the engine. */
export interface Renderer {
  readonly engine: Engine
  readonly scan: (template: string) => Scanned | undefined
  readonly evaluation: Evaluation
}

/** Renders a text; where it is one bare expression, that keeps its type. */
export function renderTyped(renderer: Renderer, site: Site): Rendered {
  if (!hasTemplate(site.source)) return site.source
  if (site.source.length > maxText) throw tooLarge(site, 'template')
  const scanned = renderer.scan(site.source)
  if (scanned?.bare === undefined) return renderText(renderer, site, scanned)
  const use = onlyUse(scanned.bare.pieces)
  if (use !== undefined) {
    const value = resolve(renderer.evaluation, site, use)
    const whole = value instanceof Secret || value instanceof UnknownText
    if (whole || !scanned.bare.spaced) return value
  }
  if (scanned.bare.spaced) return renderText(renderer, site, scanned)
  return evaluate(renderer, site, scanned.bare.pieces)
}

/** Renders a text to text; a bare secret stays one. */
export function renderToText(renderer: Renderer, site: Site): string | Secret | UnknownText {
  if (!hasTemplate(site.source)) return site.source
  if (site.source.length > maxText) throw tooLarge(site, 'template')
  const scanned = renderer.scan(site.source)
  const use = scanned?.bare === undefined ? undefined : onlyUse(scanned.bare.pieces)
  if (use !== undefined) {
    const value = resolve(renderer.evaluation, site, use)
    if (value instanceof Secret || value instanceof UnknownText) return value
  }
  return renderText(renderer, site, scanned)
}

/** The use that an expression consists of, if it is nothing else. */
function onlyUse(pieces: Pieces): Use | undefined {
  const [before, use, after] = pieces
  if (
    pieces.length !== 3 ||
    typeof before !== 'string' ||
    typeof use !== 'object' ||
    typeof after !== 'string'
  ) {
    return undefined
  }
  return before.trim() === '' && after.trim() === '' ? use : undefined
}

function renderText(renderer: Renderer, site: Site, scanned: Scanned | undefined): string | UnknownText {
  const quick = scanned?.plain === undefined ? undefined : joinPlain(renderer, site, scanned.plain)
  if (quick !== undefined) return quick
  const pieces = scanned?.pieces ?? [site.source]
  const prepared = prepare(renderer, site, pieces, scanned?.locals ?? new Set())
  return runEngine(renderer, site, prepared, (functions) =>
    sized(site, renderer.engine.render(prepared.source, functions)),
  )
}

/** Evaluates an expression to a value. */
export function evaluate(renderer: Renderer, site: Site, pieces: Pieces): Rendered {
  const use = onlyUse(pieces)
  if (use !== undefined) {
    const value = resolve(renderer.evaluation, site, use)
    if (value instanceof Secret) throw secretMisused(site, use)
    return value
  }
  const prepared = prepare(renderer, site, pieces, new Set())
  return runEngine(renderer, site, prepared, (functions) => {
    const result = renderer.engine.evaluate(prepared.source, functions)
    // None and undefined look the same from outside.
    if (
      result === undefined &&
      renderer.engine.evaluate(`(${prepared.source}\n) is undefined`, functions) === true
    ) {
      throw new EngineFailure('undefined', 'undefined value', 1)
    }
    return fromEngine(site, result)
  })
}

function sized(site: Site, text: string): string {
  if (text.length > maxText) throw tooLarge(site, 'result')
  return text
}

/** Text and uses of strings and integers need no engine: they are joined. Undefined where one is of another kind. */
function joinPlain(renderer: Renderer, site: Site, parts: Pieces): string | UnknownText | undefined {
  let text = ''
  const origins = new Map<string, Origin>()
  for (const part of parts) {
    const value = typeof part === 'string' ? part : resolve(renderer.evaluation, site, part)
    if (typeof part === 'object' && value instanceof Secret) throw secretMisused(site, part)
    if (value instanceof UnknownText) addOrigins(origins, value.origins)
    else if (typeof value === 'string') text += value
    else if (typeof value === 'number' && Number.isSafeInteger(value)) text += String(value)
    else return undefined
  }
  return origins.size > 0 ? new UnknownText([...origins.values()]) : sized(site, text)
}

interface Prepared {
  readonly source: string
  readonly uses: readonly Use[]
  /** Variables whose names the template also binds itself: they are handed over whole. */
  readonly shadowed: readonly Use[]
}

/** Replaces each use by a call that resolves it, so that only what is really reached is rendered, or refused. */
function prepare(renderer: Renderer, site: Site, pieces: Pieces, locals: ReadonlySet<string>): Prepared {
  const uses: Use[] = []
  let source = ''
  for (const piece of pieces) {
    if (typeof piece === 'string') source += piece
    else if (piece.guarded && isUndefined(renderer, site, piece)) source += undefinedName
    // In brackets, since the engine takes `-f()` for `(-f)()`.
    else source += `(${useFunction}(${String(uses.push(piece) - 1)}))`
  }
  const { variables } = renderer.evaluation.scope
  const shadowed = [...locals]
    .filter((name) => variables.has(name))
    .map((root) => ({ root, steps: [], offset: 0, guarded: false, called: false }))
    .filter((use) => !isUndefined(renderer, site, use))
  return { source, uses, shadowed }
}

function isUndefined(renderer: Renderer, site: Site, use: Use): boolean {
  try {
    resolve(renderer.evaluation, site, use)
    return false
  } catch (error) {
    if (error instanceof KmsfleetError && error.code === 'template.undefined') return true
    throw error
  }
}

/** Runs the engine and gives its result, or unknown where it was told anything that is not known yet. */
function runEngine<T>(
  renderer: Renderer,
  site: Site,
  prepared: Prepared,
  work: (functions: Functions) => T,
): T | UnknownText {
  const { evaluation } = renderer
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

function addOrigins(to: Map<string, Origin>, origins: readonly Origin[]): void {
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
function fromEngine(site: Site, value: unknown): Rendered {
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
