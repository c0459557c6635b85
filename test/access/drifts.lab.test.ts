import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostProof } from '../../src/model/access.ts'
import { drive, type Driven } from '../converge/drive.ts'
import { startKubelet, type StandInKubelet } from '../lab/kubelet.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { unproved, verify } from './drive.ts'
import { drifts, encryption, type Drift, type Told } from './drifts.ts'

/**
 * Every drift of the catalogue is made on a converged host, told by `plan` and `verify` in the words of its row and in no
 * others, and mended. There is no command `drift` yet; what it will tell is what these two do. Many hosts drift at once:
 * each is a cluster of its own, so that none waits for another. That the next drift of a host is told alone shows that the
 * one before is mended.
 */

/** Hosts that run the provider as a service, and those that run it as a static pod. */
const hostsOf = { systemd: 8, 'static pod': 2 } as const

const identityOf = {
  openbao_kms_jwt_issuer: 'https://issuer.lab.invalid',
  openbao_kms_jwt_audience: 'openbao',
  openbao_kms_jwt_subject: 'kmsfleet-lab',
  kube_apiserver_encryption_config: encryption,
  openbao_kms_ready_within: 30,
  kube_apiserver_within: 30,
}
const varsOf = {
  systemd: identityOf,
  'static pod': {
    ...identityOf,
    openbao_kms_shape: 'static_pod',
    openbao_kms_image: `ghcr.io/dc-tec/bao-kms-provider@sha256:${'5'.repeat(64)}`,
    openbao_kms_apiserver_user: 'kube-apiserver',
    kube_apiserver_shape: 'static_pod_user',
  },
} as const
type Shape = keyof typeof varsOf
const shapes = Object.keys(varsOf) as readonly Shape[]

const apiServerPod = (uid: string, gid: string): string => `apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command: [kube-apiserver, --advertise-address=192.0.2.1]
    image: registry.k8s.io/kube-apiserver:v1.34.1
    name: kube-apiserver
    volumeMounts:
    - {mountPath: /etc/ssl/certs, name: ca-certs, readOnly: true}
  hostNetwork: true
  securityContext:
    runAsUser: ${uid}
    runAsGroup: ${gid}
  volumes:
  - hostPath:
      path: /etc/ssl/certs
      type: DirectoryOrCreate
    name: ca-certs
`

const encryptionText = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - kms:
      apiVersion: v2
      name: openbao-kms-lab
      endpoint: unix:///run/openbao-kms/kms.sock
  - identity: {}
