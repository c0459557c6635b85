import type { PathState } from '../../model/facts.ts'
import type { Value } from '../../model/value.ts'
import type { Ids } from '../common/owner.ts'
import { groupWrite, otherWrite } from '../common/mode.ts'

/**
 * Accounts that could write a regular file and shall no longer be able to, in words; undefined where there
 * are none. Such an account may hold a descriptor that stays writable through every chown and chmod, so the
 * inode itself must go. The owner counts whatever the mode says, since it can change the mode. `kf_untrusted` of
 * shell/write asks the same of the file that is there then.
 */
export function lostWriter(state: PathState, ids: Ids, mode: number): string | undefined {
  const owner = idOf(state.uid)
  if (owner !== '0' && owner !== idOf(ids.uid)) return `uid ${owner}`
  if (state.mode & otherWrite && !(mode & otherWrite)) return 'everyone'
  // Gid 0 like any other: accounts may belong to root's group that are not root.
  const after = mode & groupWrite ? idOf(ids.gid) : undefined
  if (state.mode & groupWrite && idOf(state.gid) !== after) return `gid ${idOf(state.gid)}`
  // With ACL entries the group bits are their mask: named accounts may write as far as it goes.
  if (state.mode & groupWrite && state.acl === 'present') return 'accounts of its ACL'
  return undefined
}

function idOf(id: Value<number>): string {
  return id.known ? String(id.value) : `of ${id.after}`
}
