import type { Resource, ResourceId, World } from '../model/resource.ts'

/** Whether a host's services and checks do their work now, as far as a play asks for them. */
export type Health =
  | { readonly is: 'well' }
  /**
   * `found`: the first thing that is wrong, in an operator's words. `down`: names of the units and paths of the static
   * pods that do not do their work, which is only some of what may be wrong.
   */
  | { readonly is: 'sick'; readonly found: string; readonly down: ReadonlySet<string> }
  /** None of the play's services was ever installed: the host takes no part yet. */
  | { readonly is: 'not-here' }

/** Gathers what the resources of one host say of themselves. */
export interface HealthCheck {
  ask(resource: Resource): void
  readonly result: Health
}

/**
 * A check that waits for something (a socket, an answer) speaks of the service whose task stands before it; an
 * assertion, or a check before all services, speaks of none.
 *
 * @param observed a world that predicts nothing; made when the first resource is asked
 */
export function createHealthCheck(observed: () => World): HealthCheck {
  let world: World | undefined
  let missing = false
  let here = false
  let found: string | undefined
  let service: string | undefined
  const down = new Set<string>()
  return {
    ask: (resource) => {
      if (isService(resource.id)) service = serviceOf(resource.id)
      if (resource.health === undefined) return
      world ??= observed()
      const answer = resource.health(world)
      if (answer === 'not-here') {
        missing = true
        return
      }
      if (isService(resource.id)) here = true
      const [first] = answer
      if (first === undefined) return
      if (service !== undefined && !resource.id.startsWith('assert:')) down.add(service)
      if (found !== undefined) return
      const state = first.from.known ? ` ${first.from.value}` : ''
      found = `${resource.id} ${first.attribute}${state}`
    },
    get result(): Health {
      if (missing && !here) return { is: 'not-here' }
      if (found !== undefined) return { is: 'sick', found, down }
      return missing ? { is: 'sick', found: 'a service that is not installed', down } : { is: 'well' }
    },
  }
}

/** The unit's name or the pod's path that a resource is about, whatever it asks of it. */
export function serviceOf(id: ResourceId): string {
  return id.slice(id.indexOf(':') + 1)
}

function isService(id: ResourceId): boolean {
  return id.startsWith('unit:') || id.startsWith('static-pod:')
}
