import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { drive, openDesk, type Desk, type Driven } from '../converge/drive.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { encryptionConfig, startApiServer, type ApiServer } from './api-server.ts'
import { drifts } from './drifts.ts'
import { verify } from './verify.ts'

/**
 * What all of this is for: a real kube-apiserver, which is not root, keeps Secrets in a real etcd, encrypted through the
 * socket that kmsfleet prepared. The provider is the stand-in.
 */

const written = 'k8s:enc:kms:v2:openbao-kms-lab:'
const secrets = '/api/v1/namespaces/default/secrets'
const keyOf = (name: string): string => `/registry/secrets/default/${name}`
const plaintextOf = (name: string): string => `plaintext of ${name}`

let lab: Lab
let host: LabHost
let server: ApiServer
let desk: Desk
beforeAll(async () => {
  desk = openDesk()
  lab = await startLab({ hosts: [{ variant: 'plain' }] })
  const [first] = lab.hosts
  if (first === undefined) throw new Error('expected a host, found none')
  host = first
  server = await startApiServer(lab, host)
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

const secretOf = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: { value: plaintextOf(name) },
})

const create = (name: string): ReturnType<ApiServer['call']> => server.call('POST', secrets, secretOf(name))

/** The plaintext of a Secret as the API gives it, or the answer that is none. */
async function read(name: string): Promise<string> {
  const { status, body } = await server.call('GET', `${secrets}/${name}`)
  if (status !== 200) return `${String(status)} ${body}`
  const { data } = JSON.parse(body) as { readonly data: { readonly value: string } }
  return Buffer.from(data.value, 'base64').toString()
}

/** What stands before a Secret in etcd, and whether its plaintext can be read there. */
async function kept(name: string): Promise<{ readonly starts: string; readonly plain: boolean }> {
  const bytes = await server.stored(keyOf(name))
  if (bytes === undefined) throw new Error(`expected ${name} in etcd, found nothing`)
  return {
    starts: bytes.subarray(0, written.length).toString('latin1'),
    plain: bytes.includes(plaintextOf(name)),
  }
}

const encrypted = { starts: written, plain: false }

function encryption(command: 'plan' | 'converge', stage: 'readers' | 'writers'): Promise<Driven> {
  const playbook = desk.playbook({
    tasks: [
      {
        name: `Encryption of Secrets: ${stage}`,
        encryption_config: {
          stage,
          provider: '{{ openbao_kms_provider_name }}',
          socket: '/run/openbao-kms/kms.sock',
          provider_config: '/etc/openbao-kms/config.yaml',
          apiserver_unit: 'kube-apiserver.service',
          dest: encryptionConfig,
          owner: 'root',
          group: 'root',
          mode: '0644',
        },
      },
    ],
  })
  return drive(lab, command, { playbook })
}

async function restart(): Promise<void> {
  await server.restart()
  await server.ready()
}

test('before: what the API keeps lies in etcd for everyone to read', async () => {
  expect((await create('before')).status).toBe(201)
  expect((await kept('before')).plain).toBe(true)
})

test('the rollout prepares the socket; the API server runs on, and its restart is told as due', async () => {
  const before = await mainPid()
  const made = await drive(lab, 'converge')
  expect(made.of('failed')).toEqual([])
  expect(made.exitCode).toBe(0)
  expect(made.ended(host.name).due).toMatchObject([
    { resource: 'unit:kube-apiserver.service', by: 'playbooks/restart-apiserver.yml' },
  ])
  expect(await mainPid()).toBe(before)
  expect(await groupsOfProcess()).not.toContain('openbao-kms-socket')
})

test('the play for it restarts it, and its process has the group of the socket', async () => {
  const made = await drive(lab, 'converge', { playbook: 'playbooks/restart-apiserver.yml' })
  expect(made.exitCode).toBe(0)
  await server.ready()
  expect(await groupsOfProcess()).toEqual(['kube-apiserver', 'openbao-kms-socket'])
  expect((await drive(lab, 'plan')).exitCode).toBe(0)
  expect((await drive(lab, 'plan')).ended(host.name).due).toEqual([])
})

test('readers: what is new is kept as before, and writers are refused until they are loaded', async () => {
  expect((await encryption('converge', 'readers')).exitCode).toBe(0)
  const early = await encryption('plan', 'writers')
  expect(early.problem(host.name).message).toContain('kube-apiserver.service')
  await restart()
  expect(await read('before')).toBe(plaintextOf('before'))
  expect((await create('readers')).status).toBe(201)
  expect((await kept('readers')).plain).toBe(true)
})

