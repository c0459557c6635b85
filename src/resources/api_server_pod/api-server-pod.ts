import { addItems } from '../../document/edit.ts'
import type { Difference, Planned, Resource, World } from '../../model/resource.ts'
import { processName, type PodProcess } from '../../model/process.ts'
import { known, unknown, type Value } from '../../model/value.ts'
import type { ReadAtom, TestAtom, WriteOp } from '../../model/wire.ts'
import { ownerAtoms, resolveGroup } from '../common/owner.ts'
import { refused, success, type Result } from '../common/result.ts'
import { difference } from '../common/show.ts'
import { payloadOf, type ContentContext } from '../file/content.ts'
import { fileResource } from '../file/file.ts'
import { readManifest } from './manifest.ts'
import { asKeyOfRke2, needsOf, type Needs } from './needs.ts'

/** kube-apiserver as a static pod that somebody else made, with what it needs to reach the provider. */
export interface ApiServerPodDesired {
  readonly manifest: string
  /** See {@link Wanted} in needs.ts. */
  readonly socketDirectory: string
  /** Group of the socket, by name or gid; undefined where kube-apiserver is root. */
  readonly group?: string | undefined
  readonly encryption?: string | undefined
  /** rke2 writes the manifest at each of its starts, from its own configuration: what is missing is told, never put in. */
  readonly writtenBy?: 'rke2' | undefined
  /** Seconds that kubelet may take to start it anew, and it to be ready. */
  readonly within: number
}

/** As kubeadm and rke2 call it. */
const apiServer = {
  by: 'pod',
  namespace: 'kube-system',
  name: 'kube-apiserver',
  container: 'kube-apiserver',
} satisfies PodProcess
const processKey = 'kube-apiserver in its pod'

const largestManifest = 1_048_576

/**
 * Its manifest is kubeadm's, so it is never written anew: what is missing is put in, and all other bytes stay. kubelet
 * starts the API server anew when it is placed; what cannot be mended so is a check that is not met.
 */
export function apiServerPodResource(desired: ApiServerPodDesired, context: ContentContext): Resource {
  const { manifest, socketDirectory, group, encryption } = desired
  return {
    id: `api-server-pod:${manifest}`,
    subject: `path:${manifest}`,
    sameness: JSON.stringify(desired),
    atoms: [
      { atom: 'path', path: manifest, digestUpTo: largestManifest, bytesUpTo: largestManifest },
      { atom: 'path', path: socketDirectory },
      ...(encryption === undefined ? [] : [{ atom: 'path', path: encryption } satisfies ReadAtom]),
      ...(group === undefined ? [] : ownerAtoms({ owner: '0', group, mode: 0 })),
      { atom: 'process', key: processKey, of: apiServer },
    ],
    plan: (world) => plan(desired, world, context),
  }
}

