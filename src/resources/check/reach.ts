import type { Identity } from '../../model/identity.ts'
import type { Resource } from '../../model/resource.ts'
import type { TestAtom } from '../../model/wire.ts'
import { problem, refused } from '../common/result.ts'
import { planCheck } from './check.ts'

/** A Unix socket can be connected to by an identity with its groups. */
export interface ReachDesired {
  readonly socket: string
  readonly as: Identity
  /** Seconds to wait for it. */
  readonly within: number
}

export function reachResource({ socket, as, within }: ReachDesired): Resource {
  const who = showIdentity(as)
  const key = `reach:${socket} as ${who}`
  const test: TestAtom = { atom: 'reach', key, socket, as }
  return {
    id: `reach:${socket} as ${who}`,
    sameness: JSON.stringify({ socket, as, within }),
    atoms: [test, ...(as.by === 'account' ? [{ atom: 'user', name: as.user } as const] : [])],
    plan: (world) => {
      if (as.by === 'account' && world.user(as.user).is === 'absent') {
        return refused(
          problem(
            'resource.unknown-account',
            as.user,
            `expected the user ${as.user} to exist, found no such user`,
            'Make it with a task before this one, or give `uid`, `gid` and `groups` as numbers.',
          ),
        )
      }
      return planCheck(`reachable as ${who}`, test, within, world)
    },
  }
}

function showIdentity(identity: Identity): string {
  if (identity.by === 'account') return identity.user
  const groups = identity.groups.length === 0 ? '' : ` groups ${identity.groups.join(',')}`
  return `${String(identity.uid)}:${String(identity.gid)}${groups}`
}
