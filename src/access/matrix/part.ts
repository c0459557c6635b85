import type { KeyLocated } from '../../document/issues.ts'
import { KmsfleetError } from '../../errors/error.ts'
import type { Place } from '../../errors/place.ts'
import type { AccessKeywords } from '../../playbook/access-keywords.ts'
import { isPlainPath } from '../../resources/common/paths.ts'
import type { Scope, TemplateEngine } from '../../template/engine.ts'

/** One document of the matrix, with what its templates see on one host. */
export interface Part {
  readonly document: KeyLocated<AccessKeywords>
  readonly scope: Scope
  readonly engine: TemplateEngine
}

type Path = readonly PropertyKey[]

/** Does the condition at `path` of the document hold? True where there is none. */
export function holds(
  { document, engine, scope }: Part,
  expression: string | undefined,
  path: Path,
): boolean {
  if (expression === undefined) return true
  const place = document.place(path)
  return decided(engine.condition(expression, scope, place), place)
}

/** Who acts and on what is decided before a host is asked. */
export function decided(answer: unknown, place: Place): boolean {
  if (typeof answer === 'boolean') return answer
  throw new KmsfleetError(
    'access.matrix',
    'expected a condition that is decided before a host is asked, found one that waits for the host',
    { place },
  )
}

/** The text at `path` of the document; a number stands for its digits. */
export function textAt({ document, engine, scope }: Part, written: string | number, path: Path): string {
  const place = document.place(path)
  const value = engine.value(written, scope, place)
  if (typeof value === 'string' && value.trim() !== '') return value
  if (typeof value === 'number') return String(value)
  throw new KmsfleetError('access.matrix', 'expected text that is known before a host is asked, found none', {
    place,
  })
}

/** The path at `path` of the document. */
export function pathAt(part: Part, written: string, path: Path): string {
  const text = textAt(part, written, path)
  if (isPlainPath(text)) return text
  throw new KmsfleetError(
    'access.matrix',
    `expected an absolute path without \`//\`, \`.\` and \`..\`, found ${JSON.stringify(text)}`,
    { place: part.document.place(path) },
  )
}
