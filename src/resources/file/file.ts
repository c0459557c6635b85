import type { PathState } from '../../model/facts.ts'
import type { Planned, Resource, World } from '../../model/resource.ts'
import type { FileCheck, Ownership, ReadAtom } from '../../model/wire.ts'
import { findParent } from '../common/parent.ts'
import { checkerAtoms, missingChecker } from '../common/identity.ts'
import { labelFor } from '../common/label.ts'
import { labelled } from '../common/mended.ts'
import { ownerAtoms, ownershipDifferences, resolveIds } from '../common/owner.ts'
import { nameOf } from '../common/paths.ts'
import { problem, refused } from '../common/result.ts'
import { wrongType } from '../common/type.ts'
import { cannotChange } from '../common/guard.ts'
import { digestLimit, textLimit, type FileContent } from './content.ts'
import { contentDifferences } from './difference.ts'
import { mend } from './mend.ts'
import { put } from './put.ts'

/** A regular file with exact owner, group and mode, without extra ACL entries. */
export interface FileDesired extends Ownership {
  readonly path: string
  /** Undefined: the file must exist and its content is not ours. */
  readonly content?: FileContent | undefined
  /** Run on the staged file before it takes its place. */
  readonly validate?: readonly FileCheck[] | undefined
  /** Refuse where a package of the host owns the path. */
  readonly unpackaged?: boolean | undefined
}

export function fileResource(desired: FileDesired): Resource {
  const { path, content } = desired
  return {
    id: `file:${path}`,
    subject: `path:${path}`,
    sameness: sameness(desired),
    ...(content?.is === 'unopened' ? { notCompared: path } : {}),
    atoms: [
      pathAtom(path, content, desired.unpackaged === true),
      ...ownerAtoms(desired),
      ...checkerAtoms(desired.validate),
    ],
    plan: (world) => plan(desired, world),
  }
}

function plan(desired: FileDesired, world: World): Planned {
  const { path, owner, group, mode, content } = desired
  const ids = resolveIds(desired, world)
  if (!ids.ok) return refused(ids.problem)
  const found = findParent(path, world)
  if (!found.ok) return refused(found.problem)
  const fact = world.path(path)
  if (fact.is === 'unreadable') return refused(fact.problem)
  const old = fact.is === 'present' ? fact.state : undefined
  const obstacle = obstacleAt(path, old, content)
  if (obstacle !== undefined) return refused(obstacle)
  const label = labelFor(path, old, world)
  if (!label.ok) return refused(label.problem)
  const to: Ownership = { owner, group, mode, ...labelled(label.value) }

  const place = { ...found.value, name: nameOf(path), path, fact, old, to, ids: ids.value }
  const differences = [
    ...(content === undefined ? [] : contentDifferences(content, old)),
    ...(old === undefined ? [] : ownershipDifferences(old, to, ids.value, world)),
  ]
  if (old !== undefined && differences.length === 0) return { is: 'same' }
  const hindrance = cannotChange(path, found.value.state, old) ?? missingChecker(desired.validate, world)
  if (hindrance !== undefined) return refused(hindrance)
  return content === undefined || (content.is === 'unopened' && old !== undefined)
    ? mend(place, differences, content)
    : put(place, differences, content, desired.validate, world)
}

/** What stands in the way whatever differs. */
function obstacleAt(
  path: string,
  old: PathState | undefined,
  content: FileContent | undefined,
): ReturnType<typeof problem> | undefined {
  if (old === undefined) {
    return content === undefined
      ? problem(
          'resource.wrong-type',
          path,
          `expected a regular file at ${path}, found nothing`,
          'The `file` module mends owner, group and mode of a file that exists; use `copy` to make one.',
        )
      : undefined
  }
  if (old.type !== 'file') return wrongType(path, 'file', old)
  if (typeof old.package === 'string') {
    return problem(
      'resource.package-owned',
      path,
      `expected ${path} to belong to no package, found that ${old.package} owns it`,
      'Choose a destination that no package owns, such as one below /usr/local, or remove the package.',
    )
  }
  return undefined
}

function pathAtom(path: string, content: FileContent | undefined, unpackaged: boolean): ReadAtom {
  const digestUpTo = digestLimit(content)
  const textUpTo = textLimit(content)
  const secret = content?.is === 'unopened' || (content?.is === 'bytes' && content.payload.secret)
  return {
    atom: 'path',
    path,
    labelOf: 'file',
    ...(digestUpTo === undefined ? {} : { digestUpTo }),
    ...(textUpTo === undefined ? {} : { textUpTo }),
    ...(secret ? { sealed: true } : {}),
    ...(unpackaged ? { package: true } : {}),
  }
}

/** Compared in memory only; the digest of a secret never leaves it. */
function sameness({ path, owner, group, mode, content, validate, unpackaged }: FileDesired): string {
  const bytes =
    content === undefined
      ? null
      : content.is === 'bytes'
        ? `${content.payload.secret ? 'secret' : 'sha256'}:${content.payload.digest.reveal()}`
        : content.is === 'unknown'
          ? content.origins
          : `secret ${content.label}`
  return JSON.stringify({ path, owner, group, mode, bytes, validate, unpackaged: unpackaged === true })
}
