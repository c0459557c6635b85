import type { Actor, KmsSocket, Matrix } from '../../model/access.ts'

/** Who serves a socket, and whom it is for. */
export interface Users {
  readonly holder: Actor
  readonly user: Actor
}

/** The actors that a socket names; a matrix has no socket without them. */
export function usersOf({ heldBy, usedBy, path }: KmsSocket, { actors }: Matrix): Users {
  const holder = actors.get(heldBy)
  const user = actors.get(usedBy)
  if (holder === undefined || user === undefined) throw new Error(`${path} names an actor that is none`)
  return { holder, user }
}
