import type { ActingIdentity, Action, Evaluation } from '../../model/access.ts'
import { has } from './decide.ts'
import { execute, read, search, write } from './row.ts'
import { missing, permission, refused, unknown } from './step.ts'
import type { Context, Finding } from './step.ts'
import { showRow, showType, showUser, shownPath } from './words.ts'
import type { Names } from './words.ts'
import { walk } from './walk.ts'
import type { Inode, Rows } from './walk.ts'

/** Nobody, whatever the capabilities, writes to a read-only mount. */
function onMount({ names }: Context, { path, state, row }: Inode): readonly Finding[] {
  if (state.readOnlyMount !== true) return []
  const otherwise = 'the mount were made writable'
  return [refused(path, 'a writable mount', 'it is on a read-only mount', showRow(row, names), otherwise)]
}

/** Nor changes what is immutable. */
function attributes({ names }: Context, { path, state, row }: Inode): readonly Finding[] {
  if (state.immutable !== true) return []
  const found = 'it has the immutable or append-only attribute'
  const otherwise = `that attribute were taken away: chattr -i -a ${shownPath(path)}`
  return [refused(path, 'no immutable attribute', found, showRow(row, names), otherwise)]
}

/** `check_sticky` of fs/namei.c. */
function stickyRule({ who, names }: Context, directory: Inode, object: Inode): readonly Finding[] {
  if ((directory.row.mode & 0o1000) === 0) return []
  const needs = 'to be the owner, because its directory is sticky'
  const row = showRow(object.row, names)
  const subject = showUser(who.uid, names)
  const owned =
    object.row.uid === who.uid
      ? `${subject} owns it`
      : directory.row.uid === who.uid
        ? `${subject} owns its directory`
        : has(who, 'CAP_FOWNER')
          ? 'the capability CAP_FOWNER overrides this'
          : undefined
  if (owned === undefined) {
    const owners = `it belongs to ${showUser(object.row.uid, names)}, its directory to ${showUser(directory.row.uid, names)}`
    return [refused(object.path, needs, owners, row, `it or its directory belonged to ${subject}`)]
  }
  return [{ is: 'allowed', step: { path: object.path, needs, allowed: true, decidedBy: owned, row } }]
}

/** `may_delete`: what renaming another object over this one needs. */
function replacing(context: Context, rows: Rows, path: string): readonly Finding[] {
  if (path === '/') {
    return [refused(path, 'a directory that holds it', 'the root directory cannot be replaced', '')]
  }
  const { findings, inode: object, directory } = walk(context, rows, path, false)
  if (object === undefined) return findings
  if (directory === undefined) {
    return [...findings, unknown(path, 'a directory that holds it', `${path} names no entry of a directory`)]
  }
  return [
    ...findings,
    permission(context, directory.path, directory.row, write | search),
    ...onMount(context, directory),
    ...attributes(context, directory),
    ...stickyRule(context, directory, object),
    ...attributes(context, object),
  ]
}

type OnInode = (context: Context, inode: Inode) => readonly Finding[]

function only(type: 'directory' | 'socket', then: OnInode): OnInode {
  return (context, inode) =>
    inode.row.type === type
      ? then(context, inode)
      : [
          missing(
            inode.path,
            `to be ${showType(type)}`,
            `it is ${showType(inode.row.type)}`,
            showRow(inode.row, context.names),
          ),
        ]
}

function needs(want: number): OnInode {
  return (context, { path, row }) => [permission(context, path, row, want)]
}

const writing: OnInode = (context, inode) => [
  permission(context, inode.path, inode.row, write),
  // data written to a device, FIFO or socket does not go to the file system
  ...(inode.row.type === 'file' || inode.row.type === 'directory'
    ? [...onMount(context, inode), ...attributes(context, inode)]
    : []),
]

const executing: OnInode = (context, inode) =>
  inode.row.type === 'file'
    ? [permission(context, inode.path, inode.row, execute)]
    : [
        refused(
          inode.path,
          'to be a file',
          `it is ${showType(inode.row.type)}, and only files can be executed`,
          showRow(inode.row, context.names),
        ),
      ]

const onInode: Readonly<Record<Exclude<Action, 'replace' | 'signal'>, OnInode>> = {
  connect: only('socket', needs(write)),
  read: needs(read),
  write: writing,
  traverse: only('directory', needs(search)),
  create: only('directory', (context, inode) => [
    permission(context, inode.path, inode.row, write | search),
    ...onMount(context, inode),
    ...attributes(context, inode),
  ]),
  execute: executing,
}

function findingsOf(context: Context, action: Action, path: string, rows: Rows): readonly Finding[] {
  if (action === 'signal') {
    return [unknown(path, 'a process', 'a signal goes to a process, not to a path')]
  }
  if (action === 'replace') return replacing(context, rows, path)
  const { findings, inode } = walk(context, rows, path, true)
  return inode === undefined ? findings : [...findings, ...onInode[action](context, inode)]
}

function isUnknown(finding: Finding): finding is Extract<Finding, { is: 'unknown' }> {
  return finding.is === 'unknown'
}

/**
 * What the kernel would say, worked out from what was observed: owners, modes, ACLs with their masks, groups,
 * capabilities, every directory on the way, mount flags, immutable attribute. Pure.
 *
 * A certain denial is a denial, even where another step is not known; a certain grant needs every step. The kernel's
 * modules (SELinux, AppArmor), other namespaces and what a process may be barred from by its own unit are not in it.
 */
export function evaluate(
  who: ActingIdentity,
  action: Action,
  path: string,
  rows: Rows,
  names: Names,
): Evaluation {
  const findings = findingsOf({ who, names }, action, path, rows)
  const steps = findings.map(({ step }) => step)
  if (findings.some(({ is }) => is === 'denied')) return { is: 'denied', steps }
  const open = findings.find(isUnknown)
  if (open) return { is: 'unknown', because: open.because, steps }
  return { is: findings.some(({ is }) => is === 'missing') ? 'missing' : 'granted', steps }
}
