import type { Fact, PathState } from '../../model/facts.ts'
import type { World } from '../../model/resource.ts'
import type { Parent } from '../../model/wire.ts'
import { ancestorsOf, directoryOf } from './paths.ts'
import { failure, problem, success, type Result } from './result.ts'
import { trusted } from './trust.ts'

type Paths = Pick<World, 'path'>

/** A parent as operations take it, with what is known of the directory. */
export interface FoundParent {
  readonly parent: Parent
  readonly state: PathState
}

/**
 * The directory that `path` is an entry of. Refused where an ancestor is missing (unless an earlier change
 * makes it), is a link, or is not a directory.
 */
export function findParent(path: string, world: Paths): Result<FoundParent> {
  const way = checkAncestors(path, world)
  if (!way.ok) return way
  const directory = directoryOf(path)
  return success({ parent: parentOf(directory, way.value, world), state: way.value })
}

/** Checks every proper ancestor of `path`, from the root down; gives the state of the last. */
export function checkAncestors(path: string, world: Paths): Result<PathState> {
  let last: PathState | undefined
  for (const ancestor of ancestorsOf(path)) {
    const found = checkAncestor(ancestor, path, world.path(ancestor))
    if (!found.ok) return found
    last = found.value
  }
  return last === undefined
    ? failure(problem('resource.parent-missing', path, `expected ${path} to lie in a directory, found none`))
    : success(last)
}

function checkAncestor(ancestor: string, path: string, fact: Fact<PathState>): Result<PathState> {
  if (fact.is === 'unreadable') return failure(fact.problem)
  if (fact.is === 'absent') {
    return failure(
      problem(
        'resource.parent-missing',
        path,
        `expected the directory ${ancestor} to exist, found nothing there`,
        `Add a \`directory\` task for ${ancestor} before this one.`,
      ),
    )
  }
  const { type, target } = fact.state
  if (type === 'directory') return success(fact.state)
  const found = type === 'link' ? `a symbolic link to ${target ?? 'somewhere else'}` : `a ${type}`
  return failure(
    problem(
      'resource.ancestor',
      path,
      `expected ${ancestor} to be a real directory, found ${found}`,
      type === 'link' ? 'Write the real path.' : undefined,
    ),
  )
}

function parentOf(directory: string, state: PathState, world: Paths): Parent {
  const anchor = anchorOf(directory, world)
  return {
    path: directory,
    ...(state.device === undefined || state.inode === undefined
      ? {}
      : { inode: `${state.device}:${state.inode}` }),
    ...(anchor === undefined ? {} : { anchor }),
  }
}

/**
 * Nearest proper ancestor on the same file system where only root decides, or else the directory itself. Payloads are staged there before
 * the first change is made, so it must have been observed: a directory that this run makes or mends first
 * does not count.
 */
function anchorOf(directory: string, world: Paths): string | undefined {
  let device = deviceOf(world.path(directory))
  for (const ancestor of ancestorsOf(directory).toReversed()) {
    const fact = world.path(ancestor)
    const here = deviceOf(fact)
    // A directory that is made in this run will lie on the file system of its nearest existing ancestor.
    device ??= here
    if (device !== undefined && here !== undefined && here !== device) break
    if (here !== undefined && observed(fact) && trusted(ancestor, world)) return ancestor
  }
  // A mount point such as /run has no ancestor on its own file system: it serves where only root decides in it.
  return observed(world.path(directory)) && trusted(directory, world) ? directory : undefined
}

function deviceOf(fact: Fact<PathState>): string | undefined {
  return fact.is === 'present' ? fact.state.device : undefined
}

function observed(fact: Fact<PathState>): boolean {
  return fact.is === 'present' && fact.token !== undefined
}
