import type { Planned, Resource, World } from '../../model/resource.ts'
import type { Ownership, WriteOp } from '../../model/wire.ts'
import { cannotChange, expectOf } from '../common/guard.ts'
import { labelFor } from '../common/label.ts'
import { labelled, mended } from '../common/mended.ts'
import { showMode } from '../common/mode.ts'
import { ownerAtoms, ownershipDifferences, resolveIds, type Ids } from '../common/owner.ts'
import { checkAncestors, findParent } from '../common/parent.ts'
import { nameOf } from '../common/paths.ts'
import { refused } from '../common/result.ts'
import { differencesOfNew } from '../common/show.ts'
import { wrongType } from '../common/type.ts'

/** A directory with exact owner, group and mode and without extra ACL entries. */
export interface DirectoryDesired extends Ownership {
  /** Absolute, without `.`, `..`, empty or trailing parts. */
  readonly path: string
}

export function directoryResource(desired: DirectoryDesired): Resource {
  const { path, owner, group, mode } = desired
  return {
    id: `directory:${path}`,
    subject: `path:${path}`,
    sameness: JSON.stringify({ path, owner, group, mode }),
    atoms: [{ atom: 'path', path, labelOf: 'directory' }, ...ownerAtoms(desired)],
    plan: (world) => plan(desired, world),
  }
}

function plan(desired: DirectoryDesired, world: World): Planned {
  const { path, owner, group, mode } = desired
  const ids = resolveIds(desired, world)
  if (!ids.ok) return refused(ids.problem)
  const fact = world.path(path)
  if (fact.is === 'unreadable') return refused(fact.problem)
  const label = labelFor(path, fact.is === 'present' ? fact.state : undefined, world)
  if (!label.ok) return refused(label.problem)
  const to: Ownership = { owner, group, mode, ...labelled(label.value) }
  if (fact.is === 'absent') return make(path, to, ids.value, world)

  if (path !== '/') {
    const way = checkAncestors(path, world)
    if (!way.ok) return refused(way.problem)
  }
  const { state } = fact
  if (state.type !== 'directory') return refused(wrongType(path, 'directory', state))
  const differences = ownershipDifferences(state, to, ids.value, world)
  if (differences.length === 0) return { is: 'same' }
  const hindrance = cannotChange(path, undefined, state)
  if (hindrance !== undefined) return refused(hindrance)
  return {
    is: 'change',
    differences,
    ops: [
      {
        op: 'directory-set',
        path,
        expect: expectOf(fact),
        to,
        between: state.mode & mode,
        stripAcl: state.acl === 'present',
      },
    ],
    effects: [mended(path, state, ids.value, to)],
    disruptive: false,
    provisional: false,
  }
}

function make(path: string, to: Ownership, ids: Ids, world: World): Planned {
  const found = findParent(path, world)
  if (!found.ok) return refused(found.problem)
  const { parent, state } = found.value
  const hindrance = cannotChange(path, state, undefined)
  if (hindrance !== undefined) return refused(hindrance)
  const ops: readonly WriteOp[] = [
    { op: 'directory-make', parent, name: nameOf(path), to },
    // Default ACL entries of the parent are inherited, whatever the umask.
    ...(state.acl === 'present'
      ? [
          {
            op: 'directory-set',
            path,
            expect: { madeHere: true },
            to,
            between: 0o700 & to.mode,
            stripAcl: true,
          } as const,
        ]
      : []),
  ]
  return {
    is: 'change',
    differences: differencesOfNew('directory', [
      ['owner', to.owner],
      ['group', to.group],
      ['mode', showMode(to.mode)],
      ...(to.label === undefined ? [] : [['label', to.label] as const]),
    ]),
    ops,
    effects: [
      {
        set: 'path',
        key: path,
        fact: {
          is: 'present',
          state: {
            type: 'directory',
            mode: to.mode,
            ...ids,
            size: 0,
            links: 2,
            acl: 'none',
            ...labelled(to.label),
          },
        },
      },
    ],
    disruptive: false,
    provisional: false,
  }
}
