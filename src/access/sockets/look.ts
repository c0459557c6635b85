import type { Check, KmsSocket } from '../../model/access.ts'
import type { Fact, PathState, Snapshot } from '../../model/facts.ts'
import type { HeldState } from '../../model/process.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { showMode } from '../../resources/common/mode.ts'
import { accountsOf } from '../actors/accounts.ts'
import type { Users } from './users.ts'

/** What a socket and its holder were like at one moment. */
export interface Look {
  readonly held: HeldState
  readonly file: Fact<PathState> | undefined
  readonly snapshot: Snapshot
}

const missing: HeldState = { answer: 'unknown', detail: 'the host did not answer', connections: [] }

/** What is asked before a socket is spoken to, and once more while the connection is there. */
export function lookAtoms({ path, heldBy, usedBy, group }: KmsSocket, users: Users): readonly ReadAtom[] {
  const { holder, user } = users
  const names = [holder.user, user.user].filter((name) => !/^[0-9]+$/.test(name))
  return [
    ...(holder.running === undefined
      ? []
      : [{ atom: 'process', key: heldBy, of: holder.running } satisfies ReadAtom]),
    ...(user.running === undefined
      ? []
      : [{ atom: 'process', key: usedBy, of: user.running } satisfies ReadAtom]),
    ...[...new Set(names)].map((name): ReadAtom => ({ atom: 'user', name })),
    ...(/^[0-9]+$/.test(group) ? [] : [{ atom: 'group', name: group } satisfies ReadAtom]),
    { atom: 'path', path },
    ...(holder.running === undefined
      ? []
      : [{ atom: 'held', key: path, path, process: heldBy } satisfies ReadAtom]),
  ]
}

export function lookOf({ path }: KmsSocket, snapshot: Snapshot): Look {
  return { held: snapshot.held.get(path) ?? missing, file: snapshot.paths.get(path), snapshot }
}

/** `DEV:INO` of the socket; undefined where none stands there. */
export function inodeOf({ file }: Look): string | undefined {
  if (file?.is !== 'present' || file.state.type !== 'socket') return undefined
  const { device, inode } = file.state
  return device === undefined || inode === undefined ? undefined : `${device}:${inode}`
}

/** Who listens, and what the file that leads to it is like. */
export function lookChecks(socket: KmsSocket, look: Look, { holder }: Users): readonly Check[] {
  const { path, heldBy, group, mode, source } = socket
  const check = (expected: string, verdict: Check['verdict'], finding: string): Check => ({
    ...{ subject: path, expected, verdict, finding, source },
  })
  const verdicts = { yes: 'pass', no: 'violated', unknown: 'unknown' } as const
  const listens = check(
    `a process of ${heldBy} listens there`,
    verdicts[look.held.answer],
    look.held.answer === 'yes' ? '' : look.held.detail,
  )
  const says = `it is a socket of ${holder.user}:${group} with mode ${showMode(mode)}`
  if (look.file?.is !== 'present') return [listens, check(says, 'violated', 'nothing is there')]
  const { type, uid, gid, mode: found } = look.file.state
  if (type !== 'socket') return [listens, check(says, 'violated', `found a ${type}`)]
  const accounts = accountsOf(look.snapshot)
  const numbers = [accounts.uid(holder.user), accounts.gid(group)]
  const owner = uid.known ? (accounts.userName(uid.value) ?? String(uid.value)) : '?'
  const owning = gid.known ? (accounts.groupName(gid.value) ?? String(gid.value)) : '?'
  const right = uid.known && gid.known && uid.value === numbers[0] && gid.value === numbers[1]
  return [
    listens,
    right && found === mode
      ? check(says, 'pass', '')
      : check(says, 'violated', `found ${owner}:${owning} with mode ${showMode(found)}`),
  ]
}

/** Was it one socket of one provider all the time, and is it that provider that took the connection? */
export function stayedCheck(
  { path, heldBy, source }: KmsSocket,
  before: Look,
  during: Look,
  connected: boolean,
): Check {
  const expected = `it was the same socket all the time, and ${heldBy} took the connection`
  const check = (verdict: Check['verdict'], finding: string): Check => ({
    ...{ subject: path, expected, verdict, finding, source },
  })
  if (inodeOf(before) !== inodeOf(during))
    return check('violated', 'another socket stood there at the end than at the start')
  if (during.held.answer !== 'yes') {
    return check(during.held.answer === 'no' ? 'violated' : 'unknown', `at the end ${during.held.detail}`)
  }
  const known = new Set(before.held.connections)
  if (connected && during.held.connections.every((each) => known.has(each)))
    return check('violated', `something answered, and ${heldBy} has got no connection by that`)
  return check('pass', '')
}
