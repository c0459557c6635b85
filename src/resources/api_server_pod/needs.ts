import type { Addition } from '../../document/edit.ts'
import type { Difference } from '../../model/resource.ts'
import { difference, showNames } from '../common/show.ts'
import { known } from '../../model/value.ts'
import { directoryOf } from '../common/paths.ts'
import { flagOf, leadsTo, type ApiServerPod } from './manifest.ts'

export const encryptionFlag = '--encryption-provider-config'

/** What the pod of kube-apiserver must have to reach the provider. */
export interface Wanted {
  /** Directory of the provider's socket: the socket itself is made anew at each start, so that a mount of it goes stale. */
  readonly socketDirectory: string
  /** Gid of the socket's group; undefined where kube-apiserver is root. */
  readonly gid?: number | undefined
  /** Its encryption configuration on the host; undefined where it is not to be looked at. */
  readonly encryption?: string | undefined
}

export interface Needs {
  /** What is missing, each with what mends it. */
  readonly additions: readonly Addition[]
  readonly differences: readonly Difference[]
  /** What stands there and is another: nobody but a person takes it away. */
  readonly contradictions: readonly Difference[]
}

/** What the pod lacks, in the order in which it is added. */
export function needsOf(pod: ApiServerPod, wanted: Wanted): Needs {
  const all = [
    groupNeeds(pod, wanted.gid),
    mountNeeds(pod, { path: wanted.socketDirectory, volume: 'openbao-kms-run', readOnly: false }),
    ...(wanted.encryption === undefined
      ? []
      : [encryptionMountNeeds(pod, wanted.encryption), flagNeeds(pod, wanted.encryption)]),
  ]
  return {
    additions: all.flatMap(({ additions }) => additions),
    differences: all.flatMap(({ differences }) => differences),
    contradictions: all.flatMap(({ contradictions }) => contradictions),
  }
}

const nothing: Needs = { additions: [], differences: [], contradictions: [] }

function contradiction(attribute: string, from: string, to: string): Needs {
  return { ...nothing, contradictions: [difference(attribute, from, to)] }
}

function groupNeeds({ supplementalGroups }: ApiServerPod, gid: number | undefined): Needs {
  if (gid === undefined || supplementalGroups.includes(gid)) return nothing
  const found = showNames(supplementalGroups.map(String))
  return {
    ...nothing,
    additions: [{ list: ['spec', 'securityContext', 'supplementalGroups'], item: gid }],
    differences: [difference('supplementalGroups', found, `${String(gid)} among them`)],
  }
}

interface Mount {
  /** Directory, the same inside as outside. */
  readonly path: string
  /** Name for the volume, where no other has it. */
  readonly volume: string
  readonly readOnly: boolean
}

function mountNeeds(pod: ApiServerPod, { path, volume, readOnly }: Mount): Needs {
  const below = pod.mounts.find(({ mountPath }) => mountPath.startsWith(`${path}/`))
  if (below !== undefined)
    return contradiction(`mount ${below.mountPath}`, 'there', `the directory ${path} alone`)
  const leads = leadsTo(pod, path)
  if (leads.is === 'elsewhere') return contradiction(`mount ${path}`, leads.why, 'the same path of the host')
  if (leads.is === 'host') {
    if (leads.path !== path) return contradiction(`mount ${path}`, leads.path, 'the same path of the host')
    const type = pod.volumes.find(({ name }) => name === leads.volume)?.hostPath?.type
    // What kubelet makes is root's, with mode 0755, and the provider could not make its socket there.
    return type === 'DirectoryOrCreate'
      ? contradiction(`type of the volume ${leads.volume}`, type, 'Directory')
      : nothing
  }
  const name = freeName(volume, pod)
  return {
    ...nothing,
    additions: [
      {
        list: ['spec', 'containers', pod.index, 'volumeMounts'],
        item: { mountPath: path, name, ...(readOnly ? { readOnly } : {}) },
      },
      { list: ['spec', 'volumes'], item: { hostPath: { path, type: 'Directory' }, name } },
    ],
    differences: [difference(`mount ${path}`, 'absent', `the same path of the host`)],
  }
}

/** The directory, since the file is put anew by a rename; a mount of the file itself serves until then. */
function encryptionMountNeeds(pod: ApiServerPod, encryption: string): Needs {
  const leads = leadsTo(pod, encryption)
  if (leads.is === 'host' && leads.path === encryption) return nothing
  return mountNeeds(pod, { path: directoryOf(encryption), volume: 'openbao-kms-encryption', readOnly: true })
}

function flagNeeds({ command, args, index }: ApiServerPod, encryption: string): Needs {
  const found = flagOf([...command, ...args], encryptionFlag)
  if (found === encryption) return nothing
  // Another configuration has other keys in it: without them what they encrypted could be read by nobody.
  if (found !== undefined) return contradiction(encryptionFlag, found, encryption)
  return {
    ...nothing,
    additions: [
      {
        list: ['spec', 'containers', index, args.length > 0 ? 'args' : 'command'],
        item: `${encryptionFlag}=${encryption}`,
      },
    ],
    differences: [difference(encryptionFlag, 'absent', encryption)],
  }
}

const configOfRke2 = '/etc/rancher/rke2/config.yaml'

/** What a need is called in the configuration of rke2: https://docs.rke2.io/reference/server_config. */
export function asKeyOfRke2({ attribute, from, to }: Difference): Difference {
  const key = (name: string, item: string): Difference => ({
    attribute: `${name} in ${configOfRke2}`,
    from,
    to: known(`${item} among them, then a restart of rke2-server.service`),
  })
  const mounted = attribute.startsWith('mount ') ? attribute.slice('mount '.length) : undefined
  if (mounted !== undefined) return key('kube-apiserver-extra-mount', `${mounted}:${mounted}`)
  if (attribute !== encryptionFlag || !to.known) return { attribute, from, to }
  return key('kube-apiserver-arg', `${encryptionFlag.slice(2)}=${to.value}`)
}

function freeName(name: string, { volumes }: ApiServerPod): string {
  const taken = new Set(volumes.map((volume) => volume.name))
  let free = name
  for (let number = 2; taken.has(free); number += 1) free = `${name}-${String(number)}`
  return free
}
