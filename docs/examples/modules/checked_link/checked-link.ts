import { linkResource, problem, refused, type Planned, type Resource, type World } from 'kmsfleet'

export interface CheckedLink {
  readonly path: string
  readonly target: string
}

/** A resource kind of its own: what `link` does, once the target is known to be there. */
export function checkedLink({ path, target }: CheckedLink): Resource {
  const link = linkResource({ path, target })
  return {
    ...link,
    id: `checked_link:${path}`,
    atoms: [...link.atoms, { atom: 'path', path: target }],
    plan: (world) => plan(link, target, world),
  }
}

/** Pure: the same world gives the same plan, and nothing is asked for or done here. */
function plan(link: Resource, target: string, world: World): Planned {
  // The world is what was observed with what earlier changes of the plan will have done.
  const found = world.path(target)
  if (found.is === 'unreadable') return refused(found.problem)
  if (found.is === 'absent') {
    const message = `expected ${target} to exist, found nothing there`
    return refused(
      problem('resource.parent-missing', target, message, 'Add a task that makes it before this one.'),
    )
  }
  return link.plan(world)
}
