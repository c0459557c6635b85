import { Secret } from '../model/secret.ts'
import { UnknownText, type Rendered } from '../model/text.ts'
import type { Origin } from '../model/value.ts'
import { addOrigins, fromEngine, prepare, runEngine } from './bridge.ts'
import { resolve, secretMisused, type Evaluation } from './resolve.ts'
import { hasTemplate, type Pieces, type Scanned } from './scan.ts'
import { maxText, sized, tooLarge, type Site } from './site.ts'
import type { Use } from './uses.ts'
import { EngineFailure, type Engine } from './wasm.ts'

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
  const prepared = prepare(renderer.evaluation, site, pieces, scanned?.locals ?? new Set())
  return runEngine(renderer.evaluation, site, prepared, (functions) =>
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
  const prepared = prepare(renderer.evaluation, site, pieces, new Set())
  return runEngine(renderer.evaluation, site, prepared, (functions) => {
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
