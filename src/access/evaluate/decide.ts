import type { ActingIdentity } from '../../model/access.ts'
import { capabilities } from './capabilities.ts'
import type { Capability } from './capabilities.ts'
import { execute, read, write } from './row.ts'
import type { AccessAcl, AclEntry, Row } from './row.ts'

/** What decided, as it can be told to a person. */
export type Reason =
  | { readonly by: 'owner' | 'group' | 'other'; readonly bits: number }
  /** An entry of the ACL; `mask` where there is one. */
  | { readonly by: 'entry'; readonly entry: AclEntry; readonly mask?: number }
  /** In one or more groups of the ACL, none of which is enough; others' bits no longer count then. */
  | { readonly by: 'entries'; readonly entries: readonly AclEntry[] }
  /** The mode's digits bound whatever an unseen ACL may say. */
  | { readonly by: 'bound'; readonly bits: number }
  | { readonly by: 'capability'; readonly capability: Capability }

export type Decision =
  | { readonly is: 'allowed' | 'denied'; readonly reason: Reason }
  /** The ACL could matter and is not known. */
  | { readonly is: 'unknown' }

export function inGroup(who: ActingIdentity, gid: number): boolean {
  return who.gid === gid || who.groups.includes(gid)
}

export function has(who: ActingIdentity, capability: Capability): boolean {
  return who.capabilities.has(capabilities[capability])
}

const covers = (bits: number, want: number): boolean => (want & ~bits) === 0

function judged(allowed: boolean, reason: Reason): Decision {
  return { is: allowed ? 'allowed' : 'denied', reason }
}

/** `posix_acl_permission` of fs/posix_acl.c: a named user, then any group entry that is enough, then others. */
function byAcl(who: ActingIdentity, row: Row, acl: AccessAcl, want: number): Decision {
  const masked = ({ bits }: AclEntry): number => bits & (acl.mask ?? 7)
  const entry = (found: AclEntry): Decision =>
    judged(covers(masked(found), want), {
      by: 'entry',
      entry: found,
      ...(acl.mask === undefined ? {} : { mask: acl.mask }),
    })
  const user = acl.entries.find(({ of, id }) => of === 'user' && id === who.uid)
  if (user) return entry(user)
  const groups = acl.entries.filter(({ of, id }) => of === 'group' && inGroup(who, id ?? row.gid))
  // the kernel takes the first whose own bits are enough, and only then looks at the mask
  const enough = groups.find(({ bits }) => covers(bits, want))
  if (enough) return entry(enough)
  if (groups.length > 0) return judged(false, { by: 'entries', entries: groups })
  return byOther(row, want)
}

function byOther(row: Row, want: number): Decision {
  const bits = row.mode & 7
  return judged(covers(bits, want), { by: 'other', bits })
}

/** `acl_permission_check` of fs/namei.c. */
function byModeAndAcl(who: ActingIdentity, row: Row, want: number): Decision {
  const [owner, group, other] = [(row.mode >> 6) & 7, (row.mode >> 3) & 7, row.mode & 7]
  if (row.uid === who.uid) return judged(covers(owner, want), { by: 'owner', bits: owner })
  // with an ACL the group digit is its mask; at 0 the kernel does not even look at the ACL
  if (row.acl !== 'none' && group !== 0) {
    if (row.acl !== 'unknown') return byAcl(who, row, row.acl, want)
    if (covers(group, want) || covers(other, want)) return { is: 'unknown' }
    return judged(false, { by: 'bound', bits: group | other })
  }
  if (inGroup(who, row.gid)) return judged(covers(group, want), { by: 'group', bits: group })
  return byOther(row, want)
}

/** What `generic_permission` lets a capability override. */
function overriding(who: ActingIdentity, row: Row, want: number): Capability | undefined {
  const directory = row.type === 'directory'
  const reading = directory ? (want & write) === 0 : want === read
  if (reading && has(who, 'CAP_DAC_READ_SEARCH')) return 'CAP_DAC_READ_SEARCH'
  // nobody executes a file that nobody may execute
  const executable = directory || (want & execute) === 0 || (row.mode & 0o111) !== 0
  return executable && has(who, 'CAP_DAC_OVERRIDE') ? 'CAP_DAC_OVERRIDE' : undefined
}

/** May it do all that `want` asks (bits of {@link Row}) with this one inode? */
export function decide(who: ActingIdentity, row: Row, want: number): Decision {
  const plain = byModeAndAcl(who, row, want)
  if (plain.is === 'allowed') return plain
  const capability = overriding(who, row, want)
  return capability === undefined ? plain : judged(true, { by: 'capability', capability })
}
