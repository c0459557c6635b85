import type { FileType } from '../../model/facts.ts'
import { quote } from '../../shell/quote.ts'
import type { Reason } from './decide.ts'
import { showMode } from '../../resources/common/mode.ts'
import { execute, read, write } from './row.ts'
import type { AclEntry, Row } from './row.ts'

/** Names of the host's accounts; undefined where a number has none. */
export interface Names {
  user(uid: number): string | undefined
  group(gid: number): string | undefined
}

/** `r-x`. */
export function showBits(bits: number): string {
  return `${bits & read ? 'r' : '-'}${bits & write ? 'w' : '-'}${bits & execute ? 'x' : '-'}`
}

export function showUser(uid: number, names: Names): string {
  return names.user(uid) ?? `uid ${String(uid)}`
}

export function showGroup(gid: number, names: Names): string {
  const name = names.group(gid)
  return name === undefined ? `gid ${String(gid)}` : `${name} (gid ${String(gid)})`
}

/** `user:kube-apiserver`, as setfacl takes it; `group:` is the owning group. */
export function aclSubject({ of, id }: AclEntry, names: Names): string {
  if (id === undefined) return `${of}:`
  return `${of}:${(of === 'user' ? names.user(id) : names.group(id)) ?? String(id)}`
}

export function showEntry(entry: AclEntry, names: Names): string {
  return `${aclSubject(entry, names)}:${showBits(entry.bits)}`
}

const types: Readonly<Record<FileType, string>> = {
  file: 'file',
  directory: 'directory',
  link: 'symbolic link',
  socket: 'socket',
  fifo: 'FIFO',
  block: 'block device',
  character: 'character device',
}

/** A path as it can be pasted behind a command. */
export function shownPath(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : quote(path)
}

/** `a socket`. */
export function showType(type: FileType): string {
  return `a ${types[type]}`
}

/** `directory of root, group kms (gid 998), mode 0750 (rwxr-x---), ACL user:kube:r-x mask::r-x`. */
export function showRow(row: Row, names: Names): string {
  const { mode, acl } = row
  const bits = [mode >> 6, mode >> 3, mode].map((digit) => showBits(digit & 7)).join('')
  const special = mode & 0o1000 ? ', sticky' : ''
  const owners = `${types[row.type]} of ${showUser(row.uid, names)}, group ${showGroup(row.gid, names)}`
  return `${owners}, mode ${showMode(mode)} (${bits}${special})${showAcl(acl, names)}`
}

function showAcl(acl: Row['acl'], names: Names): string {
  if (acl === 'none') return ''
  if (acl === 'unknown') return ', ACL not known'
  if (acl.mask === undefined) return ''
  const entries = acl.entries.map((entry) => showEntry(entry, names))
  return `, ACL ${[...entries, `mask::${showBits(acl.mask)}`].join(' ')}`
}

/** What decided, about a row: `group kms (gid 998) has r-x`. */
export function showReason(reason: Reason, row: Row, names: Names): string {
  switch (reason.by) {
    case 'owner':
      return `${showUser(row.uid, names)} is the owner and has ${showBits(reason.bits)}`
    case 'group':
      return `group ${showGroup(row.gid, names)} has ${showBits(reason.bits)}`
    case 'other':
      return `others have ${showBits(reason.bits)}, and it is neither the owner nor in the group`
    case 'entry': {
      const { entry, mask = 7 } = reason
      const left = entry.bits & mask
      const cut =
        left === entry.bits
          ? ''
          : `, of which ${showBits(left)} is left: no entry gives more than mask::${showBits(mask)}`
      return `its ACL, which goes before the mode, has the entry ${showEntry(entry, names)}${cut}`
    }
    case 'entries': {
      const entries = reason.entries.map((entry) => showEntry(entry, names)).join(', ')
      return `its ACL has no more for these groups than ${entries}, and what others have is not for their members`
    }
    case 'bound':
      return `the mode leaves at most ${showBits(reason.bits)} to anyone but the owner, whatever the ACL says`
    case 'capability':
      return `the capability ${reason.capability} overrides owner, mode and ACL`
  }
}
