import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { drive, type Driven } from '../converge/drive.ts'
import { listing, touched } from '../converge/listing.ts'
import { startKubelet, type StandInKubelet } from '../lab/kubelet.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'

/**
 * kube-apiserver as kubeadm's static pod, as root on one host and as another user on the other. A stand-in for kubelet
 * starts a stand-in of it, in the control group that a pod has.
 */

const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml'
const encryption = '/etc/kubernetes/openbao-kms/encryption-config.yaml'

const pod = (security: string): string => `apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: null
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=192.0.2.1   # of this host
    image: registry.k8s.io/kube-apiserver:v1.34.1
    name: kube-apiserver
    volumeMounts:
    - mountPath: /etc/ssl/certs
      name: ca-certs
      readOnly: true
  hostNetwork: true
  securityContext:
    ${security}
    seccompProfile:
      type: RuntimeDefault
  volumes:
  - hostPath:
      path: /etc/ssl/certs
      type: DirectoryOrCreate
    name: ca-certs
status: {}
`

let lab: Lab
let folder: string
const before: string[] = []
const kubelets: StandInKubelet[] = []
const hostOf = (index: number): LabHost => {
  const host = lab.hosts[index]
  if (host === undefined) throw new Error(`expected host ${String(index)}`)
  return host
}

beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }, { variant: 'plain' }] })
  folder = mkdtempSync(join(tmpdir(), 'kmsfleet-api-server-'))
  for (const [index, host] of lab.hosts.entries()) {
    const id = (await lab.exec(host, 'id -u kube-apiserver')).trim()
    const text = pod(index === 0 ? 'fsGroupChangePolicy: Always' : `runAsUser: ${id}`)
    before.push(text)
    await lab.exec(
      host,
      `sed -i '/pam_motd/d' /etc/pam.d/sshd
       systemctl disable --now kube-apiserver; rm /etc/systemd/system/kube-apiserver.service; systemctl daemon-reload
       install -d -m 0755 /etc/kubernetes /etc/kubernetes/openbao-kms; install -d -m 0700 /etc/kubernetes/manifests
       ${'groupadd --system before; '.repeat(index)}
       cat >/etc/kubernetes/manifests/kube-apiserver.yaml <<'END'\n${text}END\nchmod 0600 ${manifest}`,
    )
    kubelets.push(await startKubelet(lab, host))
  }
})
afterAll(async () => {
  await Promise.all(kubelets.map((kubelet) => kubelet[Symbol.asyncDispose]()))
  await lab.down()
  rmSync(folder, { recursive: true })
})

const run = (
  command: 'plan' | 'converge',
  playbook: string,
  index: number,
  extraVars: Readonly<Record<string, unknown>> = {},
): Promise<Driven> =>
  drive(lab, command, {
    playbook,
    limit: hostOf(index).name,
    apart: true,
    extraVars: {
      kube_apiserver_shape: index === 0 ? 'static_pod_root' : 'static_pod_user',
      openbao_kms_apiserver_user: index === 0 ? '' : 'kube-apiserver',
      kube_apiserver_within: 30,
      ...extraVars,
    },
  })

/** The live process of the API server, found by its control group, and what it was started with. */
const process = (index: number): Promise<string> =>
  lab.exec(
    hostOf(index),
    `for c in $(grep -l 'kubepods.*stand-in-pod-kube-apiserver' /proc/[0-9]*/cgroup); do
       d=\${c%/cgroup}; tr '\\0' '\\n' <$d/cmdline | grep -q '^--adv' || continue
       echo "pid \${d#/proc/}"; grep ^Groups: $d/status | tr -s '\\t ' ' '; tr '\\0' ' ' <$d/cmdline
     done`,
  )

const encrypt = (stage: 'readers' | 'writers', more = ''): string => {
  const file = join(folder, `${stage}.yml`)
  writeFileSync(
    file,
    `- name: Encryption configuration
  hosts: all
  tasks:
    - name: What the API server reads and writes with
      encryption_config:
        stage: ${stage}
        provider: '{{ openbao_kms_provider_name }}'
        socket: /run/openbao-kms/kms.sock
        provider_config: /etc/openbao-kms/config.yaml
        dest: ${encryption}
        owner: root
        group: root
        mode: '0644'
        apiserver_container: kube-apiserver
${more}`,
  )
  return file
}

const needs = { kube_apiserver_encryption_config: encryption }

test('what the manifest lacks is due, on a bare host and after the rollout, and no rollout touches it', async () => {
  const plan = await run('plan', 'playbooks/rollout.yml', 1)
  const due = plan.ended('h2').due
  expect(due).toMatchObject([
    { resource: `api-server-pod:${manifest}`, by: 'playbooks/restart-apiserver.yml' },
  ])
  expect(due[0]?.differences).toMatchObject([
    { attribute: 'supplementalGroups', to: { known: false, after: 'group:openbao-kms-socket' } },
  ])
  await Promise.all(
    [0, 1].map(async (index) => {
      const made = await run('converge', 'playbooks/rollout.yml', index)
      expect(made.of('failed')).toEqual([])
      expect(made.exitCode).toBe(0)
      expect(await lab.exec(hostOf(index), `cat ${manifest}`)).toBe(before[index])
      expect(kubelets[index]?.starts('kube-apiserver.yaml')).toBe(1)
      const told = made.ended(hostOf(index).name).due[0]?.differences.map(({ attribute }) => attribute)
      expect(told).toEqual([...(index === 0 ? [] : ['supplementalGroups']), 'mount /run/openbao-kms'])
    }),
  )
})

