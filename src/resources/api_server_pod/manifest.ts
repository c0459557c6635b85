import * as z from 'zod'
import { parseDocument } from '../../document/parse.ts'
import { KmsfleetErrors } from '../../errors/error.ts'

/** The manifest of kube-apiserver, as far as it matters here; what else stands in it is kept as it is. */

const Mount = z.looseObject({ name: z.string(), mountPath: z.string(), subPath: z.string().optional() })
const Volume = z.looseObject({
  name: z.string(),
  hostPath: z.looseObject({ path: z.string(), type: z.string().optional() }).optional(),
})
const Port = z.looseObject({ name: z.string().optional(), containerPort: z.int() })
const Probe = z.looseObject({
  httpGet: z
    .looseObject({
      host: z.string().default('127.0.0.1'),
      path: z.string().default('/'),
      port: z.union([z.int(), z.string()]),
      scheme: z.enum(['HTTP', 'HTTPS']).default('HTTP'),
    })
    .optional(),
})
const Container = z.looseObject({
  name: z.string(),
  ports: z.array(Port).default([]),
  livenessProbe: Probe.optional(),
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
  /** What kubelet asks it by, where that is HTTPS; undefined where it asks nothing, or in another way. */
  readonly alive?: string | undefined
}

/** Undefined where the text is no pod of kube-apiserver. */
export function readManifest(path: string, text: string): ApiServerPod | undefined {
  try {
    const { spec } = parseDocument(path, text, Manifest).value
    const named = spec.containers.findIndex(({ name }) => name === 'kube-apiserver')
    const index = named === -1 && spec.containers.length === 1 ? 0 : named
    const container = spec.containers[index]
    if (container === undefined) return undefined
    const { name, command, args, volumeMounts: mounts } = container
    const supplementalGroups = spec.securityContext?.supplementalGroups ?? []
    const alive = aliveUrl(container)
    return { name, index, command, args, mounts, volumes: spec.volumes, supplementalGroups, alive }
  } catch (error) {
    if (error instanceof KmsfleetErrors) return undefined
    throw error
  }
}

function aliveUrl({ ports, livenessProbe }: z.output<typeof Container>): string | undefined {
  const get = livenessProbe?.httpGet
  if (get?.scheme !== 'HTTPS') return undefined
  const port =
    typeof get.port === 'number' ? get.port : ports.find(({ name }) => name === get.port)?.containerPort
  const host = get.host.includes(':') ? `[${get.host}]` : get.host
  return port === undefined || !/^\/[A-Za-z0-9/._-]*$/.test(get.path) || !/^[0-9a-f.:[\]]+$/.test(host)
    ? undefined
    : `https://${host}:${String(port)}${get.path}`
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

/** Is a flag that is on or off on? */
export function isOn(words: readonly string[], flag: string): boolean {
  const last = words.findLast((word) => word === flag || word.startsWith(`${flag}=`))
  return last === flag || (last !== undefined && /=(1|t|T|true|TRUE|True)$/.test(last))
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
