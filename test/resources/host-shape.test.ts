import { expect, test } from 'vitest'
import {
  apiServerMismatch,
  shapeOfManifest,
  shapeOfUnit,
  type DeclaredApiServer,
  type FoundApiServer,
} from '../../src/resources/host_shape/shape.ts'

const pod = (spec: string): string => `apiVersion: v1\nkind: Pod\nspec:\n  ${spec}\n`
const path = '/m/kube-apiserver.yaml'
const root: FoundApiServer = { shape: 'static_pod_root', user: '', by: path }
const service: FoundApiServer = { shape: 'host_service', user: 'kube', by: 'kube-apiserver.service' }

test.each<[string, FoundApiServer | undefined]>([
  [pod('containers: [{name: a}]'), root],
  [pod('containers: [{name: a, securityContext: {runAsUser: 0}}]'), root],
  [
    pod('{securityContext: {runAsUser: 2001}, containers: [{name: a}]}'),
    { ...root, shape: 'static_pod_user', user: '2001' },
  ],
  [
    pod('{securityContext: {runAsUser: 2001}, containers: [{name: a, securityContext: {runAsUser: 0}}]}'),
    root,
  ],
  ['kind: ConfigMap\n', undefined],
  ['{', undefined],
])('the shape of the manifest %j', (text, wanted) => {
  expect(shapeOfManifest(text, path)).toEqual(wanted)
})

test.each([
  ['kube-apiserver.service', 'kube', service],
  ['kube-apiserver.service', 'root', { ...service, user: '' }],
  ['k3s.service', '', { shape: 'k3s', user: '', by: 'k3s.service' }],
  ['rke2-server.service', '', { shape: 'rke2', user: '', by: 'rke2-server.service' }],
  ['other.service', '', undefined],
])('the shape of the unit %s as %j', (unit, user, wanted) => {
  expect(shapeOfUnit(unit, user)).toEqual(wanted)
})

const declared = (shape: DeclaredApiServer['shape'], user = ''): DeclaredApiServer => ({ shape, user })
const byNumber: FoundApiServer = { shape: 'static_pod_user', user: '2001', by: path }

test.each<[string, DeclaredApiServer, readonly FoundApiServer[], string | undefined]>([
  ['nothing is there yet', declared('k3s'), [], undefined],
  ['the same', declared('static_pod_root'), [root], undefined],
  ['another shape', declared('k3s'), [root], `k3s as root | static_pod_root as root (${path})`],
  [
    'another user',
    declared('host_service', 'other'),
    [service],
    'host_service as other | host_service as kube (kube-apiserver.service)',
  ],
  [
    'root and not the user',
    declared('host_service', 'kube'),
    [{ ...service, user: '' }],
    'host_service as kube | host_service as root (kube-apiserver.service)',
  ],
  ['a name for the number', declared('static_pod_user', 'kas'), [byNumber], undefined],
  [
    'another number',
    declared('static_pod_user', 'other'),
    [byNumber],
    `static_pod_user as other | static_pod_user as 2001 (${path})`,
  ],
  [
    'two of them',
    declared('static_pod_root'),
    [root, service],
    `static_pod_root as root | static_pod_root as root (${path}) and host_service as kube (kube-apiserver.service)`,
  ],
])('declared against found: %s', (_, wanted, found, mismatch) => {
  const result = apiServerMismatch(wanted, found, (name) => (name === 'kas' ? 2001 : undefined))
  expect(result === undefined ? undefined : `${result.expected} | ${result.found}`).toBe(mismatch)
})
