import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kmsfleet, type CliEnd } from '../converge/cli.ts'
import { drive, type Driven } from '../converge/drive.ts'
import { listing, touched } from '../converge/listing.ts'
import { startKubelet, type StandInKubelet } from '../lab/kubelet.ts'
import { callKms } from '../lab/kms.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'

/** The provider as a static pod: a stand-in for kubelet runs it with the numbers of the manifest. */

const image = `ghcr.io/dc-tec/bao-kms-provider@sha256:${'5'.repeat(64)}`
const manifest = '/etc/kubernetes/manifests/bao-kms-provider.yaml'

let lab: Lab
let folder: string
const kubelets: StandInKubelet[] = []
const hostOf = (index: number): LabHost => {
  const host = lab.hosts[index]
  if (host === undefined) throw new Error(`expected host ${String(index)}`)
  return host
}

beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }, { variant: 'plain' }] })
  folder = mkdtempSync(join(tmpdir(), 'kmsfleet-shapes-'))
  await Promise.all(
    lab.hosts.map((host, index) =>
      // Other groups were made on one of them before: the socket group will not have one gid everywhere.
      lab.exec(
        host,
        `sed -i '/pam_motd/d' /etc/pam.d/sshd; install -d -m 0755 /etc/kubernetes; install -d -m 0700 /etc/kubernetes/manifests
         ${'groupadd --system before; '.repeat(index)}`,
      ),
    ),
  )
  kubelets.push(...(await Promise.all(lab.hosts.map((host) => startKubelet(lab, host)))))
})
afterAll(async () => {
  await Promise.all(kubelets.map((kubelet) => kubelet[Symbol.asyncDispose]()))
  await lab.down()
  rmSync(folder, { recursive: true })
})

function playbook(name: string, role: string): string {
  const file = join(folder, `${name}.yml`)
  writeFileSync(
    file,
    `- name: Static pod
  hosts: all
  secrets:
    openbao_kms_identity_jwt:
      file: '{{ openbao_kms_identity_jwt_file }}'
  roles:
    - ${role}
`,
  )
  return file
}

const run = (
  command: 'plan' | 'converge',
  extraVars: Readonly<Record<string, unknown>> = {},
  limit = 'all',
): Promise<Driven> =>
  drive(lab, command, {
    limit,
    playbook: playbook('static-pod', 'openbao_kms_static_pod'),
    extraVars: {
      openbao_kms_image: image,
      openbao_kms_ready_within: 30,
      openbao_kms_apiserver_user: 'kube-apiserver',
      ...extraVars,
    },
  })

const gidOn = async (host: LabHost): Promise<string> =>
  (await lab.exec(host, 'getent group openbao-kms-socket | cut -d: -f3')).trim()

/** What the host itself says of the model, by no way of the product's. */
async function modelOn(host: LabHost): Promise<readonly string[]> {
  const paths =
    '/etc/openbao-kms /etc/openbao-kms/config.yaml /etc/openbao-kms/tls/ca.crt /var/lib/openbao-kms ' +
    '/var/lib/openbao-kms/credentials/identity.jwt /var/lib/openbao-kms/state /run/openbao-kms /run/openbao-kms/kms.sock ' +
    manifest
  return (await lab.exec(host, `stat -c '%n %u:%g %a' ${paths}; getfacl -cps ${paths}`)).trim().split('\n')
}

const modelWith = (gid: string): readonly string[] => [
  '/etc/openbao-kms 0:65532 750',
  '/etc/openbao-kms/config.yaml 0:65532 640',
  '/etc/openbao-kms/tls/ca.crt 0:0 644',
  '/var/lib/openbao-kms 65532:65532 750',
  '/var/lib/openbao-kms/credentials/identity.jwt 0:65532 640',
  '/var/lib/openbao-kms/state 65532:65532 750',
  `/run/openbao-kms 65532:${gid} 2750`,
  `/run/openbao-kms/kms.sock 65532:${gid} 660`,
  `${manifest} 0:0 600`,
]

test('an account with the number of the pod is refused before any change', async () => {
  await lab.exec(hostOf(0), 'groupadd -g 65532 someone')
  const before = await listing(lab, hostOf(0))
  const made = await run('converge', {}, 'h1')
  expect(made.problem('h1')).toMatchObject({ code: 'resource.id' })
  expect(made.problem('h1').message).toContain('found someone')
  expect(touched(before, await listing(lab, hostOf(0)))).toEqual([])
  await lab.exec(hostOf(0), 'groupdel someone')
})

