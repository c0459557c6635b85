import { describe, expect, test } from 'vitest'
import { accountsOf } from '../../../src/access/actors/accounts.ts'
import { hostChecks } from '../../../src/access/checks/all.ts'
import type { Actor, Matrix, MatrixRule, Target } from '../../../src/model/access.ts'
import type { Snapshot } from '../../../src/model/facts.ts'
import { group, snapshotWith, text, user, withAncestors } from '../snapshot.ts'

const place = { file: 'access.yml', line: 1, column: 1 }
const manifests = '/etc/kubernetes/manifests'
const jwt = '/var/lib/kms/credentials/identity.jwt'
const config = '/etc/kms/config.yaml'

const actor = (name: string, changes: Partial<Actor>): Actor => ({
  ...{ name, description: name, capabilities: 'any', user: 'root', place },
  running: { by: 'pod', namespace: 'kube-system', name, manifest: `${manifests}/${name}.yaml` },
  ...changes,
})
const provider = actor('kms', { user: '65532', group: '65532', groups: ['65532', 'kms-socket'] })
const api = actor('kube-apiserver', { user: 'root' })

const rule = (of: Actor, must: boolean, objectClass: string, target: Target): MatrixRule => ({
  ...{ actor: of.name, action: 'read', must, objectClass, target, because: 'b', source: 's', place },
})
const path = (at: string): Target => ({ is: 'path', path: at })
const matrix: Matrix = {
  actors: new Map([provider, api].map((each) => [each.name, each])),
  rules: [
    rule(provider, true, 'auth material', path(jwt)),
    rule(provider, true, 'auth material', { is: 'named', file: config, keys: ['auth.jwt.jwtFile'] }),
    rule(provider, true, 'configuration', path(config)),
    rule(provider, true, 'provider state', path('/var/lib/kms/state')),
    rule(provider, true, 'runtime directory', path('/run/kms')),
    rule(api, true, 'socket', path('/run/kms/kms.sock')),
    rule(api, false, 'stray copies', { is: 'others', folder: '/etc/kms' }),
  ],
  kmsSockets: [],
  leftBehind: [],
  outside: [],
}

interface PodParts {
  readonly security?: string
  readonly image?: string
  /** `hostPath type` of each mount. */
  readonly mounts?: readonly string[]
  readonly container?: string
  /** More of `spec`. */
  readonly more?: Readonly<Record<string, unknown>>
}
const manifest = ({
  security = '{}',
  image = 'i:v1',
  mounts = [],
  container = '{}',
  more = {},
}: PodParts): string =>
  JSON.stringify({
    kind: 'Pod',
    spec: {
      securityContext: 'SECURITY',
      containers: [
        {
          name: 'c',
          image,
          securityContext: 'CONTAINER',
          volumeMounts: mounts.map((_, index) => ({ name: String(index), mountPath: `/m${String(index)}` })),
        },
      ],
      volumes: mounts.map((each, index) => {
        const [hostPath, type] = each.split(' ')
        return { name: String(index), hostPath: { path: hostPath, type } }
      }),
      ...more,
    },
  })
    .replace('"SECURITY"', security)
    .replace('"CONTAINER"', container)

const right = {
  provider: {
    security: '{"runAsUser": 65532, "runAsGroup": 65532, "supplementalGroups": [701]}',
    image: `r@sha256:${'5'.repeat(64)}`,
    mounts: [
      '/run/kms Directory',
      '/var/lib/kms/credentials Directory',
      '/var/lib/kms/state Directory',
      `${config} File`,
    ],
  },
  api: {
    mounts: ['/run/kms Directory', '/etc/ssl/certs DirectoryOrCreate', '/etc/kubernetes/pki Directory'],
  },
  socketGroup: '"701"',
} as const

/** Nothing of it is looked into here. */
const absent = { is: 'absent' } as const
const there = { [jwt]: absent, '/var/lib/kms/state': absent, '/run/kms': absent, '/run/kms/kms.sock': absent }