function plan(desired: ApiServerPodDesired, world: World, context: ContentContext): Planned {
  const { manifest } = desired
  const fact = world.path(manifest)
  if (fact.is === 'unreadable') return refused(fact.problem)
  if (fact.is === 'absent') {
    return unmet([difference('manifest', 'absent', 'the one that kubelet runs kube-apiserver from')])
  }
  const { bytes, mode, uid, gid: fileGroup } = fact.state
  const text = bytes === undefined ? undefined : Buffer.from(bytes.reveal()).toString('utf8')
  const pod = text === undefined ? undefined : readManifest(manifest, text)
  if (text === undefined || pod === undefined || !uid.known || !fileGroup.known) {
    return unmet([difference('manifest', 'another', 'a pod of kube-apiserver that root alone writes')])
  }
  const gid = gidOf(desired.group, world)
  if (!gid.ok) return refused(gid.problem)
  if (!gid.value.known) return later(gid.value)

  const { additions, differences, contradictions } = needsOf(pod, {
    socketDirectory: desired.socketDirectory,
    gid: gid.value.value,
    encryption: desired.encryption,
  })
  if (desired.writtenBy === 'rke2') {
    const told = [...contradictions, ...differences].map(asKeyOfRke2)
    return told.length === 0 ? { is: 'same' } : unmet(told)
  }
  const hindrances = [...contradictions, ...(additions.length === 0 ? [] : missing(desired, world))]
  if (hindrances.length > 0) return unmet([...hindrances, ...differences])
  if (additions.length === 0) return down(world) ? notRunning(desired, text, world) : { is: 'same' }
  const edited = addItems(text, additions)
  if (edited === undefined) {
    return unmet([...differences, difference('manifest', 'cannot be edited line by line', 'edited by hand')])
  }
  const content = { is: 'bytes', payload: payloadOf(Buffer.from(edited), false, context) } as const
  const [owner, group] = [String(uid.value), String(fileGroup.value)]
  const planned = fileResource({ path: manifest, owner, group, mode, content }).plan(world)
  if (planned.is !== 'change') return planned
  return {
    ...planned,
    differences,
    ops: [...planned.ops, ...awaits(desired, edited, world)],
    disruptive: true,
  }
}

function gidOf(group: string | undefined, world: World): Result<Value<number | undefined>> {
  return group === undefined ? success(known(undefined)) : resolveGroup(group, world)
}

/** The group is made by this run: its number is not known yet. */
function later(gid: Extract<Value<number | undefined>, { readonly known: false }>): Planned {
  const differences = [{ attribute: 'supplementalGroups', from: known('without it'), to: unknown(gid) }]
  return { is: 'change', differences, ops: [], effects: [], disruptive: true, provisional: true }
}

/** With a host path that is not there kubelet would not start the pod, and with no file the API server would not run. */
function missing({ socketDirectory, encryption }: ApiServerPodDesired, world: World): readonly Difference[] {
  const there = (path: string, type: string): boolean => {
    const fact = world.path(path)
    return fact.is === 'present' && fact.state.type === type
  }
  return [
    ...(there(socketDirectory, 'directory')
      ? []
      : [difference(socketDirectory, 'absent', 'a directory, made by the role of the provider')]),
    ...(encryption === undefined || there(encryption, 'file')
      ? []
      : [difference(encryption, 'absent', 'the encryption configuration, put there by `encryption_config`')]),
  ]
}

/**
 * kubelet has started another process than those of before, with what stands in the manifest now; then it answers what
 * kubelet asks of it, where the host has a program for that.
 */
function awaits({ manifest, within }: ApiServerPodDesired, edited: string, world: World): readonly WriteOp[] {
  const pod = readManifest(manifest, edited)
  const word = [...(pod?.command ?? []), ...(pod?.args ?? [])].at(-1)
  const running = world.processes(processKey)
  const before = running.is === 'present' ? running.state.map(processName) : []
  const url = world.host.tools.has('curl') ? pod?.alive : undefined
  const tests: readonly TestAtom[] = [
    {
      atom: 'started',
      key: `started:${manifest}`,
      of: apiServer,
      before,
      ...(word === undefined ? {} : { word }),
    },
    ...(url === undefined ? [] : [{ atom: 'http', key: `http:${url}`, url } satisfies TestAtom]),
  ]
  return tests.map((test) => ({ op: 'await', test, within }))
}

/** Certainly no process of it: an edit of before may be what keeps it from coming up, and no peer may be next. */
function down(world: World): boolean {
  const running = world.processes(processKey)
  return running.is === 'absent' || (running.is === 'present' && running.state.length === 0)
}

function notRunning(desired: ApiServerPodDesired, text: string, world: World): Planned {
  const differences = [difference('kube-apiserver', 'not running', 'running with its manifest')]
  return { is: 'unmet', differences, ops: awaits(desired, text, world) }
}

function unmet(differences: Needs['differences']): Planned {
  return { is: 'unmet', differences, ops: [] }
}
