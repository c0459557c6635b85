import * as z from 'zod'
import { parseDocument } from '../../document/parse.ts'
import { KmsfleetError, KmsfleetErrors } from '../../errors/error.ts'
import { oneSpelling } from '../../resources/common/paths.ts'

/* A pod's manifest, as far as it decides whom its process is and what it sees of the host. */

const Security = z
  .looseObject({
    runAsUser: z.int().min(0).optional(),
    runAsGroup: z.int().min(0).optional(),
    supplementalGroups: z.array(z.int().min(0)).default([]),
    privileged: z.boolean().optional(),
    capabilities: z.looseObject({ add: z.array(z.string()).default([]) }).optional(),
  })
  .optional()

const Mount = z.looseObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) })

const Volume = z.looseObject({
  name: z.string(),
  hostPath: z.looseObject({ path: z.string(), type: z.string().default('') }).optional(),
})

const Container = z.looseObject({
  name: z.string(),
  image: z.string().default(''),
  securityContext: Security,
  volumeMounts: z.array(Mount).default([]),
})

const Manifest = z.looseObject({
  kind: z.literal('Pod'),
  spec: z.looseObject({
    hostPID: z.boolean().default(false),
    securityContext: Security,
    containers: z.array(Container).min(1),
    initContainers: z.array(Container).default([]),
    volumes: z.array(Volume).default([]),
  }),
})

/** A directory or file of the host that a container sees. */
export interface HostMount {
  readonly hostPath: string
  /** `Directory`, `DirectoryOrCreate`, `File`, ...; empty: it is not checked. */
  readonly type: string
  readonly mountPath: string
  readonly readOnly: boolean
}

/** What a container of a pod has of the host. */
export interface Reach {
  readonly name: string
  readonly privileged: boolean
  readonly addedCapabilities: readonly string[]
  readonly mounts: readonly HostMount[]
}

export interface Pod extends Reach {
  readonly runAsUser: number
  /** Undefined where the image decides. */
  readonly runAsGroup: number | undefined
  readonly supplementalGroups: readonly number[]
  readonly image: string
  /** It sees the processes of the host. */
  readonly hostPID: boolean
  /** The pod's other containers, those that only prepare it too. */
  readonly others: readonly Reach[]
}

/**
 * The container of that name in a pod's manifest, or its first; undefined where the text is no such pod. What the
 * container says of its security goes before what the pod says.
 */
export function readPod(path: string, text: string, container: string | undefined): Pod | undefined {
  try {
    const { spec } = parseDocument(path, text, Manifest).value
    const found =
      spec.containers.length === 1
        ? spec.containers[0]
        : spec.containers.find(({ name }) => container === undefined || name === container)
    if (found === undefined) return undefined
    const own = found.securityContext
    return {
      ...reachOf(found, spec.volumes),
      runAsUser: own?.runAsUser ?? spec.securityContext?.runAsUser ?? 0,
      runAsGroup: own?.runAsGroup ?? spec.securityContext?.runAsGroup,
      supplementalGroups: spec.securityContext?.supplementalGroups ?? [],
      image: found.image,
      hostPID: spec.hostPID,
      others: [...spec.containers, ...spec.initContainers]
        .filter((each) => each !== found)
        .map((each) => reachOf(each, spec.volumes)),
    }
  } catch (error) {
    if (error instanceof KmsfleetError || error instanceof KmsfleetErrors) return undefined
    throw error
  }
}

function reachOf(
  { name, securityContext, volumeMounts }: z.infer<typeof Container>,
  volumes: readonly z.infer<typeof Volume>[],
): Reach {
  return {
    name,
    privileged: securityContext?.privileged ?? false,
    addedCapabilities: securityContext?.capabilities?.add ?? [],
    mounts: volumeMounts.flatMap((mount) => {
      const hostPath = volumes.find((volume) => volume.name === mount.name)?.hostPath
      if (hostPath === undefined) return []
      const { mountPath, readOnly } = mount
      return [
        {
          hostPath: oneSpelling(hostPath.path),
          type: hostPath.type,
          mountPath: oneSpelling(mountPath),
          readOnly,
        },
      ]
    }),
  }
}
