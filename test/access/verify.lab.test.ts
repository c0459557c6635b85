import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostProof } from '../../src/model/access.ts'
import { drive } from '../converge/drive.ts'
import { listing, touched } from '../converge/listing.ts'
import { startKubelet, type StandInKubelet } from '../lab/kubelet.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import type { Variant } from '../lab/variant.ts'
import { unproved, verify } from './drive.ts'

/** A converged host of each kind, and what of it cannot be proved, with the reason. */
interface Case {
  readonly is: string
  readonly variant: Variant
  readonly vars?: Readonly<Record<string, unknown>>
  /** Makes the host what the case is about. */
  readonly prepare?: string
  /** Manifests are acted upon. */
  readonly kubelet?: true
  readonly notEnforceable?: true
}

const noService =
  'systemctl disable --now kube-apiserver; rm /etc/systemd/system/kube-apiserver.service; systemctl daemon-reload'

const apiServerPod = (security: string): string =>
  `install -d -m 0755 /etc/kubernetes; install -d -m 0700 /etc/kubernetes/manifests; umask 077
cat >/etc/kubernetes/manifests/kube-apiserver.yaml <<END
apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=192.0.2.1
    image: registry.k8s.io/kube-apiserver:v1.34.1
    name: kube-apiserver
    volumeMounts:
    - mountPath: /etc/ssl/certs
      name: ca-certs
      readOnly: true
  securityContext: ${security}
  volumes:
  - hostPath:
      path: /etc/ssl/certs
      type: DirectoryOrCreate
    name: ca-certs
END`

const staticPod = {
  openbao_kms_shape: 'static_pod',
  openbao_kms_image: `ghcr.io/dc-tec/bao-kms-provider@sha256:${'a'.repeat(64)}`,
  openbao_kms_ready_within: 30,
  kube_apiserver_within: 30,
}

const cases: readonly Case[] = [
  { is: 'plain', variant: 'plain' },
  { is: 'noisy', variant: 'noisy' },
  { is: 'sudo', variant: 'sudo' },
  { is: 'bash as sh', variant: 'bash-sh' },
  {
    is: 'a read-only /usr, with other destinations',
    variant: 'rousr',
    vars: {
      openbao_kms_binary: '/opt/openbao-kms/bao-kms-provider',
      openbao_kms_doc_dir: '/opt/openbao-kms/doc',
    },
    prepare: 'mkdir -p -m 0755 /opt/openbao-kms',
  },
  {
    is: 'k3s',
    variant: 'plain',
    vars: { kube_apiserver_shape: 'k3s', openbao_kms_apiserver_user: '' },
    prepare: `${noService}; printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/k3s.service
systemctl daemon-reload; systemctl start k3s`,
    notEnforceable: true,
  },
  {
    is: 'the API server a root of its pod, the provider a service',
    variant: 'plain',
    vars: {
      kube_apiserver_shape: 'static_pod_root',
      openbao_kms_apiserver_user: '',
      kube_apiserver_within: 30,
    },
    prepare: `${noService}\n${apiServerPod('{}')}`,
    kubelet: true,
    notEnforceable: true,
  },
  {
    is: 'both in pods, the API server with a user of its own',
    variant: 'plain',
    vars: {
      ...staticPod,
      kube_apiserver_shape: 'static_pod_user',
      openbao_kms_apiserver_user: 'kube-apiserver',
    },
    prepare: `${noService}\n${apiServerPod('{runAsUser: $(id -u kube-apiserver), runAsGroup: $(id -g kube-apiserver)}')}`,
    kubelet: true,
  },
]

