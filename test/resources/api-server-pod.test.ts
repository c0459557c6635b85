import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Planned } from '../../src/model/resource.ts'
import { Digest, Secret } from '../../src/model/secret.ts'
import { known, unknown } from '../../src/model/value.ts'
import { apiserverPod } from '../../src/modules/apiserver_pod/index.ts'
import { process } from '../access/snapshot.ts'
import { context } from '../modules/context.ts'
import { directory, file, group, planAll, summary, type Paths, type WorldSpec } from './world.ts'

const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml'
const encryption = '/etc/kubernetes/openbao-kms/encryption-config.yaml'

/** As kubeadm writes it. */
const kubeadm = `apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: 192.0.2.1:6443
  creationTimestamp: null
  labels:
    component: kube-apiserver
    tier: control-plane
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=192.0.2.1
    - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key
    image: registry.k8s.io/kube-apiserver:v1.34.1
    name: kube-apiserver
    resources:
      requests:
        cpu: 250m
    volumeMounts:
    - mountPath: /etc/ssl/certs
      name: ca-certs
      readOnly: true
  hostNetwork: true
  priorityClassName: system-node-critical
  securityContext:
    seccompProfile:
      type: RuntimeDefault
  volumes:
  - hostPath:
      path: /etc/ssl/certs
      type: DirectoryOrCreate
    name: ca-certs
status: {}
`

const mounted = kubeadm
  .replace(
    '    - mountPath: /etc/ssl/certs\n',
    '    - {mountPath: /run/openbao-kms, name: run}\n    - mountPath: /etc/ssl/certs\n',
  )
  .replace(
    '  volumes:\n',
    '  volumes:\n  - {name: run, hostPath: {path: /run/openbao-kms, type: Directory}}\n',
  )

const text = (content: string): ReturnType<typeof file> => {
  const bytes = Buffer.from(content)
  return file({
    mode: 0o600,
    size: bytes.length,
    content: known(Digest.of(bytes)),
    bytes: new Secret('x', bytes),
  })
}

function plan(
  content: string | undefined,
  args: object = {},
  paths: Paths = {},
  more: WorldSpec = {},
): Planned {
  const resources = apiserverPod.resources(
    apiserverPod.args.parse({ socket_directory: '/run/openbao-kms', ...args }),
    context(),
  )
  const there: Paths = {
    '/etc/kubernetes/manifests': directory({ mode: 0o700 }),
    [manifest]: content === undefined ? null : text(content),
    '/run/openbao-kms': directory({ mode: 0o2750 }),
    [encryption]: file(),
    ...paths,
  }
  const running = { 'kube-apiserver in its pod': [process(0, 0, [])] }
  const [planned] = planAll(
    { groups: { sockets: group(998) }, processes: running, ...more, paths: there },
    ...resources,
  )
  if (planned === undefined) throw new Error('expected one resource')
  return planned
}

function written(planned: Planned): string {
  const op = planned.is === 'change' ? planned.ops[0] : undefined
  if (op?.op !== 'file-put') throw new Error(`not expected: ${planned.is}`)
  return Buffer.from(op.payload.bytes).toString()
}

test('a pod that lacks nothing and does not run is not well: no other API server may be next', () => {
  const planned = plan(mounted, {}, {}, { processes: {} })
  expect(planned.is).toBe('unmet')
  expect(summary(planned)).toEqual(['kube-apiserver: not running → running with its manifest'])
})

test('what the pod lacks is put into the manifest, and the rest stays byte for byte', () => {
  const args = { group: 'sockets', encryption_config: encryption }
  const planned = plan(kubeadm, args)
  expect(summary(planned)).toEqual([
    'supplementalGroups: none → 998 among them',
    'mount /run/openbao-kms: absent → the same path of the host',
    'mount /etc/kubernetes/openbao-kms: absent → the same path of the host',
    `--encryption-provider-config: absent → ${encryption}`,
  ])
  expect(planned).toMatchObject({ is: 'change', disruptive: true, provisional: false })
  const after = written(planned)
  const kept = new Set(kubeadm.split('\n'))
  expect(after.split('\n').filter((line) => !kept.has(line))).toEqual([
    '    - "--encryption-provider-config=/etc/kubernetes/openbao-kms/encryption-config.yaml"',
    '    - mountPath: "/run/openbao-kms"',
    '      name: "openbao-kms-run"',
    '    - mountPath: "/etc/kubernetes/openbao-kms"',
    '      name: "openbao-kms-encryption"',
    '    supplementalGroups:',
    '      - 998',
    '      path: "/run/openbao-kms"',
    '      type: "Directory"',
    '    name: "openbao-kms-run"',
    '      path: "/etc/kubernetes/openbao-kms"',
    '      type: "Directory"',
    '    name: "openbao-kms-encryption"',
  ])
  expect(parse(after)).toMatchObject({ spec: { securityContext: { supplementalGroups: [998] } } })
  expect(plan(after, args)).toEqual({ is: 'same' })
})

