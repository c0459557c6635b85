import * as z from 'zod'
import { parseDocument } from '../../document/parse.ts'
import { KmsfleetErrors } from '../../errors/error.ts'

/** The manifest of kube-apiserver, as far as it matters here; what else stands in it is kept as it is. */

const Mount = z.looseObject({ name: z.string(), mountPath: z.string(), subPath: z.string().optional() })
const Volume = z.looseObject({
  name: z.string(),
  hostPath: z.looseObject({ path: z.string(), type: z.string().optional() }).optional(),
})
const Container = z.looseObject({
  name: z.string(),
  command: z.array(z.string()).default([]),
  args: z.array(z.string()).default([]),
  volumeMounts: z.array(Mount).default([]),
})
const Manifest = z.looseObject({
  kind: z.literal('Pod'),
  spec: z.looseObject({
    containers: z.array(Container).min(1),
    volumes: z.array(Volume).default([]),
    securityContext: z.looseObject({ supplementalGroups: z.array(z.int()).default([]) }).optional(),
  }),
})

/** The container of kube-apiserver in its pod. */
export interface ApiServerPod {
  readonly name: string
  /** Index among the containers of the pod. */
  readonly index: number
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly mounts: readonly z.output<typeof Mount>[]
  readonly volumes: readonly z.output<typeof Volume>[]
  readonly supplementalGroups: readonly number[]
}

/** Undefined where the text is no pod of kube-apiserver. */
export function readManifest(path: string, text: string): ApiServerPod | undefined {
  try {
    const { spec } = parseDocument(path, text, Manifest).value
    const named = spec.containers.findIndex(({ name }) => name === 'kube-apiserver')
    const index = named === -1 && spec.containers.length === 1 ? 0 : named
    const container = spec.containers[index]
    if (container === undefined) return undefined
    const { name, command, args, volumeMounts } = container
    const supplementalGroups = spec.securityContext?.supplementalGroups ?? []
    return { name, index, command, args, mounts: volumeMounts, volumes: spec.volumes, supplementalGroups }
  } catch (error) {
    if (error instanceof KmsfleetErrors) return undefined
    throw error
  }
}

/** What a flag was given last, as Go's programs take it; undefined where it was not. */
export function flagOf(words: readonly string[], flag: string): string | undefined {
  let value: string | undefined
  for (const [index, word] of words.entries()) {
    if (word === flag) value = words[index + 1] ?? ''
    else if (word.startsWith(`${flag}=`)) value = word.slice(flag.length + 1)
  }
  return value
}

/** Where a path inside of the container leads to on the host. */
export type Leads =
  | { readonly is: 'nowhere' }
  | { readonly is: 'host'; readonly path: string; readonly volume: string }
  /** To what is no plain host path: `why` names the mount. */
  | { readonly is: 'elsewhere'; readonly why: string }

/** By the mount that lies nearest above the path, or on it. */
export function leadsTo({ mounts, volumes }: ApiServerPod, path: string): Leads {
  const nearest = mounts
    .map((mount) => ({ ...mount, at: mount.mountPath.replace(/(.)\/+$/, '$1') }))
    .filter(({ at }) => path === at || path.startsWith(at === '/' ? '/' : `${at}/`))
    .reduce<
      { readonly name: string; readonly at: string; readonly subPath?: string | undefined } | undefined
    >((best, mount) => (best === undefined || mount.at.length >= best.at.length ? mount : best), undefined)
  if (nearest === undefined) return { is: 'nowhere' }
  const host = volumes.find(({ name }) => name === nearest.name)?.hostPath
  if (host === undefined || nearest.subPath !== undefined) {
    return { is: 'elsewhere', why: `the volume ${nearest.name} at ${nearest.at}` }
  }
  const base = host.path.replace(/(.)\/+$/, '$1')
  const rest = path.slice(nearest.at.length)
  return { is: 'host', path: `${base === '/' && rest !== '' ? '' : base}${rest}`, volume: nearest.name }
}