let lab: Lab
const kubelets: StandInKubelet[] = []
beforeAll(async () => {
  lab = await startLab({ hosts: cases.map(({ variant }) => ({ variant })) })
  await Promise.all(
    cases.map(async ({ prepare = '', vars, kubelet }, index) => {
      const host = hostOf(index)
      // A login writes /run/motd.dynamic; without it nothing but kmsfleet writes there.
      await lab.exec(host, `sed -i '/pam_motd/d' /etc/pam.d/sshd\n${prepare}`)
      if (kubelet === true) kubelets.push(await startKubelet(lab, host))
      for (const playbook of ['playbooks/rollout.yml', 'playbooks/restart-apiserver.yml']) {
        const made = await drive(lab, 'converge', {
          ...{ playbook, limit: host.name, apart: true },
          ...(vars === undefined ? {} : { extraVars: vars }),
        })
        expect(kubelets.flatMap(({ refused }) => refused)).toEqual([])
        expect(made.of('failed')).toEqual([])
        expect(made.exitCode).toBe(0)
      }
    }),
  )
})
afterAll(async () => {
  await Promise.all(kubelets.map((kubelet) => kubelet[Symbol.asyncDispose]()))
  await lab.down()
})

const hostOf = (index: number): LabHost => {
  const host = lab.hosts[index]
  if (host === undefined) throw new Error(`expected host ${String(index)}`)
  return host
}

async function prove(host: LabHost, extraVars: Readonly<Record<string, unknown>> = {}): Promise<HostProof> {
  const proof = (await verify(lab, { limit: host.name, extraVars })).get(host.name)
  if (proof === undefined) throw new Error(`expected a proof of ${host.name}`)
  return proof
}

/** What the provider wrote, wherever it runs. */
const providerLog = (host: LabHost): Promise<string> =>
  lab.exec(host, "journalctl --quiet --no-pager -o cat -u 'bao-kms-provider*' -u 'stand-in-pod-bao*'")

describe.each(cases.map((one, index) => ({ ...one, index })))('$is', ({ index, vars, notEnforceable }) => {
  test('is proved, the matrix in one round trip, with nothing changed and no word of the provider on it', async () => {
    const host = hostOf(index)
    const [before, said] = [await listing(lab, host), await providerLog(host)]
    const proof = await prove(host, vars)
    expect(touched(before, await listing(lab, host))).toEqual([])
    expect(await providerLog(host)).toBe(said)
    expect(unproved(proof)).toEqual([])
    // the matrix in one; then the socket before and while it is asked, and what the provider's own program says
    expect(proof.cost.roundTrips).toBe(vars !== undefined && 'openbao_kms_shape' in vars ? 2 : 3)
    const verdicts = new Set(proof.verdicts.map(({ verdict }) => verdict))
    expect([...verdicts].sort()).toEqual(notEnforceable === true ? ['not-enforceable', 'pass'] : ['pass'])
  })
})