test('a socket group with the number of the pod is refused before any change', async () => {
  const before = await listing(lab, hostOf(0))
  const made = await run('converge', { openbao_kms_socket_gid: 65532 }, 'h1')
  expect(made.problem('h1')).toMatchObject({ code: 'resource.id' })
  expect(made.problem('h1').message).toContain('found openbao-kms-socket')
  expect(touched(before, await listing(lab, hostOf(0)))).toEqual([])
})

test('from a bare host in one run, with the gid of each host in both places', async () => {
  const plan = await run('plan')
  expect(plan.exitCode).toBe(2)
  const lines = plan.planned('h1')
  const contentOf = (id: string): string | undefined =>
    lines.find((line) => line.startsWith(`${id} content `))
  expect(contentOf('file:/etc/openbao-kms/config.yaml')).toMatch(/group:openbao-kms-socket/)
  expect(contentOf(`static-pod:${manifest}`)).toMatch(/group:openbao-kms-socket/)

  const made = await run('converge')
  expect(kubelets.map(({ refused }) => refused)).toEqual([[], []])
  expect(made.of('failed')).toEqual([])
  expect(made.exitCode).toBe(0)
  const gids = await Promise.all(lab.hosts.map(gidOn))
  expect(new Set(gids).size).toBe(2)
  for (const [index, host] of lab.hosts.entries()) {
    const gid = gids[index] ?? ''
    expect(await modelOn(host)).toEqual(modelWith(gid))
    const texts = await lab.exec(
      host,
      `cat ${manifest} /etc/openbao-kms/config.yaml; id openbao-kms 2>&1 || :`,
    )
    expect(texts).toMatch(new RegExp(`supplementalGroups:\\s+- ${gid}\\n`))
    expect(texts).toContain(`socketGroup: "${gid}"`)
    expect(texts).toContain('no such user')
    expect(await callKms(lab, host, 'Status', {})).toMatchObject({ healthz: 'ok' })
    expect(kubelets[index]?.refused).toEqual([])
  }
})

test('kubelet saw the manifest come by one rename, and nothing else that it would read', () => {
  for (const kubelet of kubelets) {
    expect(kubelet.seen.filter((event) => !event.split(' ')[1]?.startsWith('.'))).toEqual([
      'rename bao-kms-provider.yaml',
    ])
    expect(kubelet.starts('bao-kms-provider.yaml')).toBe(1)
  }
})

test('a second run writes nothing', async () => {
  const before = await listing(lab, hostOf(0))
  const again = await run('converge')
  expect(again.exitCode).toBe(0)
  expect(again.ended('h1')).toMatchObject({ outcome: 'ok', changed: 0 })
  expect(touched(before, await listing(lab, hostOf(0)))).toEqual([])
})

test('other configuration starts the pod anew, once, and the new pod is waited for', async () => {
  const inode = (): Promise<string> => lab.exec(hostOf(0), 'stat -c %i /run/openbao-kms/kms.sock')
  const before = await inode()
  const changed = { openbao_kms_jwt_role: 'another-role' }
  const made = await run('converge', changed)
  expect(made.exitCode).toBe(0)
  expect(kubelets.map((kubelet) => kubelet.starts('bao-kms-provider.yaml'))).toEqual([2, 2])
  expect(await inode()).not.toBe(before)
  expect((await run('plan', changed)).exitCode).toBe(0)
  expect((await run('converge')).exitCode).toBe(0)
})

test('a tag in place of a digest is refused before any host is contacted', async () => {
  const made = run('converge', { openbao_kms_image: 'ghcr.io/dc-tec/bao-kms-provider:v0.1.0' })
  await expect(made).rejects.toThrow(/expected an image by digest/)
})

test('after a boot it is as it was', async () => {
  const host = hostOf(1)
  await kubelets[1]?.[Symbol.asyncDispose]()
  await lab.exec(host, 'touch /run/until-the-boot')
  await lab.reboot(host)
  expect(await lab.exec(host, '[ -e /run/until-the-boot ] || echo gone')).toBe('gone\n')
  const gid = await gidOn(host)
  expect(await lab.exec(host, "stat -c '%u:%g %a' /run/openbao-kms")).toBe(`65532:${gid} 2750\n`)
  kubelets[1] = await startKubelet(lab, host)
  const again = await run('converge')
  expect(again.exitCode).toBe(0)
  expect(again.done('h2').filter((key) => !key.startsWith('reach:'))).toEqual([])
  expect(await modelOn(host)).toEqual(modelWith(gid))
})

