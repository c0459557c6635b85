import { isDictionary } from '../document/dictionary.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { Secret } from '../model/secret.ts'
import { UnknownText, type Rendered, type Text } from '../model/text.ts'
import type { PlaceOf, Scope, TemplateEngine } from './engine.ts'
import { evaluate, renderToText, renderTyped, type Renderer } from './render.ts'
import { renderTree, type Evaluation } from './resolve.ts'
import { hasTemplate, scanExpression, scanTemplate } from './scan.ts'
import type { Site } from './site.ts'
import { dictionaryOf } from './tree.ts'
import { createEngine } from './wasm.ts'

/** Templates taken apart are kept: a fleet renders the same ones for each host. */
const maxScanned = 4096

/**
 * Makes the template engine. Rendering keeps no state but caches, so that one serves a whole run. What it
 * returns must pass through `verbatim` before it goes into a scope again.
 */
export function createTemplateEngine(): TemplateEngine {
  const engine = createEngine()
  const scanTemplateOnce = remember(scanTemplate)
  const scanExpressionOnce = remember(scanExpression)

  function rendererFor(scope: Scope): Renderer {
    const evaluation: Evaluation = { scope, memo: new Map(), render: (site) => renderTyped(renderer, site) }
    const renderer: Renderer = { engine, scan: scanTemplateOnce, evaluation }
    return renderer
  }

  function text(template: string, scope: Scope, place: Place): Text {
    if (!hasTemplate(template)) return template
    return renderToText(rendererFor(scope), { source: template, place, within: [] })
  }

  function value(tree: unknown, scope: Scope, place: Place | PlaceOf): Rendered {
    const renderer = rendererFor(scope)
    return renderOperatorTree(tree, [], (leaf, path) => {
      const site = { source: '', place: typeof place === 'function' ? place(path) : place, within: [] }
      if (typeof leaf === 'string') return renderTyped(renderer, { ...site, source: leaf })
      return renderTree(renderer.evaluation, site, '', leaf, false)
    })
  }

  function condition(expression: string, scope: Scope, place: Place): boolean | UnknownText {
    const site: Site = { source: expression, place, within: [] }
    if (hasTemplate(expression)) {
      throw new KmsfleetError(
        'template.condition',
        `expected a bare expression as a condition, found \`${expression}\``,
        {
          place,
          hint: 'leave out the `{{ }}`: a condition is an expression already',
        },
      )
    }
    const result = evaluate(rendererFor(scope), site, scanExpressionOnce(expression).pieces)
    if (typeof result === 'boolean' || result instanceof UnknownText) return result
    throw new KmsfleetError(
      'template.condition',
      `expected true or false from \`${expression}\`, found ${describe(result)}`,
      {
        place,
        hint: 'compare it (`x == "y"`, `x | length > 0`), or write `x | bool`',
      },
    )
  }

  return { text, value, condition }
}

/** Each string of an argument tree is a template of its own, at a place of its own. */
function renderOperatorTree(
  tree: unknown,
  path: readonly PropertyKey[],
  renderLeaf: (leaf: unknown, path: readonly PropertyKey[]) => Rendered,
): Rendered {
  if (Array.isArray(tree)) {
    return tree.map((item, index) => renderOperatorTree(item, [...path, index], renderLeaf))
  }
  if (!isDictionary(tree)) return renderLeaf(tree, path)
  return dictionaryOf(
    Object.entries(tree).map(
      ([key, item]) => [key, renderOperatorTree(item, [...path, key], renderLeaf)] as const,
    ),
  )
}

function describe(value: Rendered): string {
  if (value === null) return 'nothing (null)'
  if (value instanceof Secret) return 'a secret'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a dictionary' : `the ${typeof value} ${JSON.stringify(value)}`
}

function remember<T>(scan: (source: string) => T): (source: string) => T {
  const known = new Map<string, T>()
  return (source) => {
    const found = known.get(source)
    if (found !== undefined) return found
    if (known.size >= maxScanned) known.clear()
    const made = scan(source)
    known.set(source, made)
    return made
  }
}