describe('an API server with mounts of its own', () => {
  const jwt = '/var/lib/openbao-kms/identity.jwt'
  const proveWith = async (setting: string): Promise<HostProof> => {
    const folder = '/etc/systemd/system/kube-apiserver.service.d'
    await lab.exec(
      hostOf(0),
      `mkdir -p ${folder}; printf '[Service]\n${setting}\n' >${folder}/mounts.conf; systemctl daemon-reload; systemctl restart kube-apiserver`,
    )
    return prove(hostOf(0))
  }
  const verdictsOn = (proof: HostProof, prefix: string): readonly string[] =>
    proof.verdicts
      .filter(({ rule }) => rule.object.startsWith(prefix))
      .map(({ rule, verdict }) => `${verdict} ${rule.actor} ${rule.action} ${rule.object}`)

  const notServed = /^unknown .*kms\.sock, it answers .*: .* is not what the provider serves$/
  test.each([
    ['BindReadOnlyPaths=/var/lib/openbao-kms:/srv/elsewhere', []],
    ['InaccessiblePaths=/var/lib/openbao-kms', []],
    ['PrivateMounts=yes', []],
    ['TemporaryFileSystem=/var/lib/openbao-kms', []],
    ['InaccessiblePaths=/run/openbao-kms', [/^violated .*cannot connect to it: EACCES/, notServed]],
    ['TemporaryFileSystem=/run/openbao-kms', [/^violated .*: nothing is there to connect to$/, notServed]],
  ])('%s', async (setting, lines) => {
    const proof = await proveWith(setting)
    expect(unproved(proof)).toEqual(lines.map((line) => expect.stringMatching(line) as string))
  })

  test('is tried at the other names of a file, which may stand open there', async () => {
    const closed = await proveWith('BindReadOnlyPaths=/var/lib/openbao-kms:/srv/elsewhere')
    expect(verdictsOn(closed, '/srv/elsewhere/identity.jwt')).toEqual(
      ['read', 'write', 'replace'].map(
        (action) => `pass kube-apiserver ${action} /srv/elsewhere/identity.jwt`,
      ),
    )
    // Nobody gets to it at its own path, whose directory is closed.
    await lab.exec(hostOf(0), `chmod 0644 ${jwt}`)
    const open = await proveWith(`BindReadOnlyPaths=${jwt}:/srv/jwt`)
    expect(verdictsOn(open, '/srv/jwt')).toContain('violated kube-apiserver read /srv/jwt')
    expect(verdictsOn(open, jwt)).toContain(`pass kube-apiserver read ${jwt}`)
    await lab.exec(hostOf(0), `chmod 0640 ${jwt}`)
  })

  test('nothing is known of it in a user namespace of its own', async () => {
    const proof = await proveWith('PrivateUsers=yes')
    const own = proof.verdicts.filter(({ rule }) => rule.actor === 'kube-apiserver')
    expect(own.length).toBeGreaterThan(5)
    expect(new Set(own.map(({ verdict }) => verdict))).toEqual(new Set(['unknown']))
    await proveWith('')
  })
})

/** What the service account does while it is verified, on the host of each: what the proof must then say. */
const attacks = [
  {
    args: '/var/lib/openbao-kms links identity.jwt',
    says: /^unknown provider read .*identity\.jwt: .* moved while/,
  },
  { args: '/run/openbao-kms links kms.sock', says: /^unknown kube-apiserver connect .*: .* moved while/ },
  { args: '/var/lib/openbao-kms fifo identity.jwt', says: /^violated provider write .*identity\.jwt/ },
  {
    args: '/var/lib/openbao-kms names',
    says: /^unknown \/var\/lib\/openbao-kms, all that stands in it is known/,
  },
  {
    args: '/var/lib/openbao-kms lease identity.jwt',
    says: /^unknown provider read .*identity\.jwt: .* come to its end/,
  },
  {
    args: '/var/lib/openbao-kms sparse identity.jwt',
    says: /^unknown .*identity\.jwt, the provider can log in with it/,
  },
  { args: '/var/lib/openbao-kms kill', says: /^unknown provider/ },
] as const

describe('a service account that was taken over', () => {
  const program = (): string => join(lab.folder, 'hostile')
  beforeAll(() => {
    execFileSync('gcc', ['-O2', '-static', '-o', program(), join(import.meta.dirname, 'hostile.c')])
  })

  const each = attacks.map((one, index) => ({ ...one, index }))
  test.concurrent.each(each)('$args', async ({ args, says, index }) => {
    const host = hostOf(index)
    cpSync(program(), join(lab.liveRoot(host), 'opt/hostile'))
    await lab.exec(
      host,
      `systemd-run --quiet --unit=hostile --uid=openbao-kms --gid=openbao-kms -p SupplementaryGroups=openbao-kms-socket /opt/hostile /tmp/up ${args}
       for i in $(seq 100); do [ ! -e /tmp/up ] || exit 0; sleep 0.1; done; exit 1`,
    )
    const lines = unproved(await prove(host, cases[index]?.vars))
    await lab.exec(host, 'systemctl kill -s KILL hostile')
    expect(lines).toContainEqual(expect.stringMatching(says))
  })
})
