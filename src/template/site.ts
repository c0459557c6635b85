import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { filterHint } from './filters.ts'
import type { Use } from './uses.ts'
import type { EngineFailure } from './wasm.ts'

/** Characters of a template and of what it renders to. */
export const maxText = 1024 * 1024

/** One template: its text and where it starts. */
export interface Site {
  readonly source: string
  readonly place: Place
  /** Variables whose texts led here, outermost first. Places are then of the template that uses the first. */
  readonly within: readonly string[]
}

/** Place of an offset of a template. The text of a variable has no place of its own. */
export function placeAt(site: Site, offset: number): Place {
  if (site.within.length > 0) return site.place
  const lines = site.source.slice(0, offset).split('\n')
  const inLine = lines.at(-1)?.length ?? 0
  return lines.length === 1
    ? { ...site.place, column: site.place.column + inLine }
    : { file: site.place.file, line: site.place.line + lines.length - 1, column: inLine + 1 }
}

/** ` in the variable "a" (used by "b")`, where the template is the text of a variable. */
export function siteNote(site: Site): string {
  const names = site.within.map((path) => `\`${path}\``).reverse()
  const [first, ...more] = names
  if (first === undefined) return ''
  return ` in the variable ${first}${more.length === 0 ? '' : ` (used by ${more.join(', used by ')})`}`
}

/** The use as it is written. */
export function showUse(use: Use): string {
  return (
    use.root + use.steps.map((step) => (typeof step === 'number' ? `[${String(step)}]` : `.${step}`)).join('')
  )
}

export function tooLarge(site: Site, what: string): KmsfleetError {
  const message = `expected a ${what} of at most 1 MiB, found more${siteNote(site)}`
  return new KmsfleetError('template.limit', message, { place: site.place })
}

/** The text, if it is not too long for a result. */
export function sized(site: Site, text: string): string {
  if (text.length > maxText) throw tooLarge(site, 'result')
  return text
}

/** What the engine says, as an error with the place in the operator's file. */
export function engineError(site: Site, failure: EngineFailure): KmsfleetError {
  const lineStart = site.source.split('\n', failure.line - 1).join('\n').length + (failure.line > 1 ? 1 : 0)
  const place = placeAt(site, Math.min(lineStart, site.source.length))
  const note = siteNote(site)
  switch (failure.kind) {
    case 'syntax':
      return new KmsfleetError(
        'template.syntax',
        `expected a Jinja2 template, found a mistake${note}: ${failure.message}`,
        {
          place,
        },
      )
    case 'undefined':
      return new KmsfleetError('template.undefined', `expected a value, found one that is undefined${note}`, {
        place,
        hint: 'a key or item used on this line does not exist',
      })
    case 'fuel':
      return new KmsfleetError(
        'template.limit',
        `expected a template that ends, found more than a million steps${note}`,
        {
          place,
        },
      )
    case 'trap':
      return new KmsfleetError(
        'template.limit',
        `expected a template that ends, found that ${failure.message}${note}`,
        {
          place,
        },
      )
    case 'other': {
      const filter = /^unknown filter: filter (\w+) is unknown$/.exec(failure.message)?.[1]
      const message =
        filter === undefined
          ? `expected a template that renders, found: ${failure.message}${note}`
          : `expected a filter that exists, found \`${filter}\`${note}`
      return new KmsfleetError('template.failed', message, {
        place,
        ...(filter === undefined ? {} : { hint: filterHint(filter) }),
      })
    }
  }
}
