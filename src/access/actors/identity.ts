import type { ActingIdentity } from '../../model/access.ts'
import type { ProcessIds, ProcessState } from '../../model/process.ts'
import { ascending, type Accounts } from './accounts.ts'

/** User, groups and whether capabilities are left; the numbers that one truth about an actor comes to. */
export interface Credentials {
  readonly uid: number
  readonly gid: number
  /** With the primary group, ascending. */
  readonly groups: readonly number[]
}

/** Whom the kernel takes a process for when it opens files. */
export function identityOf({ uids, gids, groups, capabilities }: ProcessState): ActingIdentity {
  return { uid: uids.filesystem, gid: gids.filesystem, groups, capabilities: capabilities.effective }
}

export function credentialsOf({ uid, gid, groups }: ActingIdentity): Credentials {
  return { uid, gid, groups: ascending([gid, ...groups]) }
}

/** `user openbao-kms (998), group openbao-kms (998), groups ...`. */
export function showCredentials({ uid, gid, groups }: Credentials, accounts: Accounts): string {
  const named = (name: string | undefined, number: number): string =>
    name === undefined ? String(number) : `${name} (${String(number)})`
  const group = (each: number): string => named(accounts.groupName(each), each)
  return `user ${named(accounts.userName(uid), uid)}, group ${group(gid)}, groups ${groups.map(group).join(', ')}`
}

/** What differs between two truths, in words; empty where they are the same. */
export function credentialDifferences(
  from: Credentials,
  to: Credentials,
  accounts: Accounts,
): readonly string[] {
  const user = (uid: number): string => accounts.userName(uid) ?? String(uid)
  const group = (gid: number): string => accounts.groupName(gid) ?? String(gid)
  const lacks = to.groups.filter((gid) => !from.groups.includes(gid)).map(group)
  const extra = from.groups.filter((gid) => !to.groups.includes(gid)).map(group)
  return [
    ...(from.uid === to.uid ? [] : [`user ${user(from.uid)} instead of ${user(to.uid)}`]),
    ...(from.gid === to.gid ? [] : [`primary group ${group(from.gid)} instead of ${group(to.gid)}`]),
    ...(lacks.length === 0 ? [] : [`lacks group ${lacks.join(', ')}`]),
    ...(extra.length === 0 ? [] : [`also in group ${extra.join(', ')}`]),
  ]
}

/** Ids of a process beside those it reaches files with, which it could take at any time; empty where all four are the same. */
export function idDifferences({ uids, gids }: ProcessState, accounts: Accounts): readonly string[] {
  const others = (
    kind: string,
    ids: ProcessIds,
    name: (id: number) => string | undefined,
  ): readonly string[] =>
    (['real', 'effective', 'saved'] as const)
      .filter((each) => ids[each] !== ids.filesystem)
      .map((each) => `its ${each} ${kind} is ${name(ids[each]) ?? String(ids[each])}`)
  return [...others('user', uids, accounts.userName), ...others('group', gids, accounts.groupName)]
}
