import type { GroupState } from '../../model/facts.ts'
import type { Planned, Resource, World } from '../../model/resource.ts'
import { remoteAccount } from '../common/account.ts'
import { problem, refused } from '../common/result.ts'
import { difference, showNames } from '../common/show.ts'
import type { Problem } from '../../model/problem.ts'

/**
 * Who belongs to a group. A resource apart from the group, since its members are made after it, and the
 * group itself is often their primary one.
 */
export interface MembershipDesired {
  readonly group: string
  readonly members: readonly string[]
  /** True: nobody else belongs to it. False: these at least do. */
  readonly exact: boolean
}

export function membershipResource({ group, members, exact }: MembershipDesired): Resource {
  const desired = { group, members: [...new Set(members)].toSorted(), exact }
  return {
    id: `membership:${group}`,
    sameness: JSON.stringify(desired),
    atoms: [
      { atom: 'group', name: group },
      ...desired.members.map((name) => ({ atom: 'user', name }) as const),
    ],
    plan: (world) => plan(desired, world),
  }
}

function plan({ group, members, exact }: MembershipDesired, world: World): Planned {
  const fact = world.group(group)
  if (fact.is === 'unreadable') return refused(fact.problem)
  if (fact.is === 'absent') return refused(missing('group', group))
  const { state } = fact
  if (state.source === 'nss') return refused(remoteAccount('group', group))
  for (const member of members) {
    const user = world.user(member)
    if (user.is === 'unreadable') return refused(user.problem)
    if (user.is === 'absent') return refused(missing('user', member))
  }

  const belong = everyone(state)
  const add = members.filter((member) => !belong.includes(member))
  const extra = exact ? belong.filter((member) => !members.includes(member)) : []
  const fixed = extra.find((member) => state.primaryOf.includes(member))
  if (fixed !== undefined) return refused(primary(group, fixed))
  if (add.length === 0 && extra.length === 0) return { is: 'same' }
  const left = state.members.filter((member) => !extra.includes(member))
  const then: GroupState = { ...state, members: [...left, ...add] }
  return {
    is: 'change',
    differences: [difference('members', showNames(belong), showNames(everyone(then)))],
    ops: [{ op: 'group-members', name: group, add, remove: extra }],
    effects: [{ set: 'group', key: group, fact: { is: 'present', state: then } }],
    disruptive: false,
    provisional: false,
  }
}

/** Members by the group's own line and by primary gid; to the kernel there is no difference. */
function everyone(state: GroupState): readonly string[] {
  return [...new Set([...state.members, ...state.primaryOf])].toSorted()
}

function primary(group: string, user: string): Problem {
  return problem(
    'resource.member',
    group,
    `expected ${user} not to belong to the group ${group}, found it as the primary group of ${user}`,
    `Give ${user} another primary group by hand, or list it among the members.`,
  )
}

function missing(kind: 'user' | 'group', name: string): Problem {
  return problem(
    'resource.unknown-account',
    name,
    `expected the ${kind} ${name} to exist, found no such ${kind}`,
    `Add a \`${kind}\` or \`sysusers\` task for ${name} before this one.`,
  )
}
