import type { ActingIdentity } from '../../model/access.ts'
import { capabilities } from './capabilities.ts'
import type { Capability } from './capabilities.ts'
import { decide, has, inGroup } from './decide.ts'
import type { AclEntry, Row } from './row.ts'
import { aclSubject, showBits, showEntry, showGroup, showUser, shownPath } from './words.ts'
import type { Names } from './words.ts'

/** One small change, to be tried on the evaluator before it is told to anyone. */
interface Change {
  readonly who: ActingIdentity
  readonly row: Row
  /** Stands behind `if`. */
  readonly words: string
}

interface Question {
  readonly who: ActingIdentity
  readonly path: string
  readonly row: Row
  readonly want: number
  readonly names: Names
}

/** chmod: with an ACL the group digit is its mask. */
function withMode(row: Row, mode: number): Row {
  const group = (mode >> 3) & 7
  const { acl } = row
  if (typeof acl === 'string') return { ...row, mode }
  if (acl.mask !== undefined) return { ...row, mode, acl: { ...acl, mask: group } }
  return { ...row, mode, acl: { entries: acl.entries.map((entry) => ({ ...entry, bits: group })) } }
}

/** setfacl computes the mask anew: all that any entry but the owner's and others' has. */
function withEntries(row: Row, entries: readonly AclEntry[]): Row {
  const mask = entries.reduce((all, { bits }) => all | bits, 0)
  return { ...row, mode: (row.mode & ~0o070) | (mask << 3), acl: { entries, mask } }
}

function withGroup(who: ActingIdentity, gid: number): ActingIdentity {
  return { ...who, groups: [...who.groups, gid] }
}

function withoutGroup(who: ActingIdentity, gid: number): ActingIdentity {
  const groups = who.groups.filter((each) => each !== gid)
  // the primary group is put to nobody's: -1 is no gid
  return { ...who, gid: who.gid === gid ? -1 : who.gid, groups }
}

function letters(bits: number): string {
  return showBits(bits).replaceAll('-', '')
}

function entriesOf({ acl }: Row): readonly AclEntry[] {
  return typeof acl === 'string' ? [] : acl.entries
}

/** Groups that the row names: its own first. */
function groupsOf(row: Row): readonly number[] {
  const named = entriesOf(row).flatMap(({ of, id }) => (of === 'group' && id !== undefined ? [id] : []))
  return [...new Set([row.gid, ...named])]
}

function entryChanges(question: Question, granting: boolean): readonly Change[] {
  const { who, row, want, path, names } = question
  const entries = entriesOf(row)
  const user = entries.find(({ of, id }) => of === 'user' && id === who.uid)
  if (user === undefined || row.uid === who.uid) return []
  const entry = { ...user, bits: granting ? user.bits | want : user.bits & ~want }
  const others = entries.filter((each) => each !== user)
  const subject = aclSubject(user, names)
  const changed: Change = {
    who,
    row: withEntries(row, [entry, ...others]),
    words:
      `the ACL entry ${showEntry(user, names)} were ${showEntry(entry, names)}: ` +
      `setfacl -m ${subject}:${showBits(entry.bits)} ${shownPath(path)}`,
  }
  const removed: Change = {
    who,
    row: withEntries(row, others),
    words: `the ACL entry ${showEntry(user, names)} were removed: setfacl -x ${subject} ${shownPath(path)}`,
  }
  return [removed, changed]
}

function maskChanges({ who, row, want, path }: Question): readonly Change[] {
  if (typeof row.acl === 'string' || row.acl.mask === undefined) return []
  const mask = row.acl.mask | want
  const words = `the ACL's mask were ${showBits(mask)}, not ${showBits(row.acl.mask)}: setfacl -m mask::${showBits(mask)} ${shownPath(path)}`
  return [{ who, row: withMode(row, row.mode | (mask << 3)), words }]
}

function chmod(question: Question, digits: readonly ('u' | 'g' | 'o')[], sign: '+' | '-'): Change {
  const { who, row, want, path } = question
  const shifts = { u: 6, g: 3, o: 0 } as const
  const bits = digits.reduce((all, digit) => all | (want << shifts[digit]), 0)
  const mode = sign === '+' ? row.mode | bits : row.mode & ~bits
  const classes = digits
    .map((digit) => ({ u: 'its owner', g: 'its group', o: 'others' })[digit])
    .join(' and ')
  const gave = sign === '+' ? 'gave' : 'did not give'
  const words = `the mode ${gave} ${classes} ${letters(want)}: chmod ${digits.join('')}${sign}${letters(want)} ${shownPath(path)}`
  return { who, row: withMode(row, mode), words }
}

function* granting(question: Question): Generator<Change> {
  const { who, row, names } = question
  const subject = showUser(who.uid, names)
  if (who.uid === row.uid) {
    yield chmod(question, ['u'], '+')
    return
  }
  yield* maskChanges(question)
  yield* entryChanges(question, true)
  for (const gid of groupsOf(row)) {
    if (!inGroup(who, gid)) {
      yield { who: withGroup(who, gid), row, words: `${subject} were in group ${showGroup(gid, names)}` }
    }
  }
  yield chmod(question, ['g'], '+')
  if (!inGroup(who, row.gid)) {
    const { row: opened, words } = chmod(question, ['g'], '+')
    const joined = `${subject} were in group ${showGroup(row.gid, names)} and ${words}`
    yield { who: withGroup(who, row.gid), row: opened, words: joined }
  }
  yield chmod(question, ['o'], '+')
}

function* denying(question: Question): Generator<Change> {
  const { who, row, path, names } = question
  const subject = showUser(who.uid, names)
  const powers = (['CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH'] satisfies Capability[]).filter((each) =>
    has(who, each),
  )
  for (const taken of [...powers.map((each) => [each]), powers]) {
    if (taken.length === 0) continue
    const left = new Set(who.capabilities)
    for (const each of taken) left.delete(capabilities[each])
    const words = `${subject} had no ${taken.join(' and no ')}`
    yield { who: { ...who, capabilities: left }, row, words }
  }
  yield* entryChanges(question, false)
  for (const gid of groupsOf(row)) {
    if (inGroup(who, gid)) {
      const words = `${subject} were not in group ${showGroup(gid, names)}`
      yield { who: withoutGroup(who, gid), row, words }
    }
  }
  if (row.uid === who.uid) {
    yield {
      who,
      row: { ...row, uid: -1 },
      words: `it belonged to another user: chown root ${shownPath(path)}`,
    }
    yield chmod(question, ['u'], '-')
  }
  for (const digits of [['g'], ['o'], ['g', 'o']] as const) yield chmod(question, digits, '-')
}

/**
 * The smallest change of group, ACL, mode or capability that turns the decision around, each tried before it is told.
 * Undefined where none of them does alone.
 */
export function turning(question: Question): string | undefined {
  const { who, row, want } = question
  const now = decide(who, row, want).is
  if (now === 'unknown') return undefined
  const wanted = now === 'allowed' ? 'denied' : 'allowed'
  for (const change of now === 'allowed' ? denying(question) : granting(question)) {
    if (decide(change.who, change.row, want).is === wanted) return change.words
  }
  return undefined
}
