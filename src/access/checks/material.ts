import type { Check } from '../../model/access.ts'
import type { PathState } from '../../model/facts.ts'
import { ancestorsOf } from '../../resources/common/paths.ts'
import { namedPaths } from '../resolve.ts'
import {
  checked,
  doubtOf,
  foldersOf,
  type Looked,
  objects,
  pathsOf,
  providerOf,
  socketGroupsOf,
  unique,
  weighed,
} from './common.ts'

/** Is what the provider relies on the one thing that it seems: no link, no second name, no copy, nobody's? */
export function materialChecks(looked: Looked): readonly Check[] {
  const { matrix } = looked
  const material = pathsOf(matrix, objects.authMaterial)
  const relied = unique([
    ...material,
    ...[objects.configuration, objects.trust, objects.state, objects.registry, objects.runtime].flatMap(
      (objectClass) => pathsOf(matrix, objectClass),
    ),
  ])
  return [
    ...relied.map((path) => linkCheck(looked, path)),
    ...material.map((path) => namesCheck(looked, path)),
    ...foldersOf(matrix, objects.strays).map((folder) => strayCheck(looked, folder)),
    ...[objects.authMaterial, objects.configuration].flatMap((objectClass) =>
      pathsOf(matrix, objectClass).map((path) => rootsCheck(looked, path, 0o027)),
    ),
    ...[objects.trust, objects.program].flatMap((objectClass) =>
      pathsOf(matrix, objectClass).map((path) => rootsCheck(looked, path, 0o022)),
    ),
    ...pathsOf(matrix, objects.runtime).map((path) => runtimeCheck(looked, path)),
    ...pathsOf(matrix, objects.registry).map((path) => registryCheck(looked, path)),
  ]
}

/** A link on the way is somebody's choice of what is read or written. */
function linkCheck({ snapshot }: Looked, path: string): Check {
  const links = [...ancestorsOf(path), path].flatMap((each) => {
    const state = stateOf(snapshot, each)
    return state?.type === 'link' ? [`${each} is a symbolic link to ${state.target ?? 'somewhere'}`] : []
  })
  return weighed('Permissions, paths without links', path, 'no symbolic link is on the way to it', {
    findings: links,
    doubts: doubtsOf(snapshot, [...ancestorsOf(path), path]),
  })
}

/** A second name of a credential stands where other owners and modes of directories apply. */
function namesCheck({ snapshot }: Looked, path: string): Check {
  const state = stateOf(snapshot, path)
  const others = state?.type === 'file' ? state.links - 1 : 0
  return weighed('Permissions, auth material', path, 'it has no other name on the host', {
    findings:
      others > 0
        ? [`it has ${others === 1 ? 'another name' : `${String(others)} other names`} (hard links)`]
        : [],
    doubts: doubtsOf(snapshot, [path]),
  })
}

function strayCheck({ matrix, snapshot }: Looked, folder: string): Check {
  const expected = 'nothing stands in it that the model does not have'
  const source = 'Permissions, no copies of auth material'
  const fact = snapshot.entries.get(folder)
  // What cannot be listed is told where the rules about it are.
  if (fact?.is !== 'present') return checked(source, folder, expected, [])
  const below = `${folder}/`
  const named = unique(matrix.rules.flatMap(({ objectClass }) => objectClass ?? [])).flatMap((each) =>
    namedPaths(matrix, each, snapshot),
  )
  const known = new Set(
    [
      ...named,
      ...matrix.rules.flatMap(({ target }) =>
        target.is === 'path' ? [target.path] : target.is === 'others' ? [target.folder] : [],
      ),
    ].flatMap((path) => (path.startsWith(below) ? [path.slice(below.length).split('/')[0] ?? ''] : [])),
  )
  const strays = fact.state.names.filter((name) => !known.has(name) && !marks.has(name))
  return checked(
    source,
    folder,
    expected,
    strays.length === 0
      ? []
      : [
          `${strays.slice(0, 5).join(', ')}${strays.length > 5 ? ` and ${String(strays.length - 5)} more` : ''}: a copy is as good as the credential`,
        ],
  )
}

/** What the provider's own setup leaves beside its configuration, without anything of a credential. */
const marks: ReadonlySet<string> = new Set(['.node-setup-check'])

