import type { Planned, Resource, World } from '../../model/resource.ts'
import { isTaken, otherAccount, otherId, remoteAccount, removerMissing } from '../common/account.ts'
import { refused } from '../common/result.ts'
import { difference, showNames } from '../common/show.ts'
import type { GroupDesired } from './group.ts'

/** There is no such group. One that is a user's primary group, or not the one that was made, is not removed. */
export function absentGroupResource(made: GroupDesired): Resource {
  const { name, gid } = made
  return {
    id: `absent-group:${name}`,
    subject: `group:${name}`,
    sameness: JSON.stringify({ name, gid }),
    atoms: [{ atom: 'group', name }],
    plan: (world) => plan(made, world),
  }
}

function plan({ name, gid, system }: GroupDesired, world: World): Planned {
  const fact = world.group(name)
  if (fact.is === 'unreadable') return refused(fact.problem)
  if (fact.is === 'absent') return { is: 'same' }
  const { state } = fact
  if (state.source === 'nss') return refused(remoteAccount('group', name))
  const other = otherId('gid', state.gid, { pinned: gid, system })
  if (other !== undefined || !state.gid.known) {
    return refused(otherAccount('group', name, other ?? 'one of this run'))
  }
  if (state.primaryOf.length > 0) {
    return refused(
      otherAccount('group', name, `that it is the primary group of ${showNames(state.primaryOf)}`),
    )
  }
  const hindrance =
    isTaken('gid', state.gid.value, name, world.groups()) ?? removerMissing('group', name, world.host)
  if (hindrance !== undefined) return refused(hindrance)
  return {
    is: 'change',
    differences: [
      difference('state', 'group', 'absent'),
      ...(state.members.length === 0 ? [] : [difference('members', showNames(state.members), 'none')]),
    ],
    ops: [{ op: 'group-remove', name, gid: state.gid.value }],
    effects: [{ set: 'group', key: name, fact: { is: 'absent' } }],
    disruptive: false,
    provisional: false,
  }
}
