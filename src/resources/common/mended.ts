import type { Effect } from '../../model/resource.ts'
import type { PathState } from '../../model/facts.ts'
import type { Ids } from './owner.ts'

/** The same inode with its new owner and mode and without extra ACL entries; all else stays as observed. */
export function mended(path: string, state: PathState, ids: Ids, mode: number): Effect {
  const next: PathState = { ...state, ...ids, mode }
  return {
    set: 'path',
    key: path,
    fact: {
      is: 'present',
      state: state.acl === 'present' ? { ...next, acl: 'none', aclEntries: [] } : next,
    },
  }
}
