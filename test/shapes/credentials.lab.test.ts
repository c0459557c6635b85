import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drive, openDesk, type Desk, type Drive, type Driven } from '../converge/drive.ts'
import { listing, touched } from '../converge/listing.ts'
import { callKms } from '../lab/kms.ts'
import { startKubelet, type StandInKubelet } from '../lab/kubelet.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'

/** Each way to log in to OpenBao, in both shapes, on a bare host of its own. */

interface Way {
  readonly auth: 'jwt_file' | 'oauth2' | 'cert_pkcs11'
  readonly shape: 'systemd' | 'static_pod'
}
const ways: readonly Way[] = (['systemd', 'static_pod'] as const).flatMap((shape) =>
  (['jwt_file', 'oauth2', 'cert_pkcs11'] as const).map((auth) => ({ auth, shape })),
)

const module = '/usr/lib/softhsm.so'
const secret = 'a-client-secret'

let lab: Lab
let desk: Desk
const kubelets: StandInKubelet[] = []
beforeAll(async () => {
  desk = openDesk()
  lab = await startLab({ hosts: ways.map(() => ({ variant: 'plain' })) })
  await eachWay(async (host, { shape }) => {
    await lab.exec(host, `sed -i '/pam_motd/d' /etc/pam.d/sshd; touch ${module}`)
    if (shape === 'systemd') return
    await lab.exec(host, 'install -d -m 0755 /etc/kubernetes; install -d -m 0700 /etc/kubernetes/manifests')
    kubelets.push(await startKubelet(lab, host))
  })
})
afterAll(async () => {
  await Promise.all(kubelets.map((kubelet) => kubelet[Symbol.asyncDispose]()))
  await lab.down()
  desk[Symbol.dispose]()
})

async function eachWay(work: (host: LabHost, way: Way) => Promise<void>): Promise<void> {
  await Promise.all(
    ways.map((way, index) => {
      const host = lab.hosts[index]
      if (host === undefined) throw new Error(`expected host ${String(index)}`)
      return work(host, way)
    }),
  )
}

const hostOf = (auth: Way['auth'], shape: Way['shape']): LabHost => {
  const host = lab.hosts[ways.findIndex((way) => way.auth === auth && way.shape === shape)]
  if (host === undefined) throw new Error(`expected a host for ${auth}`)
  return host
}

/** What an inventory says for each way to log in, and nothing of another one. */
const variablesOf = ({ auth, shape }: Way): Readonly<Record<string, unknown>> => ({
  openbao_kms_shape: shape,
  openbao_kms_auth: auth,
  openbao_kms_apiserver_user: 'kube-apiserver',
  openbao_kms_image: `ghcr.io/dc-tec/bao-kms-provider@sha256:${'5'.repeat(64)}`,
  openbao_kms_ready_within: 30,
  ...(auth === 'jwt_file' ? {} : { openbao_kms_identity_jwt_file: '' }),
  ...(auth === 'oauth2'
    ? {
        openbao_kms_client_secret_file: desk.file('client-secret', secret),
        openbao_kms_jwt_issuer: 'https://issuer.lab.invalid',
        openbao_kms_jwt_audience: 'openbao',
        openbao_kms_oauth2_token_url: 'https://issuer.lab.invalid/token',
        openbao_kms_oauth2_client_id: 'kms',
        openbao_kms_issuer_ca: readFileSync(lab.secrets.caFile, 'utf8'),
      }
    : {}),
  ...(auth === 'cert_pkcs11'
    ? {
        openbao_kms_client_chain_file: desk.file('chain', readFileSync(lab.secrets.caFile, 'utf8')),
        openbao_kms_pin_file: desk.file('pin', '7391846205'),
        openbao_kms_pkcs11_module: module,
        openbao_kms_pkcs11_token_label: 'kms',
        openbao_kms_pkcs11_key_label: 'client',
      }
    : {}),
})

const run = (
  command: 'plan' | 'converge',
  host: LabHost,
  way: Way,
  extraVars: Drive['extraVars'] = {},
): Promise<Driven> =>
  drive(lab, command, { limit: host.name, apart: true, extraVars: { ...variablesOf(way), ...extraVars } })

/** Owner, group and mode of what only the provider may read, and of the directories above it. */
function filesOf({ auth, shape }: Way): readonly string[] {
  const group = shape === 'systemd' ? 'openbao-kms' : '65532'
  const state = '/var/lib/openbao-kms'
  const config = '/etc/openbao-kms'
  const always = [`${config} root:${group} 750`, `${config}/config.yaml root:${group} 640`]
  switch (auth) {
    case 'jwt_file':
      return [
        ...always,
        ...(shape === 'systemd'
          ? [`${state}/identity.jwt root:${group} 640`]
          : [
              `${state}/credentials root:${group} 750`,
              `${state}/credentials/identity.jwt root:${group} 640`,
            ]),
      ]
    case 'oauth2':
      return [
        ...always,
        `${config}/credentials root:${group} 750`,
        `${config}/credentials/client-secret root:${group} 640`,
        `${config}/issuer root:root 755`,
        `${config}/issuer/ca.pem root:root 644`,
      ]
    case 'cert_pkcs11':
      return [
        ...always,
        `${config}/client root:${group} 750`,
        `${config}/client/client-chain.pem root:${group} 640`,
        `${config}/pkcs11 root:${group} 750`,
        `${config}/pkcs11/pin root:${group} 640`,
      ]
  }
}

