import type { HostState, UserState } from '../../model/facts.ts'
import type { Problem } from '../../model/problem.ts'
import type { Difference, Effect, Planned, Resource, World } from '../../model/resource.ts'
import { known, unknown, type Value } from '../../model/value.ts'
import type { WriteOp } from '../../model/wire.ts'
import { isTaken, remoteAccount, makerMissing } from '../common/account.ts'
import { isNumeric } from '../common/account-name.ts'
import { sameValue } from '../common/compare.ts'
import { resolveGroup } from '../common/owner.ts'
import { problem, refused } from '../common/result.ts'
import { difference, differencesOfNew, showId } from '../common/show.ts'

/** A local account that nobody logs in to: its password never matches. */
export interface UserDesired {
  readonly name: string
  /** Pinned id; undefined: the host chooses, and any that is there is right. */
  readonly uid?: number | undefined
  /** Primary group: a name, or a decimal gid. It must exist, or be made earlier in the run. */
  readonly group: string
  readonly gecos: string
  readonly home: string
  readonly shell: string
  /** Take the id from the range of system accounts. */
  readonly system: boolean
}

export function userResource(desired: UserDesired): Resource {
  const { name, uid, group, gecos, home, shell } = desired
  return {
    id: `user:${name}`,
    subject: `user:${name}`,
    sameness: JSON.stringify({ name, uid, group, gecos, home, shell }),
    atoms: [{ atom: 'user', name }, ...(isNumeric(group) ? [] : [{ atom: 'group', name: group } as const])],
    plan: (world) => plan(desired, world),
  }
}

function plan(desired: UserDesired, world: World): Planned {
  const gid = resolveGroup(desired.group, world)
  if (!gid.ok) return refused(gid.problem)
  const fact = world.user(desired.name)
  if (fact.is === 'unreadable') return refused(fact.problem)
  return fact.is === 'absent'
    ? make(desired, gid.value, world)
    : compare(desired, gid.value, fact.state, world)
}

function make(desired: UserDesired, gid: Value<number>, world: World): Planned {
  const { name, uid, group, gecos, home, shell, system } = desired
  if (uid !== undefined) {
    const taken = isTaken('uid', uid, name, world.users())
    if (taken !== undefined) return refused(taken)
  }
  const missing = makerMissing('user', name, world.host)
  if (missing !== undefined) return refused(missing)
  const id: Value<number> = uid === undefined ? unknown({ after: `user:${name}`, field: 'uid' }) : known(uid)
  return {
    is: 'change',
    differences: differencesOfNew('user', [
      ['uid', showId(id)],
      ['group', group],
      ...(gecos === '' ? [] : ([['gecos', gecos]] as const)),
      ['home', home],
      ['shell', shell],
      ['password', 'locked'],
    ]),
    ops: [
      {
        op: 'user-add',
        name,
        group,
        gecos,
        home,
        shell,
        system,
        ...(uid === undefined ? {} : { uid }),
      },
    ],
    effects: [
      predict(name, { uid: id, gid, gecos, home, shell, password: 'locked', source: 'local' }),
      ...joinPrimary(name, group, world),
    ],
    disruptive: false,
    provisional: false,
  }
}

/** Whose primary group it is belongs to it. */
function joinPrimary(name: string, group: string, world: World): readonly Effect[] {
  const fact = world.group(group)
  if (fact.is !== 'present') return []
  const state = { ...fact.state, primaryOf: [...fact.state.primaryOf, name] }
  return [{ set: 'group', key: group, fact: { is: 'present', state } }]
}

function compare(desired: UserDesired, gid: Value<number>, state: UserState, world: World): Planned {
  const { name, uid, group } = desired
  if (state.source === 'nss') return refused(remoteAccount('user', name))
  if (uid !== undefined && state.uid.known && state.uid.value !== uid) {
    return refused(
      problem(
        'resource.id',
        name,
        `expected the user ${name} to have uid ${String(uid)}, found ${String(state.uid.value)}`,
        'A uid is never changed, since files keep the old one: unpin it, or renumber by hand.',
      ),
    )
  }
  const shared = state.uid.known ? isTaken('uid', state.uid.value, name, world.users()) : undefined
  if (shared !== undefined) return refused(shared)
  if (!sameValue(state.gid, gid)) {
    const found = state.gid.known ? `gid ${String(state.gid.value)}` : 'another one'
    return refused(
      problem(
        'resource.id',
        name,
        `expected the primary group of ${name} to be ${group}, found ${found}`,
        'A primary group is never changed, since files and processes keep the old one: change it by hand.',
      ),
    )
  }
  return mend(desired, state, world.host)
}

function mend(desired: UserDesired, state: UserState, host: HostState): Planned {
  const { name, gecos, home, shell } = desired
  const lock = state.password === 'set' || state.password === 'empty'
  const differences: readonly Difference[] = [
    ...(state.gecos === gecos ? [] : [difference('gecos', state.gecos, gecos)]),
    ...(state.home === home ? [] : [difference('home', state.home, home)]),
    ...(state.shell === shell ? [] : [difference('shell', state.shell, shell)]),
    ...(lock ? [difference('password', state.password, 'locked')] : []),
  ]
  if (differences.length === 0) return { is: 'same' }
  const [changed] = differences.filter(({ attribute }) => attribute !== 'password')
  if (changed !== undefined && !host.tools.has('usermod')) return refused(unchangeable(name, changed))
  const op: WriteOp = {
    op: 'user-set',
    name,
    ...(state.gecos === gecos ? {} : { gecos }),
    ...(state.home === home ? {} : { home }),
    ...(state.shell === shell ? {} : { shell }),
    ...(lock ? { lock: true } : {}),
  }
  return {
    is: 'change',
    differences,
    ops: [op],
    effects: [predict(name, { ...state, gecos, home, shell, password: lock ? 'locked' : state.password })],
    disruptive: false,
    provisional: false,
  }
}

/** busybox has nothing that changes an account but its password. */
function unchangeable(name: string, { attribute }: Difference): Problem {
  return problem(
    'resource.tool-missing',
    name,
    `expected usermod on the host to change the ${attribute} of ${name}, found none`,
    'Change the line in /etc/passwd by hand, or install the `shadow` package.',
  )
}

function predict(key: string, state: UserState): Effect {
  return { set: 'user', key, fact: { is: 'present', state } }
}