test('a flag that names a configuration which is not there is not set', async () => {
  const made = await run('converge', 'playbooks/restart-apiserver.yml', 0, needs)
  expect(made.problem('h1')).toMatchObject({ code: 'host.unmet' })
  expect(await lab.exec(hostOf(0), `cat ${manifest}`)).toBe(before[0])
})

test('the play for it edits the manifest, by one rename, and waits for the new process', async () => {
  await Promise.all(
    [0, 1].map(async (index) => {
      const [host, kubelet] = [hostOf(index), kubelets[index]]
      expect((await run('converge', encrypt('readers'), index)).exitCode).toBe(0)
      const old = await process(index)
      const made = await run('converge', 'playbooks/restart-apiserver.yml', index, needs)
      expect(made.of('failed')).toEqual([])
      expect(made.exitCode).toBe(0)
      expect(kubelet?.refused).toEqual([])
      expect(kubelet?.starts('kube-apiserver.yaml')).toBe(2)
      expect(kubelet?.seen.filter((event) => !event.split(' ')[1]?.startsWith('.'))).toEqual([
        'rename kube-apiserver.yaml',
      ])

      const text = await lab.exec(host, `cat ${manifest}; stat -c %a:%U ${manifest} >&2`)
      const kept = text.split('\n')
      for (const line of before[index]?.split('\n') ?? []) expect(kept).toContain(line)
      const gid = Number(await lab.exec(host, 'getent group openbao-kms-socket | cut -d: -f3'))
      expect(parse(text)).toMatchObject({
        spec: {
          containers: [
            {
              command: [
                'kube-apiserver',
                '--advertise-address=192.0.2.1',
                `--encryption-provider-config=${encryption}`,
              ],
              volumeMounts: [
                { name: 'ca-certs' },
                { mountPath: '/run/openbao-kms' },
                { mountPath: '/etc/kubernetes/openbao-kms', readOnly: true },
              ],
            },
          ],
          securityContext: index === 0 ? {} : { supplementalGroups: [gid] },
        },
      })
      const now = await process(index)
      expect(now.split('\n')[0]).not.toBe(old.split('\n')[0])
      expect(now).toContain(`--encryption-provider-config=${encryption}`)
      if (index === 1) expect(now).toContain(`Groups: ${String(gid)}`)

      const listed = await listing(lab, host)
      const again = await run('converge', 'playbooks/restart-apiserver.yml', index, needs)
      expect(again.ended(host.name)).toMatchObject({ outcome: 'ok', changed: 0 })
      expect(touched(listed, await listing(lab, host))).toEqual([])
      expect((await run('plan', 'playbooks/rollout.yml', index, needs)).ended(host.name).due).toEqual([])
    }),
  )
})

test('writers need a process that runs with the readers, which its start shows', async () => {
  const host = hostOf(0)
  // Of a start within the second of the write nothing can be said.
  const restart = (): Promise<string> =>
    lab.exec(host, 'sleep 2.1; systemctl restart stand-in-pod-kube-apiserver')
  await restart()
  expect((await run('converge', encrypt('readers', '        loaded: true\n'), 0)).exitCode).toBe(0)
  await lab.exec(host, `touch ${encryption}`)
  const refused = await run('converge', encrypt('writers'), 0)
  expect(refused.problem('h1')).toMatchObject({ code: 'resource.encryption' })
  expect(refused.problem('h1').message).toContain(
    `the process of kube-apiserver was started before ${encryption} was written`,
  )
  await restart()
  const made = await run('converge', encrypt('writers'), 0)
  expect(made.of('failed')).toEqual([])
  expect(made.exitCode).toBe(0)
  expect(await lab.exec(host, `cat ${encryption}`)).toMatch(/- kms:[^]*- identity/)
})

test('a process that only looks like the API server proves nothing', async () => {
  const host = hostOf(1)
  await lab.exec(
    host,
    `systemctl stop stand-in-pod-kube-apiserver
     systemd-run --quiet --unit=stand-in-pod-kube-apiserver-x /opt/stand-in/kube-apiserver --encryption-provider-config=${encryption}`,
  )
  const refused = await run('converge', encrypt('writers'), 1)
  expect(refused.problem('h2').message).toContain(
    'no process of a container kube-apiserver in a static pod was started with --encryption-provider-config',
  )
  await lab.exec(host, 'systemctl stop stand-in-pod-kube-apiserver-x')
})