interface Case {
  readonly provider?: PodParts
  readonly api?: PodParts
  readonly socketGroup?: string
  readonly metrics?: string
  readonly jwtFile?: string
  readonly users?: Snapshot['users']
  readonly groups?: Snapshot['groups']
}
const found = (given: Case): readonly string[] => {
  const configuration = `{server: {socketGroup: ${given.socketGroup ?? right.socketGroup}, metricsAddress: "${given.metrics ?? '127.0.0.1:8081'}"}, auth: {jwt: {jwtFile: ${given.jwtFile ?? jwt}}}}\n`
  const snapshot = snapshotWith({
    users: new Map([['root', user(0, 0)], ...(given.users ?? [])]),
    groups: new Map([['root', group(0)], ['kms-socket', group(701)], ...(given.groups ?? [])]),
    paths: withAncestors({
      ...there,
      [`${manifests}/kms.yaml`]: text(manifest({ ...right.provider, ...given.provider })),
      [`${manifests}/kube-apiserver.yaml`]: text(manifest({ ...right.api, ...given.api })),
      [config]: text(configuration),
    }),
  })
  return hostChecks(matrix, snapshot, accountsOf(snapshot), 0)
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ subject, verdict, finding }) => `${verdict} ${subject.replace(`${manifests}/`, '')}: ${finding}`)
}

