import { suggestion } from '../../document/suggest.ts'
import { KmsfleetError } from '../../errors/error.ts'
import type { Place } from '../../errors/place.ts'
import type { AccessKeywords } from '../../playbook/access-keywords.ts'
import { shippedAccess } from '../../playbook/shipped-access.ts'

/** Names that any document brings, on this host or on another. */
export interface KnownNames {
  readonly actors: ReadonlySet<string>
  readonly classes: ReadonlySet<string>
}

/**
 * Names of these documents and of the shipped roles: a role may speak of what only another one brings, which the playbook
 * need not use. A rule about that is no rule.
 */
export function knownNames(documents: readonly AccessKeywords[]): KnownNames {
  const all = [...documents, ...shippedAccess()]
  return {
    actors: new Set(all.flatMap(({ actors }) => actors.map(({ name }) => name))),
    classes: new Set(all.flatMap(({ objects }) => Object.keys(objects))),
  }
}

/** A name that nothing brings is a mistake: what is said of it would never be proved. */
export function refuseUnknown(
  what: string,
  found: string,
  known: ReadonlySet<string>,
  place: Place,
  errors: KmsfleetError[],
): void {
  if (known.has(found)) return
  const hint = suggestion(found, known)
  errors.push(
    new KmsfleetError('access.matrix', `expected ${what} of the matrix, found \`${found}\``, {
      place,
      ...(hint === undefined ? {} : { hint }),
    }),
  )
}
