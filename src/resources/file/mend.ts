import type { Fact, PathState } from '../../model/facts.ts'
import type { Difference, Planned } from '../../model/resource.ts'
import type { Ownership, Parent } from '../../model/wire.ts'
import { expectOf } from '../common/guard.ts'
import { mended } from '../common/mended.ts'
import type { Ids } from '../common/owner.ts'
import { problem, refused } from '../common/result.ts'
import type { FileContent } from './content.ts'
import { lostWriter } from './writers.ts'

/** Where a file stands or shall stand, and with which owner, group and mode. */
export interface Place {
  readonly path: string
  readonly name: string
  readonly parent: Parent
  readonly fact: Fact<PathState>
  readonly old: PathState | undefined
  readonly to: Ownership
  readonly ids: Ids
}

/**
 * Owner, group, mode and ACL of the file that is there, its bytes untouched. Where the content is not ours
 * a file that someone else may still write is refused, since it can be neither trusted nor replaced.
 */
export function mend(
  place: Place,
  differences: readonly Difference[],
  content: FileContent | undefined,
): Planned {
  const { path, name, parent, fact, old, to, ids } = place
  if (old === undefined) return { is: 'same' }
  const writer = lostWriter(old, ids, to.mode)
  if (content === undefined && writer !== undefined) {
    return refused(
      problem(
        'resource.old-writer',
        path,
        `expected ${path} to have had no other writers, found that ${writer} could write it and may hold it open still`,
        'Use `copy` or `template`, which put a new file in its place, or let its maker write it anew.',
      ),
    )
  }
  if (content === undefined && old.links > 1) {
    return refused(
      problem(
        'resource.hard-linked',
        path,
        `expected ${path} to be the only name of its file, found ${String(old.links)} names`,
        'Find the others with `find -samefile`; a change here would change them too.',
      ),
    )
  }
  // A run that opens the secret would put a new file here; this one cannot, and never reaches a host.
  const needsBytes = writer !== undefined || old.links > 1
  return {
    is: 'change',
    differences,
    ops: needsBytes
      ? []
      : [{ op: 'file-set', parent, name, expect: expectOf(fact), to, stripAcl: old.acl === 'present' }],
    effects: [mended(path, old, ids, to)],
    disruptive: false,
    provisional: false,
  }
}
