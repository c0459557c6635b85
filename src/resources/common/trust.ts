import type { PathState } from '../../model/facts.ts'
import type { World } from '../../model/resource.ts'
import { groupWrite, otherWrite, sticky } from './mode.ts'
import { ancestorsOf, directoryOf } from './paths.ts'

type Paths = Pick<World, 'path'>

/** Can nobody but root rename, replace or add entries of this directory? */
export function closed(state: PathState): boolean {
  return ownedByRoot(state) && (state.mode & (groupWrite | otherWrite)) === 0
}

/**
 * Is the directory a place where root alone decides: itself closed, and every ancestor at least safe to
 * pass through? A sticky directory that others may write (`/tmp`) is safe to pass through, since the entry
 * that is passed is root's own and cannot be renamed, but nothing may be staged in it.
 */
export function trusted(directory: string, world: Paths): boolean {
  const own = stateOf(directory, world)
  return (
    own !== undefined &&
    closed(own) &&
    ancestorsOf(directory).every((ancestor) => {
      const state = stateOf(ancestor, world)
      return state !== undefined && (closed(state) || (ownedByRoot(state) && (state.mode & sticky) !== 0))
    })
  )
}

/** Might someone other than root exchange what stands at the path? */
export function contested(path: string, world: Paths): boolean {
  return path !== '/' && !trusted(directoryOf(path), world)
}

function stateOf(path: string, world: Paths): PathState | undefined {
  const fact = world.path(path)
  return fact.is === 'present' ? fact.state : undefined
}

function ownedByRoot(state: PathState): boolean {
  return state.type === 'directory' && state.uid.known && state.uid.value === 0
}
