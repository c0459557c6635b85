import type { Planned, Resource, World } from '../../model/resource.ts'
import { known } from '../../model/value.ts'

/**
 * Has the API server, a unit of the host, been started since its configuration was written? A check that only a
 * restart of it answers, and nobody restarts an API server by surprise.
 */
export function loadedCheck(path: string, unit: string): Resource {
  return {
    id: `loaded:${path}`,
    sameness: JSON.stringify({ path, unit }),
    atoms: [
      { atom: 'unit', unit },
      { atom: 'path', path },
    ],
    plan: (world) => {
      const found = notLoaded(path, unit, world)
      if (found === undefined) return { is: 'same' }
      return unmet(unit, path, found)
    },
  }
}

/** Why it cannot be shown that the unit runs with the file; undefined where it does. */
export function notLoaded(path: string, unit: string, world: World): string | undefined {
  const fact = world.path(path)
  const state = world.unit(unit)
  if (fact.is !== 'present') return `nothing at ${path}`
  if (world.changed(`path:${path}`) || fact.state.modified === undefined) return 'it is written only now'
  if (state.is !== 'present' || state.state.active !== 'active') return `${unit} is not active`
  // Both to the second: of one that was written in the second of the start nothing can be said.
  return state.state.since > fact.state.modified
    ? undefined
    : `${unit} was started before ${path} was written`
}

function unmet(unit: string, path: string, found: string): Planned {
  return {
    is: 'unmet',
    differences: [
      {
        attribute: 'loaded',
        from: known(found),
        to: known(`${unit} started after ${path} was written: restart it`),
      },
    ],
    ops: [],
  }
}
