import type { GroupState, UserState } from '../../model/facts.ts'
import type { Effect, Planned, Resource, World } from '../../model/resource.ts'
import type { WriteOp } from '../../model/wire.ts'
import { isTaken, otherAccount, otherId, remoteAccount, removerMissing } from '../common/account.ts'
import { isNumeric } from '../common/account-name.ts'
import { refused } from '../common/result.ts'
import { difference } from '../common/show.ts'
import type { UserDesired } from './user.ts'

/**
 * There is no such user, nor the group of its name where nobody else belongs to that. Only the very account that was
 * made with these attributes is removed. What it owns stays.
 */
export function absentUserResource(made: UserDesired): Resource {
  const { name, uid, group, gecos, home, shell } = made
  return {
    id: `absent-user:${name}`,
    subject: `user:${name}`,
    sameness: JSON.stringify({ name, uid, group, gecos, home, shell }),
    atoms: [{ atom: 'user', name }, ...(isNumeric(group) ? [] : [{ atom: 'group', name: group } as const])],
    plan: (world) => plan(made, world),
  }
}

function plan(made: UserDesired, world: World): Planned {
  const { name } = made
  const fact = world.user(name)
  if (fact.is === 'unreadable') return refused(fact.problem)
  if (fact.is === 'absent') return { is: 'same' }
  const { state } = fact
  if (state.source === 'nss') return refused(remoteAccount('user', name))
  const other = otherUser(made, state, world)
  if (other !== undefined || !state.uid.known) {
    return refused(otherAccount('user', name, other ?? 'one of this run'))
  }
  const hindrance =
    isTaken('uid', state.uid.value, name, world.users()) ?? removerMissing('user', name, world.host)
  if (hindrance !== undefined) return refused(hindrance)
  const own = ownGroup(name, state, world)
  const ops: readonly WriteOp[] = [
    { op: 'user-remove', name, uid: state.uid.value },
    ...(own === undefined ? [] : [{ op: 'group-remove', name, gid: own } as const]),
  ]
  return {
    is: 'change',
    differences: [
      difference('state', 'user', 'absent'),
      ...(own === undefined ? [] : [difference('group', name, 'absent')]),
    ],
    ops,
    effects: [
      { set: 'user', key: name, fact: { is: 'absent' } },
      ...left(name, world),
      ...(own === undefined ? [] : [{ set: 'group', key: name, fact: { is: 'absent' } } as const]),
    ],
    disruptive: false,
    provisional: false,
  }
}

/** The first thing about an account that was not made so. */
function otherUser(made: UserDesired, state: UserState, world: World): string | undefined {
  const { uid, group, gecos, home, shell, system } = made
  const id = otherId('uid', state.uid, { pinned: uid, system })
  if (id !== undefined) return id
  const primary = isNumeric(group) ? Number(group) : gidOf(group, world)
  if (!state.gid.known || state.gid.value !== primary) return `another primary group than ${group}`
  if (state.gecos !== gecos) return `the gecos ${JSON.stringify(state.gecos)}`
  if (state.home !== home) return `the home ${state.home}`
  if (state.shell !== shell) return `the shell ${state.shell}`
  return state.password === 'locked' ? undefined : `its password ${state.password}`
}

function gidOf(group: string, world: World): number | undefined {
  const fact = world.group(group)
  return fact.is === 'present' && fact.state.gid.known ? fact.state.gid.value : undefined
}

/** Gid of the group that goes with the user: that of its name, where it is its primary one and no one else's. */
function ownGroup(name: string, { gid }: UserState, world: World): number | undefined {
  const fact = world.group(name)
  if (fact.is !== 'present' || fact.state.source === 'nss') return undefined
  const { state } = fact
  if (!gid.known || !state.gid.known || state.gid.value !== gid.value) return undefined
  return [...state.members, ...state.primaryOf].every((user) => user === name) ? gid.value : undefined
}

/** The groups that it belonged to. */
function left(name: string, world: World): readonly Effect[] {
  return [...world.groups()].flatMap(([key, fact]): readonly Effect[] => {
    if (fact.is !== 'present') return []
    const without = (users: readonly string[]): readonly string[] => users.filter((user) => user !== name)
    const state: GroupState = {
      ...fact.state,
      members: without(fact.state.members),
      primaryOf: without(fact.state.primaryOf),
    }
    const belonged = fact.state.members.includes(name) || fact.state.primaryOf.includes(name)
    return belonged ? [{ set: 'group', key, fact: { is: 'present', state } }] : []
  })
}
