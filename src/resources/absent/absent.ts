import type { Planned, Resource, World } from '../../model/resource.ts'
import { cannotChange, expectOf } from '../common/guard.ts'
import { checkAncestors, findParent } from '../common/parent.ts'
import { ancestorsOf, directoryOf, nameOf } from '../common/paths.ts'
import { problem, refused } from '../common/result.ts'
import { difference } from '../common/show.ts'
import { showType } from '../common/type.ts'

/** Nothing stands at the path. */
export interface AbsentDesired {
  readonly path: string
}

export function absentResource({ path }: AbsentDesired): Resource {
  return {
    id: `absent:${path}`,
    subject: `path:${path}`,
    sameness: JSON.stringify({ path }),
    atoms: [{ atom: 'path', path, package: true }],
    plan: (world) => plan(path, world),
  }
}

function plan(path: string, world: World): Planned {
  // Below a directory that does not exist there is nothing; below a link there may be something.
  const gap = ancestorsOf(path).find((ancestor) => world.path(ancestor).is === 'absent')
  if (gap !== undefined) {
    const way = checkAncestors(gap, world)
    return way.ok ? { is: 'same' } : refused(way.problem)
  }
  const found = findParent(path, world)
  if (!found.ok) return refused(found.problem)
  const fact = world.path(path)
  if (fact.is === 'unreadable') return refused(fact.problem)
  if (fact.is === 'absent') return { is: 'same' }

  const { state } = fact
  const hindrance = cannotChange(path, found.value.state, state)
  if (hindrance !== undefined) return refused(hindrance)
  if (state.type === 'block' || state.type === 'character') {
    return refused(
      problem(
        'resource.wrong-type',
        path,
        `expected ${path} to be a file, link, socket, FIFO or empty directory, found ${showType(state)}`,
        'Devices are not removed: find out what made it.',
      ),
    )
  }
  if (typeof state.package === 'string') {
    return refused(
      problem(
        'resource.package-owned',
        path,
        `expected ${path} to belong to no package, found that ${state.package} owns it`,
        'Remove it with the package manager, then run again.',
      ),
    )
  }
  // Some file systems always say 1; then only rmdir itself can tell.
  const folders = state.links - 2 - removedFrom(path, world)
  if (state.type === 'directory' && folders > 0) {
    return refused(
      problem(
        'resource.not-empty',
        path,
        `expected ${path} to be an empty directory, found ${String(folders)} directories in it`,
        'Nothing is removed recursively: name each entry in an `absent` task of its own.',
      ),
    )
  }
  return {
    is: 'change',
    differences: [difference('state', state.type, 'absent')],
    ops: [
      {
        op: 'remove',
        parent: found.value.parent,
        name: nameOf(path),
        expect: expectOf(fact),
        directory: state.type === 'directory',
      },
    ],
    effects: [{ set: 'path', key: path, fact: { is: 'absent' } }],
    disruptive: false,
    provisional: false,
  }
}

/** Entries of a directory that earlier changes of this plan take away; directories or not, which no longer shows. */
function removedFrom(path: string, world: World): number {
  return world
    .changedBelow(path)
    .filter((below) => directoryOf(below) === path && world.path(below).is === 'absent').length
}
