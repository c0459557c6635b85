import { afterAll, beforeAll, expect, test } from 'vitest'
import { drive, type Driven } from '../converge/drive.ts'
import { listing, touched } from '../converge/listing.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { makeRelease } from '../lab/release.ts'

/**
 * The provider as a service on hosts that run the API server in different ways (stand-ins: the base's service, a
 * manifest that nothing runs, a unit of k3s' name), with the runtime directory made in each of the three ways, with
 * other names, and without systemd-sysusers.
 */

interface Case {
  readonly vars: Readonly<Record<string, unknown>>
  /** Makes the host what the case is about. */
  readonly prepare: string
  readonly names: { readonly user: string; readonly group: string; readonly socket: string }
}

const usual = { user: 'openbao-kms', group: 'openbao-kms', socket: 'openbao-kms-socket' }
const noService =
  'systemctl stop kube-apiserver; rm /etc/systemd/system/kube-apiserver.service; systemctl daemon-reload'
const manifest = (uid: string): string =>
  `install -d -m 0700 /etc/kubernetes /etc/kubernetes/manifests; umask 077
   printf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: kube-apiserver}\\nspec:\\n  containers:\\n  - {name: a, image: b, securityContext: {runAsUser: %s}}\\n' "${uid}" >/etc/kubernetes/manifests/kube-apiserver.yaml`

const cases: readonly Case[] = [
  { vars: { kube_apiserver_shape: 'host_service' }, prepare: '', names: usual },
  {
    vars: {
      kube_apiserver_shape: 'static_pod_root',
      openbao_kms_apiserver_user: '',
      openbao_kms_run_dir_by: 'install',
      openbao_kms_user: 'vault-kms',
      openbao_kms_group: 'vault-secrets',
      openbao_kms_socket_group: 'vault-socket',
      openbao_kms_uid: 931,
      openbao_kms_gid: 932,
      openbao_kms_socket_gid: 933,
    },
    prepare: `${noService}; ${manifest('0')}`,
    names: { user: 'vault-kms', group: 'vault-secrets', socket: 'vault-socket' },
  },
  {
    vars: {
      kube_apiserver_shape: 'k3s',
      openbao_kms_apiserver_user: '',
      openbao_kms_run_dir_by: 'pre_start',
    },
    prepare: `${noService}; printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/k3s.service; systemctl daemon-reload`,
    names: usual,
  },
  {
    vars: { kube_apiserver_shape: 'static_pod_user' },
    prepare: `${noService}; ${manifest('$(id -u kube-apiserver)')}; rm /usr/bin/systemd-sysusers`,
    names: usual,
  },
]

let lab: Lab
beforeAll(async () => {
  lab = await startLab({ hosts: cases.map(() => ({ variant: 'plain' })) })
  await onAll((host, { prepare }) => lab.exec(host, `sed -i '/pam_motd/d' /etc/pam.d/sshd\n${prepare}`))
})
afterAll(() => lab.down())

function onAll<T>(work: (host: LabHost, one: Case) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(
    cases.map((one, index) => {
      const host = lab.hosts[index]
      if (host === undefined) throw new Error(`expected host ${String(index)}`)
      return work(host, one)
    }),
  )
}

const hostOf = (index: number): LabHost => {
  const host = lab.hosts[index]
  if (host === undefined) throw new Error(`expected host ${String(index)}`)
  return host
}

const run = (
  command: 'plan' | 'converge',
  host: LabHost,
  vars: Readonly<Record<string, unknown>>,
  playbook = 'playbooks/rollout.yml',
): Promise<Driven> => drive(lab, command, { limit: host.name, playbook, extraVars: vars, apart: true })

/** What the host itself says, by no way of the product's. */
async function modelOn(host: LabHost, { user, group, socket }: Case['names']): Promise<string> {
  return lab.exec(
    host,
    `stat -c '%n %U:%G %a' /etc/openbao-kms/config.yaml /var/lib/openbao-kms/identity.jwt /var/lib/openbao-kms/state \
       /run/openbao-kms /run/openbao-kms/kms.sock
     getfacl -cps /run/openbao-kms /etc/openbao-kms/config.yaml
     id -gn ${user}; getent passwd ${user} | cut -d: -f7; passwd -S ${user} | cut -d' ' -f2
     getent group ${group} | cut -d: -f4; getent group ${socket} | cut -d: -f4 | tr , '\\n' | sort | paste -sd,
     systemctl show -p ActiveState,User,Group,SupplementaryGroups bao-kms-provider | sort`,
  )
}

function modelWith({ user, group, socket }: Case['names'], members: string): string {
  return `/etc/openbao-kms/config.yaml root:${group} 640
/var/lib/openbao-kms/identity.jwt root:${group} 640
/var/lib/openbao-kms/state ${user}:${group} 750
/run/openbao-kms ${user}:${socket} 2750
/run/openbao-kms/kms.sock ${user}:${socket} 660
${group}
/usr/sbin/nologin
L

${members}
ActiveState=active
Group=${group}
SupplementaryGroups=${socket}
User=${user}
`
}

const members = (one: Case): string =>
  [...('openbao_kms_apiserver_user' in one.vars ? [] : ['kube-apiserver']), one.names.user].join(',')