test.each<[string, string | undefined, object, Paths, string | readonly string[]]>([
  ['is as it shall be', mounted, {}, {}, 'same'],
  ['is not there', undefined, {}, {}, ['manifest: absent → the one that kubelet runs kube-apiserver from']],
  [
    'is no pod',
    'kind: Job\n',
    {},
    {},
    ['manifest: another → a pod of kube-apiserver that root alone writes'],
  ],
  [
    'mounts the socket itself',
    kubeadm.replaceAll('/etc/ssl/certs', '/run/openbao-kms/kms.sock'),
    {},
    {},
    ['mount /run/openbao-kms/kms.sock: there → the directory /run/openbao-kms alone'],
  ],
  [
    'mounts another directory there',
    kubeadm.replace('mountPath: /etc/ssl/certs', 'mountPath: /run/openbao-kms'),
    {},
    {},
    ['mount /run/openbao-kms: /etc/ssl/certs → the same path of the host'],
  ],
  [
    'lets kubelet make the directory',
    mounted.replace('type: Directory}', 'type: DirectoryOrCreate}'),
    {},
    {},
    ['type of the volume run: DirectoryOrCreate → Directory'],
  ],
  [
    'mounts what is above',
    kubeadm.replaceAll('/etc/ssl/certs', '/run').replace('OrCreate', ''),
    {},
    {},
    'same',
  ],
  [
    'has another encryption configuration',
    mounted.replace('    - --adv', '    - --encryption-provider-config=/etc/ssl/certs/e.yaml\n    - --adv'),
    { encryption_config: '/etc/ssl/certs/x.yaml' },
    { '/etc/ssl/certs/x.yaml': file() },
    ['--encryption-provider-config: /etc/ssl/certs/e.yaml → /etc/ssl/certs/x.yaml'],
  ],
  [
    'would name a file that is not there',
    mounted,
    { encryption_config: encryption },
    { [encryption]: null },
    [
      `${encryption}: absent → the encryption configuration, put there by \`encryption_config\``,
      'mount /etc/kubernetes/openbao-kms: absent → the same path of the host',
      `--encryption-provider-config: absent → ${encryption}`,
    ],
  ],
  [
    'would name a directory that is not there',
    kubeadm,
    {},
    { '/run/openbao-kms': null },
    [
      '/run/openbao-kms: absent → a directory, made by the role of the provider',
      'mount /run/openbao-kms: absent → the same path of the host',
    ],
  ],
  [
    'has a security context that is empty',
    mounted.replace(
      '  securityContext:\n    seccompProfile:\n      type: RuntimeDefault',
      '  securityContext:',
    ),
    { group: 'sockets' },
    {},
    ['manifest: another → a pod of kube-apiserver that root alone writes'],
  ],
  [
    'shares a list by an anchor',
    mounted
      .replace('metadata:\n', 'metadata:\n  x: &groups [5]\n')
      .replace('    seccompProfile:', '    supplementalGroups: *groups\n    seccompProfile:'),
    { group: 'sockets' },
    {},
    ['supplementalGroups: 5 → 998 among them', 'manifest: cannot be edited line by line → edited by hand'],
  ],
])('a manifest that %s', (_, content, args, paths, wanted) => {
  expect(summary(plan(content, args, paths))).toEqual(wanted)
})

test('a group that this run makes is put in once its number is known', () => {
  const gid = unknown({ after: 'group:sockets', field: 'gid' })
  const planned = plan(mounted, { group: 'sockets' }, {}, { groups: { sockets: group(0, { gid }) } })
  expect(planned).toMatchObject({ is: 'change', provisional: true, ops: [] })
  expect(summary(planned)).toEqual(['supplementalGroups: without it → (known after group:sockets gid)'])
})

test('a manifest that others write is not judged', () => {
  const others = file({ mode: 0o602, size: 10 })
  expect(summary(plan(kubeadm, {}, { [manifest]: others }))).toEqual([
    'manifest: another → a pod of kube-apiserver that root alone writes',
  ])
})

test('what rke2 writes is told as keys of its configuration, and never edited', () => {
  const planned = plan(kubeadm, { written_by: 'rke2', encryption_config: encryption })
  expect(planned).toMatchObject({ is: 'unmet', ops: [] })
  const config = 'in /etc/rancher/rke2/config.yaml'
  const restart = 'among them, then a restart of rke2-server.service'
  expect(summary(planned)).toEqual([
    `kube-apiserver-extra-mount ${config}: absent → /run/openbao-kms:/run/openbao-kms ${restart}`,
    `kube-apiserver-extra-mount ${config}: absent → /etc/kubernetes/openbao-kms:/etc/kubernetes/openbao-kms ${restart}`,
    `kube-apiserver-arg ${config}: absent → encryption-provider-config=${encryption} ${restart}`,
  ])
  expect(plan(mounted, { written_by: 'rke2' })).toEqual({ is: 'same' })
})
