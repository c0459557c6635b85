import type { Actor, Check } from '../../model/access.ts'
import { ascending } from '../actors/accounts.ts'
import type { HostMount, Pod } from '../actors/pod.ts'
import { podOf } from '../actors/next-start.ts'
import {
  checked,
  isIn,
  isNumber,
  type Looked,
  objects,
  foldersOf,
  pathsOf,
  providerOf,
  socketGroupsOf,
  unique,
} from './common.ts'

const source = 'Static Pod Linux IDs, host paths and mounts'

/** Do the manifests of static pods give each actor what the matrix says it shall have of the host, and no more? */
export function podChecks(looked: Looked): readonly Check[] {
  const provider = providerOf(looked.matrix)
  return [...looked.matrix.actors.values()].flatMap((actor) => {
    if (actor.running?.by !== 'pod') return []
    const { manifest, container } = actor.running
    const pod = podOf(manifest, container, looked.snapshot)
    // That it cannot be read is told where its next start is.
    if (typeof pod === 'string') return []
    return actor === provider
      ? providerChecks(looked, actor, manifest, pod)
      : clientChecks(looked, actor, manifest, pod)
  })
}

function providerChecks(looked: Looked, actor: Actor, manifest: string, pod: Pod): readonly Check[] {
  const { matrix, accounts } = looked
  const gids = socketGroupsOf(actor).flatMap((name) => accounts.gid(name) ?? [])
  const files = pod.mounts.filter(({ hostPath }) => pathsOf(matrix, objects.authMaterial).includes(hostPath))
  return [
    checked(
      source,
      manifest,
      'its supplementalGroups are the gid that the group of the socket has on this host',
      ascending(pod.supplementalGroups).join() === ascending(gids).join()
        ? []
        : [
            `supplementalGroups is ${list(pod.supplementalGroups)}, the host has ${groupsInWords(looked, actor)}`,
          ],
    ),
    socketMountCheck(looked, manifest, pod),
    checked(
      source,
      manifest,
      'credentials are mounted by their directory',
      files.map(
        ({ hostPath }) =>
          `${hostPath} is mounted as a file: the pod keeps the old one when a new one takes its place`,
      ),
    ),
    checked(
      source,
      manifest,
      'its image is named by digest',
      /@sha256:[0-9a-f]{64}$/.test(pod.image) ? [] : [`${pod.image} can be another image at the next start`],
    ),
    checked(
      source,
      `${actor.user}:${actor.group ?? actor.user}`,
      'no account of the host has the numbers of the pod',
      [...takenUids(looked, actor.user), ...takenGids(looked, actor.group ?? actor.user)],
    ),
  ]
}

/** The API server's pod: it gets the socket, and nothing that leads to credentials. */
function clientChecks(looked: Looked, actor: Actor, manifest: string, pod: Pod): readonly Check[] {
  const { matrix, accounts } = looked
  const provider = providerOf(matrix)
  const gids =
    provider === undefined ? [] : socketGroupsOf(provider).flatMap((name) => accounts.gid(name) ?? [])
  // Root needs no group; whether it has the capability for that, the attempt to connect tells.
  const lacks = pod.runAsUser === 0 ? [] : gids.filter((gid) => !pod.supplementalGroups.includes(gid))
  const secrets = unique([
    ...pathsOf(matrix, objects.authMaterial),
    ...foldersOf(matrix, objects.strays),
    ...pathsOf(matrix, objects.state),
  ])
  const leads = ({ hostPath }: HostMount): boolean =>
    secrets.some((path) => isIn(path, hostPath) || isIn(hostPath, path))
  return [
    checked(
      source,
      manifest,
      `${actor.name} is in the group of the socket by its number on this host`,
      lacks.map((gid) => `supplementalGroups is ${list(pod.supplementalGroups)}, which lacks ${String(gid)}`),
    ),
    socketMountCheck(looked, manifest, pod),
    checked(source, manifest, `${actor.name} sees no directory of the host that leads to auth material`, [
      ...pod.mounts.filter(leads).map(({ hostPath }) => `it mounts ${hostPath}`),
      ...(pod.privileged ? ['it is privileged, which opens all of the host to it'] : []),
    ]),
  ]
}

function socketMountCheck({ matrix }: Looked, manifest: string, { mounts }: Pod): Check {
  const sockets = pathsOf(matrix, objects.socket)
  const directories = pathsOf(matrix, objects.runtime)
  const made = mounts.filter(
    ({ hostPath, type }) => directories.includes(hostPath) && type === 'DirectoryOrCreate',
  )
  return checked(
    source,
    manifest,
    'the directory of the socket is mounted, and nothing is made in its place',
    [
      ...mounts
        .filter(({ hostPath }) => sockets.includes(hostPath))
        .map(
          ({ hostPath }) =>
            `${hostPath} is mounted as a file: at the provider's next start it is another one`,
        ),
      ...directories
        .filter((path) => !mounts.some(({ hostPath }) => isIn(path, hostPath)))
        .map((path) => `${path} is not mounted`),
      ...made.map(
        ({ hostPath }) => `${hostPath} is DirectoryOrCreate: what kubelet makes is root's, with mode 0755`,
      ),
    ],
  )
}

function takenUids({ snapshot }: Looked, user: string): readonly string[] {
  if (!isNumber(user)) return []
  return [...snapshot.users].flatMap(([name, fact]) =>
    fact.is === 'present' && fact.state.uid.known && String(fact.state.uid.value) === user
      ? [`the user ${name} has uid ${user}`]
      : [],
  )
}

function takenGids({ snapshot }: Looked, group: string): readonly string[] {
  if (!isNumber(group)) return []
  const has = (gid: { readonly known: boolean; readonly value?: number }): boolean =>
    gid.known && String(gid.value) === group
  return [
    ...[...snapshot.groups].flatMap(([name, fact]) =>
      fact.is === 'present' && has(fact.state.gid) ? [`the group ${name} has gid ${group}`] : [],
    ),
    ...[...snapshot.users].flatMap(([name, fact]) =>
      fact.is === 'present' && has(fact.state.gid) ? [`the primary group of ${name} is gid ${group}`] : [],
    ),
  ]
}

function groupsInWords({ accounts }: Looked, actor: Actor): string {
  return socketGroupsOf(actor)
    .map((name) => {
      const gid = accounts.gid(name)
      return gid === undefined ? `no group ${name}` : `${name} with gid ${String(gid)}`
    })
    .join(', ')
}

const list = (numbers: readonly number[]): string => (numbers.length === 0 ? 'empty' : numbers.join(', '))
