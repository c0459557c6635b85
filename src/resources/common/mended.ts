import type { Effect } from '../../model/resource.ts'
import type { PathState } from '../../model/facts.ts'
import type { Ownership } from '../../model/wire.ts'
import type { Ids } from './owner.ts'

/** The same inode with its new owner, mode and label and without extra ACL entries; all else stays as observed. */
export function mended(path: string, state: PathState, ids: Ids, to: Ownership): Effect {
  const next: PathState = { ...state, ...ids, mode: to.mode, ...labelled(to.label) }
  return {
    set: 'path',
    key: path,
    fact: {
      is: 'present',
      state: state.acl === 'present' ? { ...next, acl: 'none', aclEntries: [], aclWhole: [] } : next,
    },
  }
}

/** A label where there is one. */
export function labelled(label: string | undefined): { readonly label?: string } {
  return label === undefined ? {} : { label }
}
