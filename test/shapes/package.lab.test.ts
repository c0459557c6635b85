import { copyFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drive, type Driven } from '../converge/drive.ts'
import { listing, touched } from '../converge/listing.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { makePackage } from '../lab/package.ts'

/**
 * The provider of a package that brings program, unit, accounts and directories. The first host needs more than the
 * package says (an API server's user in the socket group, directories that it has not), the second nothing else.
 */

let lab: Lab
let sha256 = ''
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }, { variant: 'plain' }] })
  const made = await makePackage(lab.bundle)
  for (const host of lab.hosts) {
    copyFileSync(made, join(lab.liveRoot(host), 'root/provider.deb'))
    await lab.exec(
      host,
      `sed -i '/pam_motd/d' /etc/pam.d/sshd; dpkg -i /root/provider.deb >/dev/null 2>&1; rm /root/provider.deb`,
    )
  }
  rmSync(dirname(made), { recursive: true })
  await lab.exec(
    hostOf(1),
    `systemctl stop kube-apiserver; rm /etc/systemd/system/kube-apiserver.service; systemctl daemon-reload
     install -d -m 0700 /etc/kubernetes /etc/kubernetes/manifests; umask 077
     printf 'apiVersion: v1\\nkind: Pod\\nmetadata: {name: kube-apiserver}\\nspec:\\n  containers:\\n  - {name: a, image: b, securityContext: {runAsUser: 0}}\\n' >/etc/kubernetes/manifests/kube-apiserver.yaml`,
  )
  sha256 = (await lab.exec(hostOf(0), 'sha256sum </usr/bin/bao-kms-provider')).slice(0, 64)
})
afterAll(() => lab.down())

function hostOf(index: number): LabHost {
  const host = lab.hosts[index]
  if (host === undefined) throw new Error(`expected host ${String(index)}`)
  return host
}

const credentials = { owner: 'root', group: 'openbao-kms', mode: '0750' }
const states = { owner: 'openbao-kms', group: 'openbao-kms', mode: '0750' }
const varsOf = (index: number): Readonly<Record<string, unknown>> => ({
  openbao_kms_provider_source: 'package',
  openbao_kms_provider_version: 'v0.2.0',
  openbao_kms_provider_sha256: sha256,
  ...(index === 0
    ? { kube_apiserver_shape: 'host_service' }
    : {
        kube_apiserver_shape: 'static_pod_root',
        openbao_kms_apiserver_user: '',
        openbao_kms_kept_directories: [
          { path: '/etc/openbao-kms', ...credentials },
          { path: '/etc/openbao-kms/tls', owner: 'root', group: 'root', mode: '0755' },
          { path: '/etc/openbao-kms/credentials', ...credentials },
          { path: '/var/lib/openbao-kms', ...states },
          { path: '/var/lib/openbao-kms/state', ...states },
        ],
      }),
})

const run = (
  command: 'plan' | 'converge',
  index: number,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Driven> =>
  drive(lab, command, {
    limit: hostOf(index).name,
    extraVars: { ...varsOf(index), ...more },
    apart: true,
  })

const model = (index: number): Promise<string> =>
  lab.exec(
    hostOf(index),
    `stat -c '%n %U:%G %a' /etc/openbao-kms/config.yaml /run/openbao-kms /run/openbao-kms/kms.sock
     systemctl show -p ActiveState,FragmentPath,UnitFileState bao-kms-provider | sed 's|=/lib/|=/usr/lib/|' | sort
     dpkg --verify bao-kms-provider; ls /etc/systemd/system | grep bao-kms || :
     ls /etc/sysusers.d /etc/tmpfiles.d | grep openbao-kms || :`,
  )

const common = `/etc/openbao-kms/config.yaml root:openbao-kms 640
/run/openbao-kms openbao-kms:openbao-kms-socket 2750
/run/openbao-kms/kms.sock openbao-kms:openbao-kms-socket 660
ActiveState=active
FragmentPath=/usr/lib/systemd/system/bao-kms-provider.service
UnitFileState=enabled
`
const models = [`${common}openbao-kms.conf\nopenbao-kms.conf\n`, common]

test('another version or digest than the inventory says is refused before any change', async () => {
  const before = await listing(lab, hostOf(0))
  const version = await run('converge', 0, { openbao_kms_provider_version: 'v9' })
  expect(version.problem('h1').message).toContain('expected /usr/bin/bao-kms-provider of version v9')
  const digest = await run('converge', 0, { openbao_kms_provider_sha256: '0'.repeat(64) })
  expect(digest.problem('h1')).toMatchObject({ code: 'resource.program' })
  expect(touched(before, await listing(lab, hostOf(0)))).toEqual([])
})

test('from the package alone to the model: what it ships is used, and files of /etc only where they are needed', async () => {
  for (const index of [0, 1]) {
    const made = await run('converge', index)
    expect(made.of('failed')).toEqual([])
    expect(made.exitCode).toBe(0)
    expect(await model(index)).toBe(models[index])
  }
})

test('a second run writes nothing', async () => {
  for (const index of [0, 1]) {
    const before = await listing(lab, hostOf(index))
    const again = await run('converge', index)
    expect(again.ended(hostOf(index).name)).toMatchObject({
      outcome: 'ok',
      changed: 0,
      cost: { roundTrips: 1 },
    })
    expect(touched(before, await listing(lab, hostOf(index)))).toEqual([])
  }
})

test('after a boot it is as it was', async () => {
  for (const index of [0, 1]) {
    await lab.reboot(hostOf(index))
    await lab.exec(
      hostOf(index),
      'for i in $(seq 100); do [ -S /run/openbao-kms/kms.sock ] && exit; sleep 0.1; done; exit 1',
    )
    expect(await model(index)).toBe(models[index])
    expect((await run('plan', index)).exitCode).toBe(0)
  }
})

test('a line of the package that the file of /etc would drop is refused by name', async () => {
  const line = 'd /var/lib/openbao-kms/spool 0750 openbao-kms openbao-kms -'
  const path = '/usr/lib/tmpfiles.d/openbao-kms.conf'
  await lab.exec(hostOf(0), `cp ${path} /root/kept; echo '${line}' >>${path}`)
  const before = await listing(lab, hostOf(0))
  const made = await run('converge', 0)
  expect(made.problem('h1')).toMatchObject({ code: 'resource.vendor' })
  expect(made.problem('h1').message).toBe(
    `expected /etc/tmpfiles.d/openbao-kms.conf to carry every line of ${path}, which it takes the place of, found none for \`${line}\` (${path}:7)`,
  )
  expect(touched(before, await listing(lab, hostOf(0)))).toEqual([])
})
