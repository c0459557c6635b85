import type { Action, Actor, Matrix, MatrixRule } from '../model/access.ts'
import type { Identity } from '../model/identity.ts'
import type { Try } from '../model/process.ts'
import type { ReadAtom } from '../model/wire.ts'
import { actorAtoms } from './actors/find.ts'
import { checkAtoms } from './checks/all.ts'
import { unique } from './checks/common.ts'
import { documentLimit } from './host-document.ts'
import { entriesAbove } from './replacement.ts'

/** Names in a directory that are told at most; one with more is not proved. */
export const entriesLimit = 500

/** What an actor is tried at. */
export type Tried =
  | { readonly action: Exclude<Action, 'signal'>; readonly path: string }
  | { readonly action: 'signal'; readonly actor: string }

/** One key for one try: the same for the same. */
export function triedKey(tried: Tried): string {
  return tried.action === 'signal' ? `signal ${tried.actor}` : `${tried.action} ${tried.path}`
}

/** What a rule of which all is known beforehand is about; undefined where the host must be looked at first. */
export function triedOf({ action, target }: MatrixRule): Tried | undefined {
  if (target.is === 'actor') return { action: 'signal', actor: target.name }
  return target.is === 'path' && action !== 'signal' ? { action, path: target.path } : undefined
}

/** All that must be tried to answer one try: a path is replaced by who may replace a directory on the way, too. */
export function withEntriesAbove(tried: Tried): readonly Tried[] {
  if (tried.action !== 'replace') return [tried]
  return [tried, ...entriesAbove(tried.path).map((path): Tried => ({ action: 'replace', path }))]
}

/** Everything that the first frame asks of a host; where nothing is amiss it is the only one. */
export function firstAtoms(matrix: Matrix): readonly ReadAtom[] {
  const actors = [...matrix.actors.values()]
  const paths = matrix.rules.flatMap(({ target }) => (target.is === 'path' ? [target.path] : []))
  const files = matrix.rules.flatMap(({ target }) => (target.is === 'named' ? [target.file] : []))
  const folders = [
    ...matrix.rules.flatMap(({ target }) => (target.is === 'others' ? [target.folder] : [])),
    ...matrix.leftBehind.flatMap((left) => left.folders),
  ]
  return [
    ...actors.flatMap(actorAtoms),
    ...accountAtoms(actors),
    ...unique(paths).map((path): ReadAtom => ({ atom: 'path', path })),
    ...unique(files).map((path): ReadAtom => ({ atom: 'path', path, bytesUpTo: documentLimit })),
    ...unique(folders).map((path): ReadAtom => ({ atom: 'entries', path, limit: entriesLimit })),
    ...checkAtoms(matrix),
    ...actors.flatMap((actor) => {
      const tries = matrix.rules
        .filter((rule) => rule.actor === actor.name)
        .flatMap((rule) => triedOf(rule) ?? [])
        .flatMap(withEntriesAbove)
      return attemptAtoms(actor.name, asOf(actor), tries)
    }),
  ]
}

/** The atom that tries all of these as one identity; none where there is nothing to try. */
export function attemptAtoms(
  key: string,
  as: Extract<ReadAtom, { readonly atom: 'attempts' }>['as'],
  tries: readonly Tried[],
): readonly ReadAtom[] {
  const different = [...new Map(tries.map((tried) => [triedKey(tried), tried])).values()]
  return different.length === 0 ? [] : [{ atom: 'attempts', key, as, tries: different.map(tryOf) }]
}

function tryOf(tried: Tried): Try {
  return tried.action === 'signal' ? { action: 'signal', process: tried.actor } : tried
}

function asOf({ name, running, user }: Actor): Identity | { readonly by: 'process'; readonly key: string } {
  return running === undefined ? { by: 'account', user } : { by: 'process', key: name }
}

/** Names that are no numbers are looked up in the name service too. */
function accountAtoms(actors: readonly Actor[]): readonly ReadAtom[] {
  const names = (list: readonly string[]): readonly string[] =>
    unique(list).filter((name) => !/^[0-9]+$/.test(name))
  return [
    ...names(actors.map(({ user }) => user)).map((name): ReadAtom => ({ atom: 'user', name })),
    ...names(
      actors.flatMap(({ group, groups = [] }) => [...(group === undefined ? [] : [group]), ...groups]),
    ).map((name): ReadAtom => ({ atom: 'group', name })),
  ]
}