test('a line that would win at the next boot is a difference', async () => {
  const host = hostOf(0)
  await lab.exec(host, "echo 'd /run/openbao-kms 2770 root root -' >/etc/tmpfiles.d/aaa.conf")
  const plan = await run('plan')
  expect(plan.exitCode).toBe(2)
  expect(plan.planned('h1')).toContain(
    'next-boot:/run/openbao-kms mode after boot 2770 by /etc/tmpfiles.d/aaa.conf:1 -> 2750',
  )
  const made = await run('converge')
  expect(made.problem('h1')).toMatchObject({ code: 'host.unmet' })
  await lab.exec(host, 'rm /etc/tmpfiles.d/aaa.conf')
})

test('where the manifests are a mount of their own, the stage is one that kubelet passes over', async () => {
  const host = hostOf(0)
  await kubelets[0]?.[Symbol.asyncDispose]()
  await lab.exec(
    host,
    `mount -t tmpfs -o mode=0700 tmpfs /etc/kubernetes/manifests; systemctl stop 'stand-in-pod-*'`,
  )
  const kubelet = await startKubelet(lab, host)
  kubelets[0] = kubelet
  const made = await run('converge')
  expect(made.exitCode).toBe(0)
  expect(kubelet.seen.length).toBeGreaterThan(1)
  expect(new Set(kubelet.seen.filter((event) => !event.split(' ')[1]?.startsWith('.')))).toEqual(
    new Set(['rename bao-kms-provider.yaml']),
  )
  expect(await callKms(lab, host, 'Status', {})).toMatchObject({ healthz: 'ok' })
})

test('a rebuilt host gets the state of a peer whose pod runs, and only once its own is gone', async () => {
  const [peer, host] = [hostOf(0), hostOf(1)]
  const state = '/var/lib/openbao-kms/state/key-registry.json'
  const join = (): Promise<Driven> =>
    drive(lab, 'converge', {
      limit: 'h2',
      playbook: 'playbooks/join.yml',
      extraVars: {
        openbao_kms_shape: 'static_pod',
        openbao_kms_seed_from: 'h1',
        openbao_kms_image: image,
        openbao_kms_ready_within: 30,
        openbao_kms_apiserver_user: 'kube-apiserver',
      },
    })
  await lab.exec(peer, `echo PlantedStateOfH1 >${state}; echo PlantedCheckpointOfH1 >${state}.checkpoint`)
  await lab.exec(host, `rm ${state} ${state}.checkpoint`)
  const early = await join()
  expect(early.problem('h2')).toMatchObject({ code: 'resource.running' })
  expect(early.problem('h2').message).toContain(`found the manifest ${manifest}, and an answer at http://`)

  await lab.exec(
    host,
    `rm ${manifest}; while [ -e /run/openbao-kms/kms.sock ]; do sleep 0.1; done
     rm -rf /etc/openbao-kms /var/lib/openbao-kms /run/openbao-kms /etc/tmpfiles.d/openbao-kms* /etc/sysusers.d/openbao-kms*
     groupdel openbao-kms-socket`,
  )
  const made = await join()
  expect(made.of('failed')).toEqual([])
  expect(made.exitCode).toBe(0)
  expect(made.planned('h2')).toContain(
    `state-pair:${state} identity absent -> (gid known after group:openbao-kms-socket)`,
  )
  expect(await lab.exec(host, `cat ${state} ${state}.checkpoint; stat -c '%u:%g %a' ${state}*t`)).toBe(
    'PlantedStateOfH1\nPlantedCheckpointOfH1\n65532:65532 640\n',
  )
  expect(JSON.stringify([early.events, made.events])).not.toContain('Planted')
  expect(await modelOn(host)).toEqual(modelWith(await gidOn(host)))
  expect((await join()).done('h2')).toEqual([])
})

/** Owners, modes, inodes, times and sums of what a removal keeps. */
const kept = (host: LabHost): Promise<string> =>
  lab.exec(
    host,
    `find /var/lib/openbao-kms /etc/openbao-kms -printf '%p %y %i %C@ %m %U:%G\\n' | sort
     find /var/lib/openbao-kms /etc/openbao-kms -type f -exec sha256sum {} + | sort`,
  )

