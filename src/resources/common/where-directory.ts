import type { Resource } from '../../model/resource.ts'

/**
 * The resource on hosts that have the directory, nothing on others: a drop-in of a program that a host may
 * lack. Decided against the world, so that a directory made earlier in the run counts.
 */
export function whereDirectory(directory: string, resource: Resource): Resource {
  return {
    ...resource,
    sameness: `${resource.sameness} where ${directory}`,
    atoms: [{ atom: 'path', path: directory }, ...resource.atoms],
    plan: (world) => (world.path(directory).is === 'absent' ? { is: 'same' } : resource.plan(world)),
  }
}
