import type { Resource, World } from '../model/resource.ts'

/** Whether a host's services and checks do their work now, as far as a play asks for them. */
export type Health =
  | { readonly is: 'well' }
  /** `found`: the first thing that is wrong, in an operator's words. */
  | { readonly is: 'sick'; readonly found: string }
  /** None of the play's services was ever installed: the host takes no part yet. */
  | { readonly is: 'not-here' }

/** Gathers what the resources of one host say of themselves. */
export interface HealthCheck {
  ask(resource: Resource): void
  readonly result: Health
}

/** @param observed a world that predicts nothing; made when the first resource is asked */
export function createHealthCheck(observed: () => World): HealthCheck {
  let world: World | undefined
  let missing = false
  let here = false
  let found: string | undefined
  return {
    ask: (resource) => {
      if (resource.health === undefined) return
      world ??= observed()
      const answer = resource.health(world)
      if (answer === 'not-here') {
        missing = true
        return
      }
      if (resource.id.startsWith('unit:')) here = true
      const [first] = answer
      if (first === undefined || found !== undefined) return
      const state = first.from.known ? ` ${first.from.value}` : ''
      found = `${resource.id} ${first.attribute}${state}`
    },
    get result(): Health {
      if (missing && !here) return { is: 'not-here' }
      if (found !== undefined) return { is: 'sick', found }
      return missing ? { is: 'sick', found: 'a service that is not installed' } : { is: 'well' }
    },
  }
}
