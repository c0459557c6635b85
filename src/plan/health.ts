import type { Resource, ResourceId, World } from '../model/resource.ts'

/** Whether a host's services and checks do their work now, as far as a play asks for them. */
export type Health =
  | { readonly is: 'well' }
  /**
   * `failing`: what is wrong, in an operator's words, by the resource that says so. `down`: names of the units and
   * paths of the static pods that do not do their work, which is only some of what may be wrong.
   */
  | {
      readonly is: 'sick'
      readonly failing: ReadonlyMap<string, string>
      readonly down: ReadonlySet<string>
    }
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
  const failing = new Map<string, string>()
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
      const state = first.from.known ? ` ${first.from.value}` : ''
      failing.set(resource.id, `${resource.id} ${first.attribute}${state}`)
    },
    get result(): Health {
      if (missing && !here) return { is: 'not-here' }
      if (missing) failing.set('service', 'a service that is not installed')
      return failing.size === 0 ? { is: 'well' } : { is: 'sick', failing, down }
    },
  }
}

/** Of a host that answers nothing, for a reason of its own. */
export function silent(reason: string): Health {
  return { is: 'sick', failing: new Map([['host', reason]]), down: new Set() }
}

/** What is wrong with a host and not with this one as well; what both lack, such as before a first run, is no difference. */
export function worse(other: Health, own: Health | undefined): readonly string[] {
  if (other.is !== 'sick') return []
  return [...other.failing].flatMap(([id, found]) =>
    own?.is === 'sick' && own.failing.has(id) ? [] : [found],
  )
}

/** The unit's name or the pod's path that a resource is about, whatever it asks of it. */
export function serviceOf(id: ResourceId): string {
  return id.slice(id.indexOf(':') + 1)
}

function isService(id: ResourceId): boolean {
  return id.startsWith('unit:') || id.startsWith('static-pod:')
}