const checkpointEnding = '.checkpoint'

/** The registry and its checkpoint are a pair, and the provider's own. */
function registryCheck({ matrix, snapshot, accounts }: Looked, path: string): Check {
  const provider = providerOf(matrix)
  const state = stateOf(snapshot, path)
  const other = path.endsWith(checkpointEnding)
    ? path.slice(0, -checkpointEnding.length)
    : `${path}${checkpointEnding}`
  const pair = stateOf(snapshot, other)
  const uid = provider === undefined ? undefined : accounts.uid(provider.user)
  const gid = provider?.group === undefined ? undefined : accounts.gid(provider.group)
  const findings =
    state === undefined
      ? pair === undefined || doubtOf(snapshot, path) !== undefined
        ? []
        : [`it is not there, and ${other} is: restore both from one backup or a healthy peer`]
      : [
          ...idFinding('uid', state.uid, uid, accounts.userName),
          ...idFinding('gid', state.gid, gid, accounts.groupName),
          ...((state.mode & 0o137) === 0
            ? []
            : [`its mode is ${octal(state.mode)}, which the provider refuses`]),
          ...(!path.endsWith(checkpointEnding) && pair !== undefined && olderBy(state, pair) > pairSpan
            ? [`it was written ${String(olderBy(state, pair))} s before ${other}: it is from a backup`]
            : []),
        ]
  return weighed(
    'State, registry and checkpoint of the provider',
    path,
    'it is whole, and the provider’s own',
    { findings, doubts: doubtsOf(snapshot, [path, other]) },
  )
}

/** Seconds within which the provider writes the two. */
const pairSpan = 60

function olderBy({ modified = 0 }: PathState, { modified: other = 0 }: PathState): number {
  return Math.round(other - modified)
}

/** Restored files often have the numbers of another host. */
function idFinding(
  kind: 'uid' | 'gid',
  found: PathState['uid'],
  wanted: number | undefined,
  nameOf: (id: number) => string | undefined,
): readonly string[] {
  if (!found.known || wanted === undefined || found.value === wanted) return []
  const name = nameOf(found.value)
  return [
    `its ${kind} is ${String(found.value)} (${name ?? 'nobody of this host'}) instead of ${String(wanted)}`,
  ]
}

/**
 * Whose a file is counts beside who can write it now: a service that sees it read-only today owns it tomorrow all the same.
 * @param open permission bits that it must not have
 */
function rootsCheck({ snapshot, accounts }: Looked, path: string, open: number): Check {
  const state = stateOf(snapshot, path)
  const findings =
    state?.type === 'file'
      ? [
          ...idFinding('uid', state.uid, 0, accounts.userName),
          ...((state.mode & open) === 0 ? [] : [`its mode is ${octal(state.mode)}`]),
        ]
      : []
  const who = open === 0o022 ? 'root alone writes it' : 'root alone writes it, and not all read it'
  return weighed('Permissions, owner root', path, who, { findings, doubts: doubtsOf(snapshot, [path]) })
}

function runtimeCheck({ matrix, snapshot, accounts }: Looked, path: string): Check {
  const provider = providerOf(matrix)
  const state = stateOf(snapshot, path)
  const gids = provider === undefined ? [] : socketGroupsOf(provider).map((name) => accounts.gid(name))
  const findings =
    state?.type === 'directory' && provider !== undefined
      ? [
          ...idFinding('uid', state.uid, accounts.uid(provider.user), accounts.userName),
          ...idFinding('gid', state.gid, gids[0], accounts.groupName),
          ...(state.mode === 0o2750 ? [] : [`its mode is ${octal(state.mode)}`]),
        ]
      : []
  return weighed(
    'Runtime directory creation, 2750',
    path,
    'it is the provider’s, of the group of its socket, with mode 2750',
    { findings, doubts: doubtsOf(snapshot, [path]) },
  )
}

function stateOf({ paths }: Looked['snapshot'], path: string): PathState | undefined {
  const fact = paths.get(path)
  return fact?.is === 'present' ? fact.state : undefined
}

/** What is not known is not fine. */
function doubtsOf(snapshot: Looked['snapshot'], paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => doubtOf(snapshot, path) ?? [])
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')
