import type { Fact, GroupState, HostState, UserState } from '../../model/facts.ts'
import type { Problem } from '../../model/problem.ts'
import type { Value } from '../../model/value.ts'
import { problem } from './result.ts'

/**
 * Why an id cannot be the one of `name`: another name has it. Two names on one id are one account to the
 * kernel, whatever their names promise.
 */
export function isTaken(
  field: 'uid' | 'gid',
  id: number,
  name: string,
  accounts: ReadonlyMap<string, Fact<UserState | GroupState>>,
): Problem | undefined {
  for (const [other, fact] of accounts) {
    if (other === name || fact.is !== 'present') continue
    const theirs = field === 'gid' || !('uid' in fact.state) ? fact.state.gid : fact.state.uid
    if (theirs.known && theirs.value === id) {
      return problem(
        'resource.id',
        name,
        `expected ${field} ${String(id)} to belong to ${name} alone, found that ${other} has it`,
        'Ids are never renumbered: choose another one, or give the other account a new one by hand.',
      )
    }
  }
  return undefined
}

/** Known to the name service only: local files must decide, or the directory server decides over root's files. */
export function remoteAccount(kind: 'user' | 'group', name: string): Problem {
  return problem(
    'resource.account-remote',
    name,
    `expected ${name} to be a local ${kind} or none, found it in the host's name service only`,
    'Choose another name, or remove the entry from the directory.',
  )
}

/** The last id of system accounts, where login.defs says nothing else; above it are people. */
const lastSystemId = 999

/**
 * Why an account with this id is not one that a role made: its id is another one than was pinned, or, where none was,
 * root's or a person's.
 */
export function otherId(
  field: 'uid' | 'gid',
  found: Value<number>,
  { pinned, system }: { readonly pinned: number | undefined; readonly system: boolean },
): string | undefined {
  const shown = found.known ? `${field} ${String(found.value)}` : `a new ${field}`
  if (!found.known) return shown
  if (pinned !== undefined) return found.value === pinned ? undefined : shown
  return found.value === 0 || (system && found.value > lastSystemId) ? shown : undefined
}

/** What removes an account: the shadow suite's program, or that of busybox. */
const removers = { group: ['groupdel', 'delgroup'], user: ['userdel', 'deluser'] } as const

/** Nothing that removes such an account is there. */
export function removerMissing(
  kind: keyof typeof removers,
  name: string,
  host: HostState,
): Problem | undefined {
  if (removers[kind].some((tool) => host.tools.has(tool))) return undefined
  return problem(
    'resource.tool-missing',
    name,
    `expected ${removers[kind].join(' or ')} on the host, found neither`,
    'Install the `passwd` (or `shadow`) package, or remove the account by hand.',
  )
}

/** An account that is not the one that shall go. */
export function otherAccount(kind: 'user' | 'group', name: string, found: string): Problem {
  return problem(
    'resource.account-other',
    name,
    `expected the ${kind} ${name} to be the one that was made, found ${found}`,
    'Say what it was made with, or remove it by hand if nobody needs it.',
  )
}

/** What makes an account where systemd-sysusers does not: the shadow suite's program, or that of busybox. */
const makers = {
  group: { shadow: 'groupadd', busybox: 'addgroup' },
  user: { shadow: 'useradd', busybox: 'adduser' },
} as const

/** No program that makes such an account is there. */
export function makerMissing(kind: keyof typeof makers, name: string, host: HostState): Problem | undefined {
  const { shadow, busybox } = makers[kind]
  // Debian has scripts of the same names that take other arguments, and need the shadow suite themselves.
  const byBusybox = host.tools.has('busybox') && host.tools.has(busybox)
  if (host.tools.has('systemd-sysusers') || host.tools.has(shadow) || byBusybox) return undefined
  return problem(
    'resource.tool-missing',
    name,
    `expected ${shadow}, systemd-sysusers or busybox's ${busybox} on the host, found none`,
    'Install the `passwd` (or `shadow`) package, or make the account when the image is built.',
  )
}