/** By no way of the product's. A number that no account has is shown as itself. */
async function onDisk(host: LabHost, way: Way): Promise<readonly string[]> {
  const paths = filesOf(way)
    .map((row) => row.slice(0, row.indexOf(' ')))
    .join(' ')
  const rows = await lab.exec(
    host,
    `stat -c '%n %U:%G %u:%g %a' ${paths}; getfacl -cpsn ${paths} 2>/dev/null`,
  )
  return rows
    .trim()
    .split('\n')
    .map((row) => row.replace(/(\S+):(?:UNKNOWN) \d+:(\d+)/, '$1:$2').replace(/ \d+:\d+ /, ' '))
}

test('from bare hosts to a provider that is ready, with the files of its own way to log in', async () => {
  await eachWay(async (host, way) => {
    const made = await run('converge', host, way)
    expect(made.of('failed').map((event) => [way, event])).toEqual([])
    expect([way, made.exitCode]).toEqual([way, 0])
    expect(await onDisk(host, way)).toEqual(filesOf(way))
    expect(await callKms(lab, host, 'Status', {})).toMatchObject({ healthz: 'ok' })
  })
  expect(kubelets.map(({ refused }) => refused)).toEqual([[], [], []])
})

test('a second run writes nothing', async () => {
  await eachWay(async (host, way) => {
    const before = await listing(lab, host)
    const again = await run('converge', host, way)
    expect([way, again.exitCode]).toEqual([way, 0])
    expect(again.ended(host.name)).toMatchObject({ outcome: 'ok', changed: 0 })
    expect(touched(before, await listing(lab, host))).toEqual([])
  })
})

test('no host has a file of another way, and no pod mounts one', async () => {
  await eachWay(async (host, way) => {
    const others = ways.filter(({ auth, shape }) => shape === way.shape && auth !== way.auth)
    const foreign = others
      .flatMap(filesOf)
      .filter((row) => row.endsWith(' 640') && !filesOf(way).includes(row))
      .map((row) => row.slice(0, row.indexOf(' ')))
    expect(await lab.exec(host, `ls -d ${foreign.join(' ')} 2>/dev/null || :`)).toBe('')
    if (way.shape === 'systemd') return
    const mounts = await lab.exec(
      host,
      'sed -n "s/.*path: \\"\\?\\(\\/[a-z0-9./-]*\\).*/\\1/p" /etc/kubernetes/manifests/bao-kms-provider.yaml | sort -u',
    )
    const credentials = {
      jwt_file: ['/var/lib/openbao-kms/credentials'],
      oauth2: ['/etc/openbao-kms/credentials', '/etc/openbao-kms/issuer'],
      cert_pkcs11: ['/etc/openbao-kms/client', '/etc/openbao-kms/pkcs11'],
    }[way.auth]
    expect(mounts.trim().split('\n')).toEqual(
      [
        ...['/live', '/ready', '/etc/openbao-kms/config.yaml', '/etc/openbao-kms/tls'],
        ...['/run/openbao-kms', '/var/lib/openbao-kms/state', ...credentials],
      ].sort(),
    )
  })
})

test('another secret is put there and restarts nothing; another authority of the issuer restarts it', async () => {
  const host = hostOf('oauth2', 'systemd')
  const way: Way = { auth: 'oauth2', shape: 'systemd' }
  const next = await run('converge', host, way, {
    openbao_kms_client_secret_file: desk.file('client-secret-2', 'another-secret'),
  })
  expect(next.exitCode).toBe(0)
  const names = (keys: readonly string[]): readonly string[] => keys.map((key) => key.replace(/@.*$/, ''))
  const reach = 'reach:/run/openbao-kms/kms.sock as kube-apiserver'
  expect(names(next.done(host.name))).toEqual(['file:/etc/openbao-kms/credentials/client-secret', reach])
  const plan = await run('plan', host, way, {
    openbao_kms_client_secret_file: desk.file('client-secret-3', 'another-secret'),
    openbao_kms_issuer_ca: readFileSync(lab.secrets.caFile, 'utf8').repeat(2),
  })
  expect(names(plan.keys(host.name))).toEqual([
    'file:/etc/openbao-kms/issuer/ca.pem',
    'unit:bao-kms-provider.service',
    reach,
  ])
})

test.each([
  [
    { auth: 'oauth2', shape: 'systemd' },
    { openbao_kms_oauth2_token_url: '' },
    /expected an https URL without credentials, fragment/,
  ],
  [
    { auth: 'oauth2', shape: 'static_pod' },
    { openbao_kms_jwt_issuer: '' },
    /expected `auth.jwt.expectedIssuer` with source oauth2/,
  ],
  [{ auth: 'cert_pkcs11', shape: 'systemd' }, { openbao_kms_pkcs11_module: '' }, /expected an absolute path/],
  [{ auth: 'cert_pkcs11', shape: 'systemd' }, { openbao_kms_pin_file: '' }, /openbao_kms_pin/],
  [{ auth: 'jwt_file', shape: 'systemd' }, { openbao_kms_identity_jwt_file: '' }, /openbao_kms_identity_jwt/],
] as const)(
  'what a way to log in needs is asked for before any contact: %j without %j',
  async (way, without, message) => {
    await expect(run('converge', hostOf(way.auth, way.shape), way, without)).rejects.toThrow(message)
  },
)
