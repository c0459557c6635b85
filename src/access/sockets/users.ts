import type { Actor, KmsSocket, Matrix } from '../../model/access.ts'

/** Who serves a socket, and whom it is for. */
export interface Users {
  readonly holder: Actor
  readonly user: Actor
}

/** The actors that a socket names; the name that no document has where there is one. */
export function usersOf({ heldBy, usedBy }: KmsSocket, { actors }: Matrix): Users | string {
  const holder = actors.get(heldBy)
  const user = actors.get(usedBy)
  if (holder === undefined) return heldBy
  return user === undefined ? usedBy : { holder, user }
}
