import type { FileType, PathState } from '../../model/facts.ts'

/** Permission bits as in one digit of a mode. */
export const read = 4
export const write = 2
export const search = 1
export const execute = 1

/** One entry of an access ACL that belongs to the group class: what the mode's group digit bounds. */
export interface AclEntry {
  readonly of: 'user' | 'group'
  /** Absent for the owning group. */
  readonly id?: number
  readonly bits: number
}

export interface AccessAcl {
  readonly entries: readonly AclEntry[]
  /** Absent where the ACL is no more than the mode. */
  readonly mask?: number
}

/** What the kernel judges by when it is asked for one inode. */
export interface Row {
  readonly type: FileType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** `unknown`: there is one, or there may be, and the host could not show it. */
  readonly acl: AccessAcl | 'none' | 'unknown'
}

const entryPattern = /^(user|group|mask|other):([0-9]*):([r-])([w-])([x-])$/

/** Undefined for a line of another form, which makes the whole ACL unknown. */
function parseAcl(lines: readonly string[]): AccessAcl | undefined {
  const entries: AclEntry[] = []
  let mask: number | undefined
  for (const line of lines) {
    if (line.startsWith('default:')) continue
    const [, tag, id = '', r, w, x] = entryPattern.exec(line) ?? []
    if (tag === undefined) return undefined
    const bits = (r === 'r' ? read : 0) | (w === 'w' ? write : 0) | (x === 'x' ? execute : 0)
    if (tag === 'mask') mask = bits
    else if (tag === 'group') entries.push({ of: 'group', bits, ...(id === '' ? {} : { id: Number(id) }) })
    else if (tag === 'user' && id !== '') entries.push({ of: 'user', bits, id: Number(id) })
  }
  return mask === undefined ? { entries } : { entries, mask }
}

/** Undefined where an owner will be known only after a change of this run. */
export function rowOf(state: PathState): Row | undefined {
  const { type, mode, uid, gid, acl, aclWhole } = state
  if (!uid.known || !gid.known) return undefined
  const parsed = acl === 'present' && aclWhole ? parseAcl(aclWhole) : undefined
  return { type, mode, uid: uid.value, gid: gid.value, acl: acl === 'none' ? 'none' : (parsed ?? 'unknown') }
}
