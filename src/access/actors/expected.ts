import type { Actor } from '../../model/access.ts'
import { ascending, type Accounts } from './accounts.ts'
import type { Credentials } from './identity.ts'

/** Whom the matrix says that an actor is, in the numbers of the host. */
export type Expected =
  | {
      readonly is: 'found'
      readonly credentials: Credentials
      /** The matrix names all groups: it may be in no other. */
      readonly exact: boolean
    }
  | { readonly is: 'missing'; readonly what: string }

export function expectedOf({ user, group, groups }: Actor, accounts: Accounts): Expected {
  const uid = accounts.uid(user)
  if (uid === undefined) return { is: 'missing', what: `user ${user}` }
  const own = accounts.groupsOf(user)
  const primary = group ?? String(own?.primary ?? uid)
  const gid = accounts.gid(primary)
  if (gid === undefined) return { is: 'missing', what: `group ${primary}` }
  if (groups === undefined) {
    const credentials = { uid, gid, groups: ascending([gid, ...(own?.all ?? [])]) }
    return { is: 'found', credentials, exact: false }
  }
  const gids = groups.map((name) => [name, accounts.gid(name)] as const)
  const [missing] = gids.find(([, number]) => number === undefined) ?? []
  if (missing !== undefined) return { is: 'missing', what: `group ${missing}` }
  const numbers = gids.flatMap(([, number]) => (number === undefined ? [] : [number]))
  return { is: 'found', credentials: { uid, gid, groups: ascending([gid, ...numbers]) }, exact: true }
}