test('writers: a Secret is encrypted in etcd, and read back through the API', async () => {
  expect((await encryption('converge', 'writers')).exitCode).toBe(0)
  await restart()
  expect((await create('writers')).status).toBe(201)
  expect(await kept('writers')).toEqual(encrypted)
  expect(await read('writers')).toBe(plaintextOf('writers'))
})

test('what was kept in plain text is still read, and is encrypted once it is written again', async () => {
  expect(await read('before')).toBe(plaintextOf('before'))
  expect((await server.call('PUT', `${secrets}/before`, secretOf('before'))).status).toBe(200)
  expect(await kept('before')).toEqual(encrypted)
  expect(await read('before')).toBe(plaintextOf('before'))
})

test('another start of the API server reads what an earlier one encrypted', async () => {
  await restart()
  expect(await read('writers')).toBe(plaintextOf('writers'))
})

test('without the provider an API server that runs goes on with the key that it has; one that starts can neither write nor read', async () => {
  await lab.exec(host, 'systemctl stop bao-kms-provider')
  // It asks the provider for a key at its start, and uses that for three minutes after it last saw the provider well.
  expect((await create('coasting')).status).toBe(201)
  expect(await kept('coasting')).toEqual(encrypted)

  await server.restart()
  const refused = await vi.waitFor(() => create('refused'), { timeout: 60_000, interval: 200 })
  expect(refused).toMatchObject({ status: 500 })
  expect(await server.stored(keyOf('refused'))).toBeUndefined()
  expect(await read('writers')).toMatch(/^500 /)
  const health = await server.call('GET', '/readyz/kms-providers')
  expect(health.status).toBe(500)

  await lab.exec(host, 'systemctl start bao-kms-provider')
  await server.ready()
  expect(await read('coasting')).toBe(plaintextOf('coasting'))
  expect((await create('refused')).status).toBe(201)
  expect(await kept('refused')).toEqual(encrypted)
})

describe('verify, with the real process as the actor', () => {
  const proved = { code: 0, notProved: [] }

  test('it passes, and the API server goes on undisturbed', async () => {
    expect(await verify(lab, desk.folder)).toMatchObject({
      ...proved,
      found: { 'kube-apiserver': `kube-apiserver.service, process ${await mainPid()}` },
    })
    expect((await server.call('GET', '/readyz')).status).toBe(200)
  })

  test.each(drifts)(
    '$name: it says that and nothing else, and passes again once that is mended',
    async (drift) => {
      await lab.exec(host, drift.make)
      const drifted = await verify(lab, desk.folder)
      // Mended before anything is judged, so that no drift is seen in the test of the next.
      await lab.exec(host, drift.first ?? '')
      const { exitCode } = await drive(lab, 'converge')
      await lab.exec(host, drift.then ?? '')
      const mended = await verify(lab, desk.folder)
      expect(drifted).toMatchObject({ code: 2, notProved: drift.says })
      expect(exitCode).toBe(0)
      expect(mended).toMatchObject(proved)
    },
  )

  test('an ACL on the token behind a closed directory lets nobody read: the plan tells of it, the proof passes', async () => {
    await lab.exec(host, 'setfacl -m u:kube-apiserver:r /var/lib/openbao-kms/identity.jwt')
    expect(await verify(lab, desk.folder)).toMatchObject(proved)
    const made = await drive(lab, 'converge')
    expect(made.planned(host.name)[0]).toMatch(/^file:\S+identity.jwt acl user:\d+:r-- -> none$/)
    expect(made.exitCode).toBe(0)
  })

  test('after all of it, Secrets are still written and read', async () => {
    await server.ready()
    expect((await create('after')).status).toBe(201)
    expect(await kept('after')).toEqual(encrypted)
    expect(await read('after')).toBe(plaintextOf('after'))
  })
})

const mainPid = async (): Promise<string> =>
  (await lab.exec(host, 'systemctl show --property=MainPID --value kube-apiserver')).trim()

/** Names of all groups of the process, as the kernel has them. */
async function groupsOfProcess(): Promise<readonly string[]> {
  const names = await lab.exec(
    host,
    `for gid in $(sed -n 's/^\\(Gid\\|Groups\\)://p' /proc/${await mainPid()}/status); do getent group "$gid"; done | cut -d: -f1`,
  )
  return [...new Set(names.trim().split('\n'))].sort()
}