`

let lab: Lab
const kubelets: StandInKubelet[] = []

const limitOf = (shape: Shape): string =>
  hostsWith(shape)
    .map(({ name }) => name)
    .join(',')
const hostsWith = (shape: Shape): readonly LabHost[] =>
  shape === 'systemd' ? lab.hosts.slice(0, hostsOf.systemd) : lab.hosts.slice(hostsOf.systemd)

const run = (shape: Shape, command: 'plan' | 'converge', playbook?: string): Promise<Driven> =>
  drive(lab, command, {
    limit: limitOf(shape),
    apart: true,
    extraVars: varsOf[shape],
    ...(playbook === undefined ? {} : { playbook }),
  })

/** What plan tells of a host, without what only waits for a change. */
function planLines(driven: Driven, host: string): readonly string[] {
  const planned = driven.of('planned', host)[0]
  if (planned === undefined) return [`no plan: ${JSON.stringify(driven.ended(host).problem)}`]
  const due = driven
    .ended(host)
    .due.flatMap(({ resource, differences }) =>
      differences.map(
        ({ attribute, from, to }) => `due ${resource} ${attribute} ${JSON.stringify([from, to])}`,
      ),
    )
  return [...driven.planned(host).filter((line) => !line.endsWith(' pending')), ...due]
}

interface Seen {
  readonly plan: readonly string[]
  readonly verify: readonly string[]
  /** What went wrong with the making and mending of it. */
  readonly failed: readonly string[]
  readonly changed: boolean
}
const seen = new Map<Drift, Seen>()
let clean: ReadonlyMap<string, readonly string[]> = new Map()

beforeAll(async () => {
  lab = await startLab({
    hosts: Array.from({ length: hostsOf.systemd + hostsOf['static pod'] }, () => ({
      variant: 'plain' as const,
    })),
  })
  await Promise.all(lab.hosts.map(prepare))
  for (const host of hostsWith('static pod')) kubelets.push(await startKubelet(lab, host))
  await Promise.all(
    shapes.map(async (shape) => {
      expect((await run(shape, 'converge')).of('failed')).toEqual([])
      expect((await run(shape, 'converge', 'playbooks/restart-apiserver.yml')).of('failed')).toEqual([])
    }),
  )
  clean = await told()
  const queues = shapes.map((shape) => drifts.filter((drift) => drift.shape === shape))
  const rounds = Math.max(
    ...queues.map((queue, index) => Math.ceil(queue.length / hostsOf[shapes[index] ?? 'systemd'])),
  )
  for (let round = 0; round < rounds; round += 1) await playRound(round)
  clean = new Map([
    ...clean,
    ...[...(await told())].map(([host, lines]) => [`${host} at the end`, lines] as const),
  ])
}, 300_000)
afterAll(async () => {
  await Promise.all(kubelets.map((kubelet) => kubelet[Symbol.asyncDispose]()))
  await lab.down()
})

async function prepare(host: LabHost): Promise<void> {
  const pod = hostsWith('static pod').includes(host)
  const [uid = '', gid = ''] = (await lab.exec(host, 'id -u kube-apiserver; id -g kube-apiserver')).split(
    '\n',
  )
  await lab.exec(
    host,
    `sed -i '/pam_motd/d' /etc/pam.d/sshd
     install -d -m 0755 /etc/kubernetes /etc/kubernetes/openbao-kms
     cat >${encryption} <<'END'\n${encryptionText}END
     ${
       pod
         ? `systemctl disable --now kube-apiserver; rm /etc/systemd/system/kube-apiserver.service; systemctl daemon-reload
            install -d -m 0700 /etc/kubernetes/manifests
            cat >/etc/kubernetes/manifests/kube-apiserver.yaml <<'END'\n${apiServerPod(uid, gid)}END
            chmod 0600 /etc/kubernetes/manifests/kube-apiserver.yaml`
         : ''
     }`,
  )
}

/** What is told of all hosts as they are. */
async function told(): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = await Promise.all(
    shapes.map(async (shape) => {
      const plan = await run(shape, 'plan')
      const proofs = await proofsOf(shape)
      return hostsWith(shape).map(
        ({ name }) => [name, [...planLines(plan, name), ...unprovedOf(proofs, name)]] as const,
      )
    }),
  )
  return new Map(found.flat())
}

const proofsOf = (shape: Shape): Promise<ReadonlyMap<string, HostProof>> =>
  verify(lab, { limit: limitOf(shape), extraVars: varsOf[shape] })

function unprovedOf(proofs: ReadonlyMap<string, HostProof>, host: string): readonly string[] {
  const proof = proofs.get(host)
  return proof === undefined ? ['not proved'] : unproved(proof)
}

/** One drift on each host: made, told, mended. */
async function playRound(round: number): Promise<void> {
  await Promise.all(
    shapes.map(async (shape) => {
      const hosts = hostsWith(shape)
      const own = drifts
        .filter((drift) => drift.shape === shape)
        .slice(round * hosts.length, (round + 1) * hosts.length)
        .flatMap((drift, index) => {
          const host = hosts[index]
          return host === undefined ? [] : [{ drift, host }]
        })
      if (own.length === 0) return
      const failures = new Map<Drift, string>()
      const script = async ({ drift, host }: (typeof own)[number], text: string): Promise<void> => {
        await lab.exec(host, text).catch((error: unknown) => failures.set(drift, String(error)))
      }
      await Promise.all(own.map((each) => script(each, each.drift.make)))
      const plan = await run(shape, 'plan')
      const proofs = await proofsOf(shape)
      await Promise.all(
        own.map((each) =>
          each.drift.mends === 'converge' ? Promise.resolve() : script(each, each.drift.mends.person),
        ),
      )
      const made = await run(shape, 'converge')
      for (const { drift, host } of own) {
        seen.set(drift, {
          plan: planLines(plan, host.name),
          verify: unprovedOf(proofs, host.name),
          failed: [failures.get(drift), made.ended(host.name).problem?.message].flatMap((each) => each ?? []),
          changed: made.done(host.name).length > 0,
        })
      }
    }),
  )
}

/** What follows from nearly every drift: the provider itself refuses what it finds, and its socket does not answer. */
const echoes = [
  /, doctor, as provider: /,
  /, provider reads .*config.yaml: exit status 3/,
  /, it answers Status, Encrypt and Decrypt as /,
]

function expectTold(lines: readonly string[], expected: Told | undefined): void {
  const { says, follows = [] } = expected ?? { says: [] }
  const allowed = says.length === 0 ? [] : [...says, ...follows, ...echoes]
  expect(says.filter((each) => !lines.some((line) => each.test(line))).map(String)).toEqual([])
  expect(lines.filter((line) => !allowed.some((each) => each.test(line)))).toEqual([])
}

test('nothing is told of hosts without a drift, before and after', () => {
  expect([...clean].filter(([, lines]) => lines.length > 0)).toEqual([])
})

test('all 45 are there', () => {
  expect([...new Set(drifts.map(({ number }) => number))]).toEqual(
    Array.from({ length: 45 }, (_, index) => index + 1),
  )
  // One that no command tells has no place here: it would be a test that cannot fail.
  expect(drifts.filter(({ plan, verify: proof }) => plan === undefined && proof === undefined)).toEqual([])
})

describe.each(drifts.map((drift) => [`${String(drift.number)} ${drift.title}`, drift] as const))(
  '%s',
  (_, drift) => {
    test('is told and mended', () => {
      const found = seen.get(drift)
      if (found === undefined) throw new Error('expected it to be made')
      expectTold(found.plan, drift.plan)
      expectTold(found.verify, drift.verify)
      expect(found.failed).toEqual([])
      if (drift.mends === 'converge') expect(found.changed).toBe(true)
    })
  },
)
