import type { Resource } from '../../model/resource.ts'

/**
 * The resource on hosts that have the program, nothing on others: what configures a program that a host may
 * lack. `tool` is one of those that the prelude of shell/read looks for.
 */
export function whereTool(tool: string, resource: Resource): Resource {
  return {
    ...resource,
    sameness: `${resource.sameness} where ${tool}`,
    plan: (world) => (world.host.tools.has(tool) ? resource.plan(world) : { is: 'same' }),
  }
}
