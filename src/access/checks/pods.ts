import type { Actor, Check } from '../../model/access.ts'
import { ascending } from '../actors/accounts.ts'
import type { HostMount, Pod, Reach } from '../actors/pod.ts'
import { podOf } from '../actors/next-start.ts'
import { oneSpelling } from '../../resources/common/paths.ts'
import { namedPaths } from '../resolve.ts'
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
  const gids = socketGroupsOf(actor).flatMap((name) => looked.accounts.gid(name) ?? [])
  const material = materialOf(looked).map(oneSpelling)
  const files = pod.mounts.filter(({ hostPath }) => material.includes(hostPath))
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
    openCheck(actor, manifest, pod),
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
    ...materialOf(looked),
    ...pathsOf(matrix, objects.configuration),
    ...foldersOf(matrix, objects.strays),
    ...pathsOf(matrix, objects.state),
  ]).map(oneSpelling)
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
    checked(
      source,
      manifest,
      `${actor.name} sees no directory of the host that leads to auth material`,
      containersOf(pod).flatMap(([who, { mounts }]) =>
        mounts.filter(leads).map(({ hostPath }) => `${who} mounts ${hostPath}`),
      ),
    ),
    openCheck(actor, manifest, pod),
  ]
}

/** Credentials by their paths, those that the configuration on the host names too. */
function materialOf({ matrix, snapshot }: Looked): readonly string[] {
  return [...pathsOf(matrix, objects.authMaterial), ...namedPaths(matrix, objects.authMaterial, snapshot)]
}

/** All containers of a pod share its volumes and its fate: the actor's first, each as it is called in a sentence. */
function containersOf(pod: Pod): readonly (readonly [string, Reach])[] {
  return [['it', pod], ...pod.others.map((each) => [`its container ${each.name}`, each] as const)]
}

/** With these a process leaves its container. */
const opening: ReadonlySet<string> = new Set([
  'ALL',
  'SYS_ADMIN',
  'SYS_PTRACE',
  'SYS_MODULE',
  'DAC_READ_SEARCH',
])

function openCheck({ name }: Actor, manifest: string, pod: Pod): Check {
  return checked(source, manifest, `nothing opens the host itself to the pod of ${name}`, [
    ...(pod.hostPID ? ['it has hostPID: by /proc it sees the processes of the host, and their files'] : []),
    ...containersOf(pod).flatMap(([who, { privileged, addedCapabilities }]) => [
      ...(privileged ? [`${who} is privileged, which opens all of the host to it`] : []),
      ...addedCapabilities
        .map((each) => each.toUpperCase().replace(/^CAP_/, ''))
        .filter((each) => opening.has(each))
        .map((each) => `${who} has the capability ${each}, which opens all of the host to it`),
    ]),
  ])
}

function socketMountCheck({ matrix }: Looked, manifest: string, { mounts }: Pod): Check {
  const sockets = pathsOf(matrix, objects.socket).map(oneSpelling)
  const directories = pathsOf(matrix, objects.runtime).map(oneSpelling)
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
