import type { Snapshot } from '../../model/facts.ts'

/** The accounts of a host by name and number, as its files and name service have them. */
export interface Accounts {
  /** uid of a name or of decimal digits; undefined where nobody has the name. */
  readonly uid: (user: string) => number | undefined
  readonly gid: (group: string) => number | undefined
  /** Primary group and memberships of a user by name or number; undefined where there is no such account. */
  readonly groupsOf: (
    user: string,
  ) => { readonly primary: number; readonly all: readonly number[] } | undefined
  readonly userName: (uid: number) => string | undefined
  readonly groupName: (gid: number) => string | undefined
}

const digits = /^[0-9]{1,10}$/

/** Looks accounts up in what a frame found. */
export function accountsOf({ users, groups }: Pick<Snapshot, 'users' | 'groups'>): Accounts {
  const uids = new Map<string, number>()
  const primaries = new Map<string, number>()
  for (const [name, fact] of users) {
    if (fact.is !== 'present' || !fact.state.uid.known || !fact.state.gid.known) continue
    uids.set(name, fact.state.uid.value)
    primaries.set(name, fact.state.gid.value)
  }
  const gids = new Map<string, number>()
  const members = new Map<string, number[]>()
  for (const [name, fact] of groups) {
    if (fact.is !== 'present' || !fact.state.gid.known) continue
    const gid = fact.state.gid.value
    gids.set(name, gid)
    for (const member of fact.state.members) members.set(member, [...(members.get(member) ?? []), gid])
  }
  const nameOf = (table: ReadonlyMap<string, number>, wanted: number): string | undefined =>
    [...table].find(([, number]) => number === wanted)?.[0]
  return {
    uid: (user) => (digits.test(user) ? Number(user) : uids.get(user)),
    gid: (group) => (digits.test(group) ? Number(group) : gids.get(group)),
    groupsOf(user) {
      const name = digits.test(user) ? nameOf(uids, Number(user)) : user
      const primary = name === undefined ? undefined : primaries.get(name)
      if (name === undefined || primary === undefined) return undefined
      return { primary, all: ascending([primary, ...(members.get(name) ?? [])]) }
    },
    userName: (uid) => nameOf(uids, uid),
    groupName: (gid) => nameOf(gids, gid),
  }
}

/** Each number once, in ascending order, as the kernel keeps groups. */
export function ascending(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((left, right) => left - right)
}
