import type { PathState } from '../../model/facts.ts'
import type { Difference, World } from '../../model/resource.ts'
import { known, type Value } from '../../model/value.ts'
import type { Ownership, ReadAtom } from '../../model/wire.ts'
import { isNumeric } from './account-name.ts'
import { sameValue } from './compare.ts'
import { showMode } from './mode.ts'
import { failure, problem, success, type Result } from './result.ts'
import { difference } from './show.ts'

/** Numeric owner and group, as far as they are known. */
export interface Ids {
  readonly uid: Value<number>
  readonly gid: Value<number>
}

/** What must be asked to resolve an owner and a group. */
export function ownerAtoms({ owner, group }: Ownership): readonly ReadAtom[] {
  return [
    ...(isNumeric(owner) ? [] : [{ atom: 'user', name: owner } as const]),
    ...(isNumeric(group) ? [] : [{ atom: 'group', name: group } as const]),
  ]
}

/** Ids of an owner and a group; an account made earlier in the run satisfies, its id is then unknown. */
export function resolveIds({ owner, group }: Ownership, world: World): Result<Ids> {
  const uid = resolveUser(owner, world)
  if (!uid.ok) return uid
  const gid = resolveGroup(group, world)
  if (!gid.ok) return gid
  return success({ uid: uid.value, gid: gid.value })
}

export function resolveUser(owner: string, world: World): Result<Value<number>> {
  if (isNumeric(owner)) return success(known(Number(owner)))
  const fact = world.user(owner)
  if (fact.is === 'present') return success(fact.state.uid)
  return failure(fact.is === 'unreadable' ? fact.problem : missing('user', owner))
}

export function resolveGroup(group: string, world: World): Result<Value<number>> {
  if (isNumeric(group)) return success(known(Number(group)))
  const fact = world.group(group)
  if (fact.is === 'present') return success(fact.state.gid)
  return failure(fact.is === 'unreadable' ? fact.problem : missing('group', group))
}

/** Owner, group, mode, extra ACL entries and label, each where it differs. */
export function ownershipDifferences(
  state: PathState,
  to: Ownership,
  ids: Ids,
  world: World,
): readonly Difference[] {
  return [
    ...(sameValue(state.uid, ids.uid)
      ? []
      : [difference('owner', showUser(state.uid, to.owner, world), to.owner)]),
    ...(sameValue(state.gid, ids.gid)
      ? []
      : [difference('group', showGroup(state.gid, to.group, world), to.group)]),
    ...(state.mode === to.mode ? [] : [difference('mode', showMode(state.mode), showMode(to.mode))]),
    // `unknown` is no difference: a host without ACL tools would never come to rest.
    ...(state.acl === 'present' ? [difference('acl', showAcl(state), 'none')] : []),
    ...(to.label === undefined || state.label === undefined || state.label === to.label
      ? []
      : [difference('label', state.label, to.label)]),
  ]
}

function showAcl(state: PathState): string {
  const entries = state.aclEntries ?? []
  return entries.length === 0 ? 'present' : entries.join(',')
}

/** A name where there is one and a name was asked for; the bare number otherwise. */
function showUser(uid: Value<number>, asked: string, world: World): string {
  if (isNumeric(asked) && uid.known) return String(uid.value)
  for (const [name, fact] of world.users()) {
    if (fact.is === 'present' && sameValue(fact.state.uid, uid)) return name
  }
  return uid.known ? String(uid.value) : `(known after ${uid.after})`
}

function showGroup(gid: Value<number>, asked: string, world: World): string {
  if (isNumeric(asked) && gid.known) return String(gid.value)
  for (const [name, fact] of world.groups()) {
    if (fact.is === 'present' && sameValue(fact.state.gid, gid)) return name
  }
  return gid.known ? String(gid.value) : `(known after ${gid.after})`
}

function missing(kind: 'user' | 'group', name: string): ReturnType<typeof problem> {
  return problem(
    'resource.unknown-account',
    name,
    `expected the ${kind} ${name} to exist, found no such ${kind}`,
    `Add a \`${kind}\` or \`sysusers\` task for ${name} before this one.`,
  )
}
