import type { Identity } from '../../model/identity.ts'
import type { Problem } from '../../model/problem.ts'
import type { World } from '../../model/resource.ts'
import type { FileCheck, ReadAtom } from '../../model/wire.ts'
import { problem } from './result.ts'

/** What must be asked to know that an identity exists. */
export function identityAtoms(as: Identity | undefined): readonly ReadAtom[] {
  return as?.by === 'account' ? [{ atom: 'user', name: as.user }] : []
}

/** The same for all who check a file. */
export function checkerAtoms(checks: readonly FileCheck[] = []): readonly ReadAtom[] {
  return checks.flatMap(({ as }) => identityAtoms(as))
}

/** The first of them of which there is no account. */
export function missingChecker(checks: readonly FileCheck[] = [], world: World): Problem | undefined {
  return checks.map(({ as }) => missingIdentity(as, world)).find((missing) => missing !== undefined)
}

/** An account that neither exists nor is made earlier in the run; numbers need no account. */
export function missingIdentity(as: Identity | undefined, world: World): Problem | undefined {
  if (as?.by !== 'account' || world.user(as.user).is !== 'absent') return undefined
  return problem(
    'resource.unknown-account',
    as.user,
    `expected the user ${as.user} to exist, found no such user`,
    'Make it with a task before this one, or give `uid`, `gid` and `groups` as numbers.',
  )
}
