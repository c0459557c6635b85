import type { Parent, WireChange, WriteOp } from '../../model/wire.ts'
import { quote } from '../quote.ts'
import { isFirm } from './staging.ts'
import type { Staging } from './staging.ts'

/** Directories that only root can move, each once, of the operations that `takes` accepts. */
function firmParents(changes: readonly WireChange[], takes: (op: WriteOp) => boolean): readonly Parent[] {
  const parents = changes.flatMap(({ ops }) =>
    ops.flatMap((op) => ('parent' in op && takes(op) && isFirm(op.parent) ? [op.parent] : [])),
  )
  return [...new Map(parents.map((parent) => [parent.path, parent])).values()]
}

/** A staged thing, and the shell variable that gets its device and inode. */
export interface Captured {
  readonly word: string
  readonly variable: string
}

/**
 * Looks at all that are there before the first change by two programs, so that entering them takes none; and by one of
 * these at what is staged.
 */
export function surveyScript(
  changes: readonly WireChange[],
  staging: Staging,
  captured: readonly Captured[],
): readonly string[] {
  const known = firmParents(changes, ({ op }) => op !== 'remove').flatMap(({ path, inode, anchor }) => {
    const stage = staging.anchors.findIndex((candidate) => candidate === anchor)
    // the mount table writes these characters in another way
    if (inode === undefined || stage < 0 || /[\s\\#]/.test(path)) return []
    const where = anchor === path ? "''" : 'parent'
    return [{ path, words: `${quote(path)} ${quote(inode)} "$kf_s${String(stage + 1)}" ${where}` }]
  })
  const looked = [...captured.map(({ word }) => word), ...known.map(({ path }) => quote(path))]
  if (looked.length === 0) return [':']
  return [
    ...(known.length === 0 ? [] : ['kf_mounts=$(cat /proc/self/mountinfo)']),
    `kf_rows=$(stat -c '%d:%i %u %a' -- ${looked.join(' ')} 2>/dev/null)$NL`,
    ...captured.map(({ variable }) => `${variable}=\${kf_rows%% *} kf_rows=\${kf_rows#*"$NL"}`),
    ...known.map(({ words }) => `kf_surveyed ${words}`),
  ]
}

/** Directories that only root can move are synced by one program at the end; in others each change syncs its own. */
export function syncScript(changes: readonly WireChange[], staging: Staging): readonly string[] {
  const firm = firmParents(changes, () => true).map(({ path }) => path)
  const born = [...staging.born.keys()].filter((path) => !firm.includes(path))
  if (firm.length === 0) return [':']
  return [
    `set -- ${firm.map(quote).join(' ')}`,
    ...(born.length === 0
      ? []
      : [
          `for kf_x in ${born.map(quote).join(' ')}; do`,
          'case $kf_unsynced in *"$NL$kf_x$NL"*) set -- "$@" "$kf_x" ;; esac',
          'done',
        ]),
    'sync -- "$@" 2>/dev/null',
  ]
}
