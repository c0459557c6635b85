import type { Difference, Planned, Resource, World } from '../../model/resource.ts'
import type { Ownership, ReadAtom } from '../../model/wire.ts'
import { sameValue } from '../common/compare.ts'
import { showMode } from '../common/mode.ts'
import { ownerAtoms, resolveGroup, resolveUser } from '../common/owner.ts'
import { refused } from '../common/result.ts'
import { difference, showNames } from '../common/show.ts'
import { afterBoot, filesInOrder, type AfterBoot, type BootDirectory } from './tmpfiles.ts'

/** A directory as it shall be when systemd-tmpfiles has run at the next boot. */
export interface BootDirectoryDesired extends Ownership {
  readonly path: string
  /** False: some other means makes it later in the boot, and tmpfiles.d must not get in its way. */
  readonly byTmpfiles: boolean
}

/** Folders of tmpfiles.d(5), the first before the last; `/lib` counts where /usr is not merged. */
const folders = [
  '/etc/tmpfiles.d',
  '/run/tmpfiles.d',
  '/usr/local/lib/tmpfiles.d',
  '/usr/lib/tmpfiles.d',
  '/lib/tmpfiles.d',
] as const

const ending = '.conf'

const atoms: readonly ReadAtom[] = folders.map((path) => ({ atom: 'folder', path, ending }))

export function bootDirectoryResource(desired: BootDirectoryDesired): Resource {
  const { path, owner, group, mode, byTmpfiles } = desired
  return {
    id: `next-boot:${path}`,
    sameness: JSON.stringify({ path, owner, group, mode, byTmpfiles }),
    atoms: [...atoms, ...ownerAtoms(desired)],
    plan: (world) =>
      world.host.tools.has('systemd-tmpfiles') ? plan(desired, world) : withoutTmpfiles(desired),
  }
}

/** Then nothing is made below /run, which is empty after a boot, and nothing elsewhere is touched. */
function withoutTmpfiles({ path, byTmpfiles }: BootDirectoryDesired): Planned {
  if (!byTmpfiles || !path.startsWith('/run/')) return { is: 'same' }
  const found = 'absent (the host has no systemd-tmpfiles)'
  return { is: 'unmet', differences: [difference('after boot', found, 'directory')], ops: [] }
}

function plan(desired: BootDirectoryDesired, world: World): Planned {
  const facts = folders.map((path) => [path, world.folder(path, ending)] as const)
  for (const [, fact] of facts) if (fact.is === 'unreadable') return refused(fact.problem)
  const files = filesInOrder(
    facts.map(([path, fact]) => [path, fact.is === 'present' ? fact.state : new Map()]),
  )
  const { path, owner, group, mode } = desired
  // A boot empties /run; what lies elsewhere is as it is left.
  const before = path.startsWith('/run/') ? undefined : { owner, group, mode }
  const made = afterBoot(path, files, before, (kind, name) => world[kind](name).is === 'present')
  if (made.is === 'unknown') {
    return { is: 'pending', ops: [], after: [{ after: `file:${made.path}`, field: 'content' }] }
  }
  const differences = differencesOf(made, desired, world)
  // No waiting can meet it.
  return differences.length === 0 ? { is: 'same' } : { is: 'unmet', differences, ops: [] }
}

function differencesOf(
  made: Exclude<AfterBoot, { readonly is: 'unknown' }>,
  desired: BootDirectoryDesired,
  world: World,
): readonly Difference[] {
  switch (made.is) {
    case 'nothing':
      return desired.byTmpfiles ? [difference('after boot', 'absent', 'directory')] : []
    case 'other':
      return [difference('after boot', `made otherwise by ${made.line.place}`, 'directory')]
    case 'directory':
      return directoryDifferences(made.directory, desired, world)
  }
}

function directoryDifferences(
  found: BootDirectory,
  { owner, group, mode }: BootDirectoryDesired,
  world: World,
): readonly Difference[] {
  const by = found.places.length === 0 ? '' : ` by ${showNames(found.places)}`
  return [
    ...(sameAccount(resolveUser, found.owner, owner, world)
      ? []
      : [difference('owner after boot', `${found.owner}${by}`, owner)]),
    ...(sameAccount(resolveGroup, found.group, group, world)
      ? []
      : [difference('group after boot', `${found.group}${by}`, group)]),
    ...(found.mode === mode
      ? []
      : [difference('mode after boot', `${showMode(found.mode)}${by}`, showMode(mode))]),
    ...(found.acl.length === 0 ? [] : [difference('ACL after boot', showNames(found.acl), 'none')]),
  ]
}

/** A name and the number that it stands for are one. */
function sameAccount(resolve: typeof resolveUser, found: string, wanted: string, world: World): boolean {
  if (found === wanted) return true
  const [left, right] = [resolve(found, world), resolve(wanted, world)]
  return left.ok && right.ok && sameValue(left.value, right.value)
}
