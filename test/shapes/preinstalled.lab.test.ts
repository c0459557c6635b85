import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drive, type Driven } from '../converge/drive.ts'
import { listing, touched } from '../converge/listing.ts'
import { callKms } from '../lab/kms.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { run as runProgram } from '../lab/process.ts'

/** The provider's program is part of the host's image, and all else is ours: unit, accounts, directories, configuration. */

const path = '/usr/local/bin/bao-kms-provider'

let lab: Lab
let host: LabHost
let sha256 = ''
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }] })
  const [first] = lab.hosts
  if (first === undefined) throw new Error('expected a host')
  host = first
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-preinstalled-'))
  await runProgram(['tar', '-xzf', lab.bundle.tarball, '-C', folder, '--strip-components=1'])
  const program = join(folder, 'bin/bao-kms-provider')
  sha256 = createHash('sha256').update(readFileSync(program)).digest('hex')
  copyFileSync(program, join(lab.liveRoot(host), 'root/provider'))
  rmSync(folder, { recursive: true })
  await lab.exec(
    host,
    `sed -i '/pam_motd/d' /etc/pam.d/sshd; install -o root -g root -m 0755 /root/provider ${path}; rm /root/provider`,
  )
})
afterAll(() => lab.down())

const run = (command: 'plan' | 'converge', more: Readonly<Record<string, unknown>> = {}): Promise<Driven> =>
  drive(lab, command, {
    apart: true,
    extraVars: {
      kube_apiserver_shape: 'host_service',
      openbao_kms_provider_source: 'preinstalled',
      openbao_kms_binary: path,
      openbao_kms_provider_version: lab.bundle.version,
      openbao_kms_provider_sha256: sha256,
      // An inventory that says of no bundle what it is must do.
      ...{ openbao_kms_bundle: '', openbao_kms_bundle_checksums: '', openbao_kms_bundle_sha256: '' },
      ...more,
    },
  })

const programOnDisk = (): Promise<string> => lab.exec(host, `stat -c '%i %Z %Y %U:%G %a' ${path}`)

const model = (): Promise<string> =>
  lab.exec(
    host,
    `stat -c '%n %U:%G %a' /etc/openbao-kms/config.yaml /var/lib/openbao-kms/identity.jwt \
       /run/openbao-kms /run/openbao-kms/kms.sock
     systemctl show -p ActiveState,FragmentPath,UnitFileState,User bao-kms-provider | sort
     readlink /proc/$(systemctl show -p MainPID --value bao-kms-provider)/exe
     ls /usr/share/doc | grep bao-kms || :`,
  )
const wanted = `/etc/openbao-kms/config.yaml root:openbao-kms 640
/var/lib/openbao-kms/identity.jwt root:openbao-kms 640
/run/openbao-kms openbao-kms:openbao-kms-socket 2750
/run/openbao-kms/kms.sock openbao-kms:openbao-kms-socket 660
ActiveState=active
FragmentPath=/etc/systemd/system/bao-kms-provider.service
UnitFileState=enabled
User=openbao-kms
${path}
`

test('another version or digest than the inventory says, or no program, is refused before any change', async () => {
  const before = await listing(lab, host)
  const version = await run('converge', { openbao_kms_provider_version: 'v9' })
  expect(version.problem(host.name).message).toContain(`expected ${path} of version v9`)
  const digest = await run('converge', { openbao_kms_provider_sha256: '0'.repeat(64) })
  expect(digest.problem(host.name)).toMatchObject({ code: 'resource.program' })
  const none = await run('converge', { openbao_kms_binary: '/usr/local/bin/none' })
  expect(none.problem(host.name).message).toContain('/usr/local/bin/none')
  expect(touched(before, await listing(lab, host))).toEqual([])
})

test('from a bare host with the program alone to the model, and the program is left as it was', async () => {
  const before = await programOnDisk()
  const made = await run('converge')
  expect(made.of('failed')).toEqual([])
  expect(made.exitCode).toBe(0)
  expect(await model()).toBe(wanted)
  expect(await programOnDisk()).toBe(before)
  expect(await callKms(lab, host, 'Status', {})).toMatchObject({ healthz: 'ok' })
})

test('a second run writes nothing', async () => {
  const before = await listing(lab, host)
  const again = await run('converge')
  expect(again.ended(host.name)).toMatchObject({ outcome: 'ok', changed: 0, cost: { roundTrips: 1 } })
  expect(touched(before, await listing(lab, host))).toEqual([])
})

test('after a boot it is as it was', async () => {
  await lab.reboot(host)
  await lab.exec(
    host,
    'for i in $(seq 100); do [ -S /run/openbao-kms/kms.sock ] && exit; sleep 0.1; done; exit 1',
  )
  expect(await model()).toBe(wanted)
  expect((await run('plan')).exitCode).toBe(0)
})
