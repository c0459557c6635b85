import type { GroupState } from '../../model/facts.ts'
import type { Planned, Resource, World } from '../../model/resource.ts'
import { known, unknown, type Value } from '../../model/value.ts'
import { problem, refused } from '../common/result.ts'
import { differencesOfNew, showId } from '../common/show.ts'
import { isTaken, remoteAccount, makerMissing } from '../common/account.ts'

/** A local group. Who belongs to it is a resource of its own, see membership.ts. */
export interface GroupDesired {
  readonly name: string
  /** Pinned id; undefined: the host chooses, and any that is there is right. */
  readonly gid?: number | undefined
  /** Take the id from the range of system accounts. */
  readonly system: boolean
}

export function groupResource(desired: GroupDesired): Resource {
  const { name, gid } = desired
  return {
    id: `group:${name}`,
    subject: `group:${name}`,
    sameness: JSON.stringify({ name, gid }),
    atoms: [{ atom: 'group', name }],
    plan: (world) => plan(desired, world),
  }
}

function plan({ name, gid, system }: GroupDesired, world: World): Planned {
  const fact = world.group(name)
  if (fact.is === 'unreadable') return refused(fact.problem)
  if (fact.is === 'present') return compare(name, gid, fact.state, world)

  if (gid !== undefined) {
    const taken = isTaken('gid', gid, name, world.groups())
    if (taken !== undefined) return refused(taken)
  }
  const missing = makerMissing('group', name, world.host)
  if (missing !== undefined) return refused(missing)
  const id: Value<number> = gid === undefined ? unknown({ after: `group:${name}`, field: 'gid' }) : known(gid)
  return {
    is: 'change',
    differences: differencesOfNew('group', [['gid', showId(id)]]),
    ops: [{ op: 'group-add', name, system, ...(gid === undefined ? {} : { gid }) }],
    effects: [
      {
        set: 'group',
        key: name,
        fact: { is: 'present', state: { gid: id, members: [], primaryOf: [], source: 'local' } },
      },
    ],
    disruptive: false,
    provisional: false,
  }
}

function compare(name: string, gid: number | undefined, state: GroupState, world: World): Planned {
  if (state.source === 'nss') return refused(remoteAccount('group', name))
  if (!state.gid.known) return { is: 'same' }
  if (gid !== undefined && gid !== state.gid.value) {
    return refused(
      problem(
        'resource.id',
        name,
        `expected the group ${name} to have gid ${String(gid)}, found ${String(state.gid.value)}`,
        'A gid is never changed, since files keep the old one: unpin it, or renumber by hand.',
      ),
    )
  }
  const shared = isTaken('gid', state.gid.value, name, world.groups())
  return shared === undefined ? { is: 'same' } : refused(shared)
}
