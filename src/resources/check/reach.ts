import type { Identity } from '../../model/identity.ts'
import type { Resource } from '../../model/resource.ts'
import type { TestAtom } from '../../model/wire.ts'
import { identityAtoms, missingIdentity } from '../common/identity.ts'
import { refused } from '../common/result.ts'
import { checkHealth, planCheck } from './check.ts'

/** A Unix socket can be connected to by an identity with its groups. */
export interface ReachDesired {
  readonly socket: string
  readonly as: Identity
  /** Seconds to wait for it. */
  readonly within: number
}

export function reachResource({ socket, as, within }: ReachDesired): Resource {
  const who = showIdentity(as)
  const attribute = `reachable as ${who}`
  const key = `reach:${socket} as ${who}`
  const test: TestAtom = { atom: 'reach', key, socket, as }
  return {
    id: `reach:${socket} as ${who}`,
    sameness: JSON.stringify({ socket, as, within }),
    atoms: [test, ...identityAtoms(as)],
    plan: (world) => {
      const missing = missingIdentity(as, world)
      return missing !== undefined ? refused(missing) : planCheck(attribute, test, within, world)
    },
    health: (world) => checkHealth(attribute, test, world),
  }
}

function showIdentity(identity: Identity): string {
  if (identity.by === 'account') return identity.user
  const groups = identity.groups.length === 0 ? '' : ` groups ${identity.groups.join(',')}`
  return `${String(identity.uid)}:${String(identity.gid)}${groups}`
}
