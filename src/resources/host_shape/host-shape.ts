import type { Problem } from '../../model/problem.ts'
import type { Resource, World } from '../../model/resource.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { problem, refused } from '../common/result.ts'
import {
  apiServerMismatch,
  shapeOfManifest,
  shapeOfUnit,
  type DeclaredApiServer,
  type FoundApiServer,
} from './shape.ts'

export interface HostShapeDesired {
  readonly provider: 'systemd' | 'static_pod'
  readonly apiServer: DeclaredApiServer
  /** Folder that kubelet watches. */
  readonly manifests: string
  /** Name of the provider's manifest, without folder. */
  readonly providerManifest: string
  /** Unit of the provider. */
  readonly providerUnit: string
}

const units = ['kube-apiserver.service', 'k3s.service', 'rke2-server.service'] as const
const manifestsOfRke2 = '/var/lib/rancher/rke2/agent/pod-manifests'
const largestManifest = 1_048_576

/** A check of what was declared of a host against what is there; a mismatch is refused before any change. */
export function hostShapeResource(desired: HostShapeDesired): Resource {
  const { provider, apiServer, manifests, providerManifest, providerUnit } = desired
  const manifest = apiServerManifest(manifests)
  const atoms: readonly ReadAtom[] = [
    ...[...units, providerUnit].map((unit) => ({ atom: 'unit', unit }) as const),
    { atom: 'path', path: manifest, digestUpTo: largestManifest, bytesUpTo: largestManifest },
    { atom: 'path', path: `${manifests}/${providerManifest}` },
    ...(apiServer.user === '' ? [] : [{ atom: 'user', name: apiServer.user } as const]),
  ]
  return {
    id: `shape:${provider}`,
    sameness: JSON.stringify(desired),
    atoms,
    plan: (world) => {
      const mismatch = providerProblem(desired, world) ?? apiServerProblem(desired, world)
      return mismatch === undefined ? { is: 'same' } : refused(mismatch)
    },
  }
}

function apiServerManifest(folder: string): string {
  return `${folder}/kube-apiserver.yaml`
}

/** Two providers would fight over one socket. */
function providerProblem(
  { provider, manifests, providerManifest, providerUnit }: HostShapeDesired,
  world: World,
): Problem | undefined {
  const path = `${manifests}/${providerManifest}`
  const unit = world.unit(providerUnit)
  const running =
    unit.is === 'present' && (unit.state.active === 'active' || unit.state.enabled === 'enabled')
  if (provider === 'systemd' && world.path(path).is === 'present') {
    return other(
      'systemd',
      `static_pod (${path})`,
      'Remove the manifest, or declare the shape that the host has.',
    )
  }
  if (provider === 'static_pod' && running) {
    return other(
      'static_pod',
      `systemd (${providerUnit})`,
      'Disable and stop the unit, or declare the shape that the host has.',
    )
  }
  return undefined
}

function other(expected: string, found: string, hint: string): Problem {
  return problem('resource.shape', expected, `expected the provider as ${expected}, found ${found}`, hint)
}

function apiServerProblem({ apiServer, manifests }: HostShapeDesired, world: World): Problem | undefined {
  const path = apiServerManifest(manifests)
  const fact = world.path(path)
  if (fact.is === 'unreadable') return fact.problem
  const found: FoundApiServer[] = []
  if (fact.is === 'present') {
    const bytes = fact.state.bytes
    const shape =
      bytes === undefined ? undefined : shapeOfManifest(Buffer.from(bytes.reveal()).toString('utf8'), path)
    if (shape === undefined) {
      return problem(
        'resource.shape',
        path,
        `expected ${path} to be a pod that root alone writes, found that it is not`,
      )
    }
    found.push(shape)
  }
  for (const name of units) {
    const unit = world.unit(name)
    if (unit.is !== 'present' || unit.state.load !== 'loaded') continue
    const shape = shapeOfUnit(name, unit.state.user ?? '')
    if (shape !== undefined) found.push(shape)
  }
  // the pod in its agent's folder is rke2's own
  const rke2 = manifests === manifestsOfRke2 && found.some(({ shape }) => shape === 'rke2')
  const all = rke2 ? found.filter(({ by }) => by !== path) : found
  const mismatch = apiServerMismatch(apiServer, all, (name) => {
    const user = name === '' ? undefined : world.user(name)
    return user?.is === 'present' && user.state.uid.known ? user.state.uid.value : undefined
  })
  if (mismatch === undefined) return undefined
  return problem(
    'resource.shape',
    'kube-apiserver',
    `expected kube-apiserver to be run as ${mismatch.expected}, found ${mismatch.found}`,
    'Declare what the host has, or change the host.',
  )
}