test('a newer image starts the pod anew, and state, credentials and configuration stay as they are', async () => {
  const host = hostOf(1)
  const newer = image.replace(/5{64}$/, '6'.repeat(64))
  const [before, starts] = [await kept(host), kubelets[1]?.starts('bao-kms-provider.yaml') ?? 0]
  const made = await run('converge', { openbao_kms_image: newer }, 'h2')
  expect(made.of('failed')).toEqual([])
  expect(made.exitCode).toBe(0)
  expect(
    made
      .done('h2')
      .filter((key) => !key.startsWith('reach:'))
      .map((key) => key.split('@')[0]),
  ).toEqual([`static-pod:${manifest}`])
  expect(await lab.exec(host, `grep image: ${manifest}`)).toContain(newer)
  expect(kubelets[1]?.starts('bao-kms-provider.yaml')).toBe(starts + 1)
  expect(await kept(host)).toBe(before)
  expect((await run('plan', { openbao_kms_image: newer }, 'h2')).exitCode).toBe(0)
})

test('a removal takes the manifest and the pod and keeps the rest; a purge that names the cluster takes that too', async () => {
  const host = hostOf(1)
  const remove = (...more: readonly string[]): Promise<CliEnd> =>
    kmsfleet(
      folder,
      ...['converge', 'playbooks/remove.yml', '-i', lab.inventoryFile, '-l', 'h2', '--yes', ...more],
    )
  const before = await kept(host)
  const gid = await gidOn(host)
  expect(await remove()).toMatchObject({ code: 0 })
  expect(
    await lab.exec(
      host,
      `[ ! -e ${manifest} ] && [ ! -e /run/openbao-kms/kms.sock ] && systemctl list-units --no-legend 'stand-in-pod-*'`,
    ),
  ).toBe('')
  expect(await kept(host)).toBe(before)
  expect(await gidOn(host)).toBe(gid)
  expect((await remove()).stdout).toMatch(/0 changed|nothing/)

  const wrong = await remove('-e', 'openbao_kms_purge=REMOVE EVERYTHING ON another')
  expect(wrong.stdout).toContain('openbao_kms_purge must be: REMOVE EVERYTHING ON c1')
  expect(await kept(host)).toBe(before)
  expect(await remove('-e', 'openbao_kms_purge=REMOVE EVERYTHING ON c1')).toMatchObject({ code: 0 })
  const left =
    'ls -d /etc/openbao-kms /var/lib/openbao-kms /run/openbao-kms /etc/tmpfiles.d/openbao-kms* 2>/dev/null || :'
  expect(await lab.exec(host, left)).toBe('')
})

test('rke2 is told by its unit, the pod that it writes is its own, and its needs are due as keys of its configuration', async () => {
  const host = hostOf(1)
  const manifests = '/var/lib/rancher/rke2/agent/pod-manifests'
  const vars = {
    openbao_kms_shape: 'static_pod',
    openbao_kms_image: image,
    openbao_kms_manifest_dir: manifests,
    openbao_kms_apiserver_user: '',
    kube_apiserver_shape: 'rke2',
  }
  const plan = (extraVars: object): Promise<Driven> =>
    drive(lab, 'plan', {
      limit: 'h2',
      playbook: 'playbooks/rollout.yml',
      extraVars: { ...vars, ...extraVars },
    })
  await lab.exec(
    host,
    `systemctl disable --now kube-apiserver 2>/dev/null; rm -f /etc/systemd/system/kube-apiserver.service
     printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/rke2-server.service
     systemctl daemon-reload; systemctl start rke2-server; install -d -m 0700 ${manifests}
     echo '{apiVersion: v1, kind: Pod, metadata: {name: kube-apiserver, namespace: kube-system}, spec: {containers: [{name: kube-apiserver, command: [kube-apiserver]}]}}' >${manifests}/kube-apiserver.yaml`,
  )
  const before = await listing(lab, host)
  const made = await plan({})
  expect(made.of('failed')).toEqual([])
  expect(made.ended('h2').due).toMatchObject([
    {
      resource: `api-server-pod:${manifests}/kube-apiserver.yaml`,
      by: 'an edit of /etc/rancher/rke2/config.yaml',
      differences: [{ attribute: 'kube-apiserver-extra-mount in /etc/rancher/rke2/config.yaml' }],
    },
  ])
  const other = await plan({ kube_apiserver_shape: 'static_pod_root' })
  expect(other.problem('h2')).toMatchObject({ code: 'resource.shape' })
  expect(other.problem('h2').message).toContain('found rke2 as root (rke2-server.service)')
  expect(touched(before, await listing(lab, host))).toEqual([])
})
