import { KmsfleetError } from '../errors/error.ts'
import { showPlace } from '../errors/place.ts'
import type { Resource, TaskRef } from '../model/resource.ts'

/** Which task manages what. Two tasks that want the same thing equally are one; unequally, an error with both places. */
export interface Claims {
  /** True where an equal resource was claimed already. Throws KmsfleetError `module.conflict`. */
  repeats(resource: Resource, ref: TaskRef): boolean
}

export function createClaims(): Claims {
  const claimed = new Map<string, { readonly sameness: string; readonly ref: TaskRef }>()
  return {
    repeats: (resource, ref) => {
      if (resource.transient === true) return false
      const subject = resource.subject ?? resource.id
      const sameness = `${resource.id} ${resource.sameness}`
      const before = claimed.get(subject)
      if (before === undefined) {
        claimed.set(subject, { sameness, ref })
        return false
      }
      if (before.sameness === sameness) return true
      throw new KmsfleetError(
        'module.conflict',
        `expected one task to manage ${resource.id}, found that '${ref.name}' and '${before.ref.name}' (${showPlace(before.ref.place)}) ask for it in different ways`,
        { place: ref.place, hint: 'Let one task manage it.' },
      )
    },
  }
}