describe('the manifests of static pods against the host', () => {
  const [run, ...others] = right.provider.mounts
  test.each<readonly [string, Case, readonly string[]]>([
    ['as they shall be', {}, []],
    [
      'another gid in the manifest of the provider',
      { provider: { security: '{"runAsUser": 65532, "supplementalGroups": [702]}' } },
      ['violated kms.yaml: supplementalGroups is 702, the host has kms-socket with gid 701'],
    ],
    [
      'one group more in it',
      { provider: { security: '{"runAsUser": 65532, "supplementalGroups": [4, 701]}' } },
      ['violated kms.yaml: supplementalGroups is 4, 701, the host has kms-socket with gid 701'],
    ],
    [
      'no group in it',
      { provider: { security: '{"runAsUser": 65532}' } },
      ['violated kms.yaml: supplementalGroups is empty, the host has kms-socket with gid 701'],
    ],
    [
      'another gid in the configuration',
      { socketGroup: '"702"' },
      [`violated ${config}: it is 702, the host has kms-socket with gid 701`],
    ],
    [
      'a name in the configuration',
      { socketGroup: 'kms-socket' },
      [
        `violated ${config}: it is the name kms-socket, which the pod's own files do not have: it must be the gid`,
      ],
    ],
    [
      'the socket mounted as a file',
      { provider: { mounts: ['/run/kms/kms.sock Socket', ...others] } },
      [
        "violated kms.yaml: /run/kms/kms.sock is mounted as a file: at the provider's next start it is another one; /run/kms is not mounted",
      ],
    ],
    [
      'the directory of the socket made by kubelet',
      { api: { mounts: ['/run/kms DirectoryOrCreate'] } },
      [
        "violated kube-apiserver.yaml: /run/kms is DirectoryOrCreate: what kubelet makes is root's, with mode 0755",
      ],
    ],
    [
      'the API server without the socket',
      { api: { mounts: [] } },
      ['violated kube-apiserver.yaml: /run/kms is not mounted'],
    ],
    [
      'the API server with all of /etc and /var/lib',
      { api: { mounts: [run, '/etc Directory', '/var/lib Directory'] } },
      ['violated kube-apiserver.yaml: it mounts /etc; it mounts /var/lib'],
    ],
    [
      'the API server with the credentials',
      { api: { mounts: [run, '/var/lib/kms/credentials Directory'] } },
      ['violated kube-apiserver.yaml: it mounts /var/lib/kms/credentials'],
    ],
    [
      'the API server with what only has the same beginning',
      { api: { mounts: [run, '/etc/kms-other Directory', '/var/lib/kms-x Directory'] } },
      [],
    ],
    [
      'a privileged API server',
      { api: { container: '{"privileged": true}' } },
      ['violated kube-apiserver.yaml: it is privileged, which opens all of the host to it'],
    ],
    [
      'the same directories, spelt in another way',
      {
        provider: { mounts: ['/var/run/kms/ Directory', ...others] },
        api: { mounts: ['/var/run/kms Directory'] },
      },
      [],
    ],
    [
      'the API server with the credentials, by a slash at the end and by /etc//kms',
      { api: { mounts: [run, '/var/lib/kms/credentials/ Directory', '/etc//kms Directory'] } },
      ['violated kube-apiserver.yaml: it mounts /var/lib/kms/credentials; it mounts /etc/kms'],
    ],
    [
      'the API server with a file that only the configuration names, and with the configuration',
      {
        jwtFile: '/srv/token',
        api: { mounts: [run, '/srv Directory', `${config} File`] },
      },
      ['violated kube-apiserver.yaml: it mounts /srv; it mounts /etc/kms/config.yaml'],
    ],
    [
      'other containers of its pod with the credentials',
      {
        api: {
          mounts: [run],
          more: {
            containers: [
              { name: 'kube-apiserver', volumeMounts: [{ name: '0', mountPath: '/run/kms' }] },
              { name: 'agent', volumeMounts: [{ name: '1', mountPath: '/x' }] },
            ],
            initContainers: [
              {
                name: 'first',
                securityContext: { privileged: true },
                volumeMounts: [{ name: '1', mountPath: '/x' }],
              },
            ],
            volumes: [
              { name: '0', hostPath: { path: '/run/kms' } },
              { name: '1', hostPath: { path: '/var/lib/kms' } },
            ],
          },
        },
      },
      [
        'violated kube-apiserver.yaml: its container agent mounts /var/lib/kms; its container first mounts /var/lib/kms',
        'violated kube-apiserver.yaml: its container first is privileged, which opens all of the host to it',
      ],
    ],
    [
      'pods that see the processes of the host',
      { provider: { more: { hostPID: true } }, api: { more: { hostPID: true } } },
      [
        'violated kms.yaml: it has hostPID: by /proc it sees the processes of the host, and their files',
        'violated kube-apiserver.yaml: it has hostPID: by /proc it sees the processes of the host, and their files',
      ],
    ],
    [
      'capabilities that open the host',
      {
        api: { container: '{"capabilities": {"add": ["NET_BIND_SERVICE", "SYS_ADMIN", "CAP_SYS_PTRACE"]}}' },
      },
      [
        'violated kube-apiserver.yaml: it has the capability SYS_ADMIN, which opens all of the host to it; it has the capability SYS_PTRACE, which opens all of the host to it',
      ],
    ],
    [
      'the API server as another user without the group',
      { api: { security: '{"runAsUser": 800, "supplementalGroups": [700]}' } },
      ['violated kube-apiserver.yaml: supplementalGroups is 700, which lacks 701'],
    ],
    [
      'the token mounted as a file',
      { provider: { mounts: [run, `${jwt} File`] } },
      [
        `violated kms.yaml: ${jwt} is mounted as a file: the pod keeps the old one when a new one takes its place`,
      ],
    ],
    [
      'an image by its tag',
      { provider: { image: 'r:v1' } },
      ['violated kms.yaml: r:v1 can be another image at the next start'],
    ],
    [
      'a user with the number of the pod',
      { users: new Map([['nonroot', user(65532, 100)]]) },
      ['violated 65532:65532: the user nonroot has uid 65532'],
    ],
    [
      'a group with the number of the pod, and a user in it',
      { users: new Map([['x', user(900, 65532)]]), groups: new Map([['nonroot', group(65532)]]) },
      ['violated 65532:65532: the group nonroot has gid 65532; the primary group of x is gid 65532'],
    ],
    [
      'two names of one gid',
      { groups: new Map([['twin', group(701)]]) },
      ['violated kms-socket: twin has gid 701 too: to the kernel they are one'],
    ],
    [
      'metrics for everybody',
      { metrics: '0.0.0.0:8081' },
      [`violated ${config}: server.metricsAddress is 0.0.0.0:8081`],
    ],
    [
      'metrics for everybody, by IPv6',
      { metrics: '[::]:8081' },
      [`violated ${config}: server.metricsAddress is [::]:8081`],
    ],
  ])('%s', (_, given, expected) => {
    expect(found(given)).toEqual(expected)
  })

  test('a configuration that others can write is not believed', () => {
    const snapshot = snapshotWith({ paths: withAncestors({ ...there, [config]: { is: 'absent' } }) })
    expect(
      hostChecks(matrix, snapshot, accountsOf(snapshot), 0).filter(({ verdict }) => verdict === 'unknown'),
    ).toMatchObject([{ subject: config, finding: 'it is not there' }])
  })
})
