import type { Problem } from '../../model/problem.ts'
import type { Resource, World } from '../../model/resource.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { isNumeric } from '../common/account-name.ts'
import { resolveGroup, resolveUser } from '../common/owner.ts'
import { problem, refused } from '../common/result.ts'
import { showNames } from '../common/show.ts'

/** Who may do what, by account: a name of the host, or a number that no account of the host may have. */
export interface Split {
  readonly provider: string
  readonly credentials: string
  readonly socket: string
  /** Undefined where the API server is root, which no group keeps out. */
  readonly apiServer?: string | undefined
}

/**
 * Refused before any change where the groups that keep credentials from the API server would not. What an account is
 * like already counts, predicted ones included; one that is yet to be made is as this run makes it.
 */
export function splitResource(split: Split): Resource {
  const { provider, credentials, socket, apiServer } = split
  const users = [provider, ...(apiServer === undefined ? [] : [apiServer])].filter((name) => !isNumeric(name))
  const groups = [credentials, socket].filter((name) => !isNumeric(name))
  const atoms: readonly ReadAtom[] = [
    ...users.map((name) => ({ atom: 'user', name }) as const),
    ...groups.map((name) => ({ atom: 'group', name }) as const),
  ]
  return {
    id: `split:${socket}`,
    sameness: JSON.stringify(split),
    atoms,
    plan: (world) => {
      const broken = splitProblem(split, world)
      return broken === undefined ? { is: 'same' } : refused(broken)
    },
  }
}

function splitProblem(split: Split, world: World): Problem | undefined {
  return (
    takenNumber('user', split.provider, world) ??
    takenNumber('group', split.credentials, world) ??
    oneGid(split, world) ??
    apiServerProblem(split, world)
  )
}

/** A number is the pod's own: an account of the host with it would own what the pod owns. */
function takenNumber(kind: 'user' | 'group', id: string, world: World): Problem | undefined {
  if (!isNumeric(id)) return undefined
  const held = (field: 'uid' | 'gid'): readonly string[] => {
    const found = kind === 'user' ? world.users() : world.groups()
    return [...found].flatMap(([name, fact]) => {
      if (fact.is !== 'present') return []
      const value = field === 'gid' || !('uid' in fact.state) ? fact.state.gid : fact.state.uid
      return value.known && String(value.value) === id ? [name] : []
    })
  }
  const field = kind === 'user' ? 'uid' : 'gid'
  const names = held(field)
  // A user may have the number for its primary group without any group having it.
  const primary =
    kind === 'group'
      ? [...world.users()].flatMap(([name, fact]) =>
          fact.is === 'present' && fact.state.gid.known && String(fact.state.gid.value) === id ? [name] : [],
        )
      : []
  if (names.length + primary.length === 0) return undefined
  return problem(
    'resource.id',
    id,
    `expected no account of the host to have the ${field} ${id}, found ${showNames([...names, ...primary])}`,
    `The pod runs with ${field} ${id}: give the account another one by hand, or set another for the pod.`,
  )
}

function oneGid({ credentials, socket }: Split, world: World): Problem | undefined {
  const [left, right] = [resolveGroup(credentials, world), resolveGroup(socket, world)]
  if (!left.ok || !right.ok || !left.value.known || !right.value.known) return undefined
  if (left.value.value !== right.value.value) return undefined
  return problem(
    'resource.split',
    socket,
    `expected ${credentials} and ${socket} to be two groups, found the gid ${String(left.value.value)} for both`,
    'To the kernel they are one: who reaches the socket could read credentials. Give one of them another gid by hand.',
  )
}

function apiServerProblem(
  { credentials, socket, apiServer, provider }: Split,
  world: World,
): Problem | undefined {
  const fact = apiServer === undefined ? undefined : world.user(apiServer)
  if (apiServer === undefined || fact?.is !== 'present') return undefined
  const uid = resolveUser(provider, world)
  if (uid.ok && uid.value.known && fact.state.uid.known && uid.value.value === fact.state.uid.value) {
    return broken(apiServer, `not to be the provider's account`, `that it has the uid of ${provider}`)
  }
  for (const group of [credentials, socket]) {
    const gid = resolveGroup(group, world)
    const primary = fact.state.gid
    if (gid.ok && gid.value.known && primary.known && gid.value.value === primary.value) {
      return broken(apiServer, `to have a primary group of its own`, `the group ${group}`)
    }
  }
  const readers = isNumeric(credentials) ? undefined : world.group(credentials)
  if (readers?.is === 'present' && readers.state.members.includes(apiServer)) {
    return broken(apiServer, `not to belong to ${credentials}`, `it among its members`)
  }
  return undefined
}

function broken(apiServer: string, expected: string, found: string): Problem {
  return problem(
    'resource.split',
    apiServer,
    `expected ${apiServer}, as which the API server runs, ${expected}, found ${found}`,
    'The API server may reach the socket and must not read credentials: change the account by hand, then run again.',
  )
}
