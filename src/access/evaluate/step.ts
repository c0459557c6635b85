import type { ActingIdentity, Step } from '../../model/access.ts'
import { decide } from './decide.ts'
import { execute, read, write } from './row.ts'
import type { Row } from './row.ts'
import { turning } from './turn.ts'
import { showReason, showRow } from './words.ts'
import type { Names } from './words.ts'

/** A step, or why it cannot be judged. A path that ends early ends with `missing`. */
export type Finding =
  | { readonly is: 'allowed' | 'denied' | 'missing'; readonly step: Step }
  | { readonly is: 'unknown'; readonly because: string; readonly step: Step }

export function unknown(path: string, needs: string, because: string, row = ''): Finding {
  return { is: 'unknown', because, step: { path, needs, allowed: false, decidedBy: because, row } }
}

export function missing(path: string, needs: string, decidedBy: string, row = ''): Finding {
  return { is: 'missing', step: { path, needs, allowed: false, decidedBy, row } }
}

export function refused(
  path: string,
  needs: string,
  decidedBy: string,
  row: string,
  otherwise?: string,
): Finding {
  const step: Step = { path, needs, allowed: false, decidedBy, row }
  return { is: 'denied', step: otherwise === undefined ? step : { ...step, otherwise } }
}

export interface Context {
  readonly who: ActingIdentity
  readonly names: Names
}

/** `write and search`; the x of a directory is called search. */
function needed(row: Row, want: number): string {
  const x = row.type === 'directory' ? 'search' : 'execute'
  const words = [want & read ? ['read'] : [], want & write ? ['write'] : [], want & execute ? [x] : []].flat()
  return words.join(' and ')
}

/** What owner, mode, ACL and capabilities say about one inode. `row` undefined: its owner is not known yet. */
export function permission(context: Context, path: string, row: Row, want: number): Finding {
  const { who, names } = context
  const needs = needed(row, want)
  const shown = showRow(row, names)
  const decision = decide(who, row, want)
  if (decision.is === 'unknown') {
    const because = `${path} may have an ACL that decides this, and the host has no getfacl to show it (package acl)`
    return unknown(path, needs, because, shown)
  }
  const otherwise = turning({ who, path, row, want, names })
  const step: Step = {
    path,
    needs,
    allowed: decision.is === 'allowed',
    decidedBy: showReason(decision.reason, row, names),
    row: shown,
    ...(otherwise === undefined ? {} : { otherwise }),
  }
  return { is: decision.is, step }
}
