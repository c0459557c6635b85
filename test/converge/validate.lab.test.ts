import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Digest } from '../../src/model/secret.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { tarball } from '../modules/tarball.ts'
import { drive, openDesk, type Desk, type Drive, type Driven } from './drive.ts'

/*
 * What the provider itself says of a new configuration, authority or program decides whether it takes its place. The
 * lab's provider is a stand-in that takes a file for the word that OpenBao cannot be reached.
 */

let lab: Lab
let host: LabHost
const desk: Desk = openDesk()
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }] })
  const [only] = lab.hosts
  if (only === undefined) throw new Error('expected a host')
  host = only
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

const config = '/etc/openbao-kms/config.yaml'
const authority = '/etc/openbao-kms/tls/ca.crt'
const program = '/usr/bin/bao-kms-provider'
const unreachable = '/run/stand-in-openbao-is-down'

const converge = (extraVars: Drive['extraVars'] = {}): Promise<Driven> =>
  drive(lab, 'converge', { extraVars: { openbao_kms_ready_within: 20, ...extraVars } })

/** Inodes of what may be replaced, and the start of the service; and what a stage would have left. */
const standing = (): Promise<string> =>
  lab.exec(
    host,
    `stat -c '%n %i %U:%G %a %z' ${config} ${authority} ${program}; systemctl show -p InvocationID,ActiveState bao-kms-provider
     find /etc /usr/bin /usr /run/kmsfleet -maxdepth 2 -name '.kmsfleet*'`,
  )

/** Refused by the check, with everything as it was. */
async function refused(extraVars: Drive['extraVars'], path: string, says: RegExp): Promise<void> {
  const before = await standing()
  const made = await converge(extraVars)
  expect(made.exitCode).toBe(4)
  expect(made.problem('h1').message).toContain(
    `file:${path}: validate: expected the check to accept the file`,
  )
  expect(made.problem('h1').message).toMatch(says)
  expect(await standing()).toBe(before)
}

/** A release whose program is a script. */
function release(script: string): Readonly<Record<string, unknown>> {
  const bytes = tarball([
    ['r/bin/bao-kms-provider', `#!/bin/sh\n${script}\n`],
    ['r/README.md', ''],
    ['r/LICENSE', ''],
    ['r/kubernetes/encryption-config.yaml', ''],
  ])
  const sha256 = Digest.of(bytes).reveal()
  const name = `r-${sha256.slice(0, 8)}.tar.gz`
  writeFileSync(join(desk.folder, name), bytes)
  return {
    openbao_kms_bundle: join(desk.folder, name),
    openbao_kms_bundle_checksums: desk.file(`${name}.checksums`, `${sha256}  ${name}\n`),
    openbao_kms_bundle_sha256: sha256,
  }
}

test('a bare host that cannot reach OpenBao gets no configuration, unless only local checks are to count', async () => {
  await lab.exec(host, `touch ${unreachable}`)
  const made = await converge()
  expect(made.problem('h1').message).toMatch(
    /^file:\S+config.yaml: validate: expected the check to accept the file as uid \d+, found exit status 4: openbao.tls \(no route to host\)$/,
  )
  expect(
    await lab.exec(host, `ls ${config} 2>/dev/null || :; systemctl is-active bao-kms-provider || :`),
  ).toBe('inactive\n')
  expect((await converge({ openbao_kms_doctor: 'local' })).exitCode).toBe(0)
  await lab.exec(host, `rm ${unreachable}`)
  expect((await drive(lab, 'plan')).exitCode).toBe(0)
})

test('another configuration that the provider loads, and finds wrong, is refused whatever may be out of reach', async () => {
  const broken = {
    openbao_kms_auth: 'cert_pkcs11',
    openbao_kms_client_chain_file: desk.file('chain', readFileSync(lab.secrets.caFile, 'utf8')),
    openbao_kms_pin_file: desk.file('pin', '7391846205'),
    openbao_kms_pkcs11_module: '/usr/lib/not-there.so',
    openbao_kms_pkcs11_token_label: 'kms',
    openbao_kms_pkcs11_key_label: 'client',
  }
  await refused(
    broken,
    config,
    /auth.cert.local \(auth.cert.pkcs11.modulePath \/usr\/lib\/not-there.so: file_missing\)$/,
  )
  await refused({ ...broken, openbao_kms_doctor: 'local' }, config, /auth.cert.local/)
})

test('another authority is tried with the configuration that is there', async () => {
  const other = { openbao_kms_ca_certificate: 'no certificate\n' }
  await refused(other, authority, /exit status 4: openbao.tls \(certificate signed by unknown authority\)$/)
  const both = { openbao_kms_ca_certificate: readFileSync(lab.secrets.caFile, 'utf8').repeat(2) }
  expect((await converge(both)).exitCode).toBe(0)
  expect((await converge()).exitCode).toBe(0)
})

test.each([
  ['does not start', 'exit 127', /exit status 127/],
  [
    'does not take the configuration',
    '[ "$1" = version ] || { echo "no such key"; exit 3; }',
    /status 3: no such key/,
  ],
  ['finds something wrong', '[ "$1" != doctor ] || exit 4', /exit status 4/],
  ['sees that the provider asks it', '[ "$(id -un)" != openbao-kms ] || exit 9', /exit status 9/],
])('a program that %s is not put there', async (_, script, says) => {
  await refused(release(script), program, says)
})

test('no check is run, and nothing is written, where nothing is new', async () => {
  const before = await standing()
  await lab.exec(host, `touch ${unreachable}`)
  const again = await converge()
  await lab.exec(host, `rm ${unreachable}`)
  expect(again.ended('h1')).toMatchObject({ outcome: 'ok', changed: 0 })
  expect(await standing()).toBe(before)
})
