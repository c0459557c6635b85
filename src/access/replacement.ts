import type { Attempt } from '../model/access.ts'
import type { Fact, PathState } from '../model/facts.ts'
import type { MountState, SeenState } from '../model/process.ts'
import { ancestorsOf, directoryOf } from '../resources/common/paths.ts'
import type { Movable } from './evaluate/replacement.ts'

/** What stands on the way to a path, and could be moved aside to replace it. */
export function entriesAbove(path: string): readonly string[] {
  return ancestorsOf(path).filter((each) => each !== '/')
}

export interface Surroundings {
  /** The host's rows. */
  readonly paths: ReadonlyMap<string, Fact<PathState>>
  /** What who tried sees, where its mount namespace is another. */
  readonly seen?: ReadonlyMap<string, SeenState>
  readonly mounts?: readonly MountState[]
}

/**
 * A mount point cannot be moved. What a mount namespace has of its own, such as the root file system of a container, may be:
 * nothing on the host is replaced by that.
 */
export function movableIn({ paths, seen, mounts }: Surroundings): Movable {
  const hosts = new Map<string, SeenState>(
    [...paths].flatMap(([path, fact]) => (fact.is === 'present' ? [[path, seenOf(fact.state)]] : [])),
  )
  const inodes = new Set([...hosts.values()].flatMap((state) => nameOf(state) ?? []))
  const at = (path: string): SeenState | undefined =>
    (seen === undefined || path === '/' ? hosts : seen).get(path)
  return (path) => {
    const [entry, directory] = [at(path), at(directoryOf(path))]
    if (entry === undefined || directory === undefined) return false
    if (mounts?.some(({ point }) => point === path) === true || entry.device !== directory.device)
      return false
    return seen === undefined || [entry, directory].every((each) => inodes.has(nameOf(each) ?? ''))
  }
}

const seenOf = (state: PathState): SeenState => state

function nameOf({ device, inode }: SeenState): string | undefined {
  return device === undefined || inode === undefined ? undefined : `${device}:${inode}`
}

/** What the tries at a path and at all that could be moved aside for it come to; a replacement in any way is one. */
export function replacementAttempt(
  own: Attempt,
  above: readonly (readonly [path: string, attempt: Attempt])[],
): Attempt {
  if (own.is === 'granted') return own
  const granted = above.find(([, { is }]) => is === 'granted')
  if (granted !== undefined) return granted[1]
  if (own.is === 'unknown') return own
  for (const [path, attempt] of above) {
    if (attempt.is === 'unknown')
      return { is: 'unknown', detail: `${path} could be moved aside: ${attempt.detail}` }
  }
  return own
}