test('another shape than was declared is refused before any change, with both stated', async () => {
  const host = hostOf(2)
  const before = await listing(lab, host)
  const made = await run('converge', host, { ...cases[2]?.vars, kube_apiserver_shape: 'rke2' })
  expect(made.problem(host.name)).toMatchObject({ code: 'resource.shape' })
  expect(made.problem(host.name).message).toContain(
    'expected kube-apiserver to be run as rke2 as root, found k3s as root (k3s.service)',
  )
  expect(touched(before, await listing(lab, host))).toEqual([])
})

test('a pinned id that is taken is refused before any change', async () => {
  const host = hostOf(1)
  const before = await listing(lab, host)
  const made = await run('converge', host, { ...cases[1]?.vars, openbao_kms_socket_gid: 0 })
  expect(made.problem(host.name)).toMatchObject({ code: 'resource.id' })
  expect(touched(before, await listing(lab, host))).toEqual([])
})

test('from bare hosts to the model, in every shape', async () => {
  await onAll(async (host, one) => {
    const made = await run('converge', host, one.vars)
    expect(made.of('failed')).toEqual([])
    expect(made.exitCode).toBe(0)
    expect(await modelOn(host, one.names)).toBe(modelWith(one.names, members(one)))
  })
})

test('a restart of kube-apiserver is due where it lacks the group, and done only by the play for it', async () => {
  const [host, vars] = [hostOf(0), cases[0]?.vars ?? {}]
  const started = (): Promise<string> => lab.exec(host, 'systemctl show -p InvocationID kube-apiserver')
  const before = await started()
  const plan = await run('plan', host, vars)
  expect(plan.exitCode).toBe(0)
  expect(plan.keys(host.name)).toEqual([])
  expect(plan.ended(host.name).due).toMatchObject([
    { resource: 'unit:kube-apiserver.service', by: 'playbooks/restart-apiserver.yml' },
  ])
  const again = await run('converge', host, vars)
  expect(again.exitCode).toBe(0)
  expect(again.ended(host.name)).toMatchObject({ outcome: 'ok', changed: 0 })
  expect(await started()).toBe(before)

  const restarted = await run('converge', host, vars, 'playbooks/restart-apiserver.yml')
  expect(restarted.exitCode).toBe(0)
  expect(await started()).not.toBe(before)
  const gid = (await lab.exec(host, 'getent group openbao-kms-socket | cut -d: -f3')).trim()
  const groups = await lab.exec(
    host,
    'grep Groups: /proc/$(systemctl show -p MainPID --value kube-apiserver)/status',
  )
  expect(groups.split(/\s+/)).toContain(gid)
  expect((await run('plan', host, vars)).ended(host.name).due).toEqual([])
})

test('a second run writes nothing', async () => {
  await onAll(async (host, one) => {
    const before = await listing(lab, host)
    const again = await run('converge', host, one.vars)
    expect(again.ended(host.name)).toMatchObject({ outcome: 'ok', changed: 0, cost: { roundTrips: 1 } })
    expect(touched(before, await listing(lab, host))).toEqual([])
  })
})

test('after a boot it is as it was, whoever makes the runtime directory', async () => {
  await onAll(async (host, one) => {
    await lab.reboot(host)
    await lab.exec(
      host,
      'for i in $(seq 100); do [ -S /run/openbao-kms/kms.sock ] && exit; sleep 0.1; done; exit 1',
    )
    expect(await modelOn(host, one.names)).toBe(modelWith(one.names, members(one)))
    expect((await run('plan', host, one.vars)).exitCode).toBe(0)
  })
})

test('a drop-in that gives the unit another user is a difference that converge does not hide', async () => {
  const [host, vars] = [hostOf(2), cases[2]?.vars ?? {}]
  const folder = '/etc/systemd/system/bao-kms-provider.service.d'
  await lab.exec(host, `mkdir -p ${folder}; printf '[Service]\\nUser=root\\n' >${folder}/x.conf`)
  const plan = await run('plan', host, vars)
  expect(plan.exitCode).toBe(2)
  expect(plan.planned(host.name)).toContain(
    `next-boot:bao-kms-provider.service User root (${folder}/x.conf:2) -> openbao-kms`,
  )
  await lab.exec(host, `rm -r ${folder}`)
})

test('a newer release leaves configuration, credentials, state and accounts as they are', async () => {
  const [host, one] = [hostOf(0), cases[0]]
  const newer = await makeRelease('v0.3.0')
  const kept = (): Promise<string> =>
    lab.exec(
      host,
      `cd /; sha256sum etc/openbao-kms/config.yaml etc/openbao-kms/tls/ca.crt var/lib/openbao-kms/identity.jwt
       stat -c '%n %i %u:%g %a' var/lib/openbao-kms/state var/lib/openbao-kms/state/*; id openbao-kms; getent group openbao-kms-socket`,
    )
  await lab.exec(
    host,
    'install -o openbao-kms -g openbao-kms -m 0640 /dev/null /var/lib/openbao-kms/state/key-registry.json',
  )
  const before = await kept()
  const made = await run('converge', host, {
    ...one?.vars,
    openbao_kms_bundle: newer.tarball,
    openbao_kms_bundle_checksums: newer.checksums,
    openbao_kms_bundle_sha256: newer.sha256,
  })
  expect(made.exitCode).toBe(0)
  expect(await lab.exec(host, 'bao-kms-provider version')).toContain('v0.3.0')
  expect(await kept()).toBe(before)
})
