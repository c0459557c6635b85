import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { HostText } from '../model/host-text.ts'
import { Secret } from '../model/secret.ts'
import { UnknownText, type Rendered } from '../model/text.ts'
import type { Scope } from './engine.ts'
import { hasTemplate } from './scan.ts'
import { placeAt, showUse, siteNote, type Site } from './site.ts'
import { dictionaryOf, entriesOf, stepInto } from './tree.ts'
import type { Use } from './uses.ts'

/** What one call of the template engine shares over all templates that it renders. */
export interface Evaluation {
  readonly scope: Scope
  /** Rendered texts of variables by their path. */
  readonly memo: Map<string, Rendered>
  /** Renders the text of a variable. */
  readonly render: (site: Site) => Rendered
}

/** Longest chain of variables whose texts use each other. */
const maxDepth = 20

/** The value that a use leads to, templates in it rendered. Throws `template.undefined` where it leads nowhere. */
export function resolve(evaluation: Evaluation, site: Site, use: Use): Rendered {
  const { variables } = evaluation.scope
  if (!variables.has(use.root)) throw undefinedVariable(evaluation, site, use)
  let path = use.root
  let value: unknown = variables.get(use.root)
  // What was rendered is data from here on: a template in it is never rendered again.
  let final = false
  for (const step of use.steps) {
    if (typeof value === 'string' && !final) {
      value = renderLeaf(evaluation, site, path, value)
      final = true
    }
    if (value instanceof UnknownText) return value
    const into = value instanceof Secret || value instanceof HostText ? undefined : stepInto(value, step)
    if (into === undefined) throw undefinedStep(site, use, path, step, value)
    value = into.found
    path += typeof step === 'number' ? `[${String(step)}]` : `.${step}`
  }
  return renderTree(evaluation, site, path, value, final)
}

/** Renders every string of a value; `final` ones are kept as they are. */
export function renderTree(
  evaluation: Evaluation,
  site: Site,
  path: string,
  value: unknown,
  final: boolean,
): Rendered {
  if (typeof value === 'string') return final ? value : renderLeaf(evaluation, site, path, value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  if (value instanceof Secret || value instanceof UnknownText) return value
  if (value instanceof HostText) return value.text
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value)
  if (Array.isArray(value)) {
    return value.map((item, index) => renderTree(evaluation, site, `${path}[${String(index)}]`, item, final))
  }
  const entries = typeof value === 'object' ? entriesOf(value) : undefined
  if (entries === undefined) {
    throw new KmsfleetError(
      'template.failed',
      `expected a YAML value in \`${path}\`, found a ${typeof value}`,
      {
        place: site.place,
      },
    )
  }
  return dictionaryOf(
    entries.map(([key, item]) => [key, renderTree(evaluation, site, `${path}.${key}`, item, final)] as const),
  )
}

function renderLeaf(evaluation: Evaluation, site: Site, path: string, text: string): Rendered {
  if (!hasTemplate(text)) return text
  const remembered = evaluation.memo.get(path)
  if (remembered !== undefined) return remembered
  const within = [...site.within, path]
  if (site.within.includes(path)) {
    throw new KmsfleetError(
      'template.cycle',
      `expected variables that end, found a cycle: ${within.join(' → ')}`,
      {
        place: site.place,
      },
    )
  }
  if (within.length > maxDepth) {
    const message = `expected at most ${String(maxDepth)} variables that use each other, found more: ${within.join(' → ')}`
    throw new KmsfleetError('template.cycle', message, { place: site.place })
  }
  const rendered = evaluation.render({ source: text, place: site.place, within })
  evaluation.memo.set(path, rendered)
  return rendered
}

function undefinedVariable(evaluation: Evaluation, site: Site, use: Use): KmsfleetError {
  const place = placeAt(site, use.offset)
  if (use.called) {
    const message = `expected a function that exists, found \`${use.root}()\`${siteNote(site)}`
    const hint = 'functions are host.group(name), host.user(name), range, dict and namespace'
    return new KmsfleetError('template.undefined', message, { place, hint })
  }
  const message = `expected a variable that is defined, found \`${use.root}\`${siteNote(site)}`
  const hint =
    suggestion(use.root, evaluation.scope.variables.keys()) ?? 'define it, or write `| default(...)`'
  return new KmsfleetError('template.undefined', message, { place, hint })
}

function undefinedStep(
  site: Site,
  use: Use,
  path: string,
  step: string | number,
  value: unknown,
): KmsfleetError {
  const place = placeAt(site, use.offset)
  if (value instanceof Secret) return secretMisused(site, use)
  const message = `expected a value that is defined, found \`${showUse(use)}\`${siteNote(site)}: \`${path}\` has no \`${String(step)}\``
  const keys = (typeof value === 'object' ? entriesOf(value) : undefined)?.map(([key]) => key) ?? []
  const hint = suggestion(String(step), keys)
  return new KmsfleetError('template.undefined', message, { place, ...(hint === undefined ? {} : { hint }) })
}

/** A secret stands nowhere but in a template that is nothing else. */
export function secretMisused(site: Site, use: Use): KmsfleetError {
  const message = `expected a secret to stand alone, found \`${showUse(use)}\` within a larger template or expression${siteNote(site)}`
  return new KmsfleetError('template.secret', message, {
    place: placeAt(site, use.offset),
    hint: `a secret can only be a whole value, written \`{{ ${showUse(use)} }}\``,
  })
}
