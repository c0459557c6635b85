import type { Fact, PathState } from '../model/facts.ts'
import { directoryOf } from '../resources/common/paths.ts'
import { mountOver, type MountState, type SeenState } from '../model/process.ts'
import type { Rows } from './evaluate/walk.ts'

/**
 * The rows that a process with a mount namespace of its own meets: what stands at its paths, with the ACLs of the host's
 * rows where it is the same thing, and with the flags of its own mounts. Its root directory is taken for the host's.
 */
export function rowsAsSeen(
  seen: ReadonlyMap<string, SeenState>,
  mounts: readonly MountState[] | undefined,
  host: Rows,
): Rows {
  return (path) => {
    const there = path === '/' ? host('/') : seenFact(seen.get(path), host(path))
    if (there?.is !== 'present' || mounts === undefined) return there
    return { ...there, state: { ...there.state, readOnlyMount: mountOver(mounts, path)?.readOnly ?? false } }
  }
}

function seenFact(found: SeenState | undefined, same: Fact<PathState> | undefined): Fact<PathState> {
  if (found === undefined) return { is: 'absent' }
  const alike =
    same?.is === 'present' && same.state.device === found.device && same.state.inode === found.inode
  return alike ? same : { is: 'present', state: { ...found, acl: 'unknown' } }
}

/**
 * Other paths by which a process reaches what stands at a path of the host: mounts of the same file system that hold it
 * under another name. Undefined where its mounts are not known. The host's own mount of a file system is taken to begin
 * where the device of the rows changes, and to show all of it.
 */
export function otherNames(
  path: string,
  host: Rows,
  mounts: readonly MountState[] | undefined,
): readonly string[] | undefined {
  // Of the directory: an overlay gives its files devices of their own.
  const parent = host(directoryOf(path))
  if (host(path)?.is !== 'present' || parent?.is !== 'present' || parent.state.device === undefined) return []
  if (mounts === undefined) return undefined
  const { device } = parent.state
  const inside = withoutPoint(path, pointOf(directoryOf(path), device, host))
  return mounts.flatMap((mount) => {
    if (mount.device !== device) return []
    const below =
      mount.root === '/'
        ? inside
        : inside.startsWith(`${mount.root}/`) || inside === mount.root
          ? inside.slice(mount.root.length)
          : undefined
    if (below === undefined) return []
    const name = `${mount.point === '/' ? '' : mount.point}${below}` || '/'
    // Something else may be mounted over it.
    return name === path || mountOver(mounts, name) !== mount ? [] : [name]
  })
}

/** The highest ancestor that lies on the same device without a break: where the file system is mounted. */
function pointOf(path: string, device: string, host: Rows): string {
  if (path === '/') return '/'
  const parent = directoryOf(path)
  const above = host(parent)
  if (above?.is !== 'present' || above.state.device !== device) return path
  return pointOf(parent, device, host)
}

/** The path within its file system; begins with a slash. */
function withoutPoint(path: string, point: string): string {
  return point === '/' ? path : path.slice(point.length) || '/'
}
