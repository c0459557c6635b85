import { parsePod } from './pod.ts'

/** Ways in which people run kube-apiserver. */
export const apiServerShapes = ['static_pod_root', 'static_pod_user', 'host_service', 'k3s', 'rke2'] as const
export type ApiServerShape = (typeof apiServerShapes)[number]

/** What was found that runs an API server, with the user that it runs as; empty: root. */
export interface FoundApiServer {
  readonly shape: ApiServerShape
  readonly user: string
  /** Where it was found: a manifest, or a unit. */
  readonly by: string
}

export interface DeclaredApiServer {
  readonly shape: ApiServerShape
  /** Account that it runs as; empty: root. */
  readonly user: string
}

/** The manifest of an API server as kubelet would run it; undefined where it is no pod. */
export function shapeOfManifest(text: string, path: string): FoundApiServer | undefined {
  const pod = parsePod(text)
  if (pod === undefined) return undefined
  const user = pod.runAsUser === undefined || pod.runAsUser === 0 ? '' : String(pod.runAsUser)
  return { shape: user === '' ? 'static_pod_root' : 'static_pod_user', user, by: path }
}

/** A loaded unit that runs an API server. */
export function shapeOfUnit(unit: string, user: string): FoundApiServer | undefined {
  switch (unit) {
    case 'kube-apiserver.service':
      return { shape: 'host_service', user: isRoot(user) ? '' : user, by: unit }
    case 'k3s.service':
      return { shape: 'k3s', user: '', by: unit }
    case 'rke2-server.service':
      return { shape: 'rke2', user: '', by: unit }
    default:
      return undefined
  }
}

/**
 * How what was found contradicts what was declared, both stated; undefined where it does not. A host on which nothing
 * was found is one that is yet to become a control plane.
 *
 * @param uidOf uid of a declared account, undefined where it is not known; a manifest names users by number
 */
export function apiServerMismatch(
  declared: DeclaredApiServer,
  found: readonly FoundApiServer[],
  uidOf: (user: string) => number | undefined,
): { readonly expected: string; readonly found: string } | undefined {
  if (found.length === 0) return undefined
  const same = (one: FoundApiServer): boolean =>
    one.shape === declared.shape &&
    (one.user === declared.user || one.user === String(uidOf(declared.user) ?? '-'))
  if (found.length === 1 && found.every(same)) return undefined
  return {
    expected: describe(declared.shape, declared.user),
    found: found.map((one) => `${describe(one.shape, one.user)} (${one.by})`).join(' and '),
  }
}

function describe(shape: ApiServerShape, user: string): string {
  return `${shape} as ${user === '' ? 'root' : user}`
}

function isRoot(user: string): boolean {
  return user === '' || user === 'root' || user === '0'
}
