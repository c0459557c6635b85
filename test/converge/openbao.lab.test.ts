import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callKms } from '../lab/kms.ts'
import { startLab, type Lab, type LabHost } from '../lab/lab.ts'
import { makeAuthority, makeCertificate } from '../sources/certificates.ts'
import { answering, startStandIn, type StandIn } from '../sources/openbao/server.ts'
import { kmsfleet, type CliEnd } from './cli.ts'
import { formsOf } from './forms.ts'
import { listing, touched } from './listing.ts'

/** The whole rollout of the command line, with a token that a stand-in of OpenBao gives out over TLS. */

const token = 's.plantedOperatorToken8f21c4'
const reading = 'GET /v1/kv/data/kms/prod/identity'

let lab: Lab
let server: StandIn
let folder: string
let state: string
let playbook: string
beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }, { variant: 'plain' }] })
  for (const host of lab.hosts) await lab.exec(host, `sed -i '/pam_motd/d' /etc/pam.d/sshd`)
  folder = mkdtempSync(join(tmpdir(), 'kmsfleet-openbao-'))
  state = join(folder, 'state')
  const authority = makeAuthority(folder, 'authority')
  const certificate = makeCertificate(folder, 'server', authority, 'IP:127.0.0.1')
  server = await startStandIn(certificate, (request, response) => {
    const given = request.headers['x-vault-token'] === token
    const answer = given
      ? answering(200, { data: { data: { jwt: lab.secrets.jwt }, metadata: { version: 1 } } })
      : answering(403, { errors: ['permission denied'] })
    answer(request, response)
  })
  playbook = join(folder, 'rollout.yml')
  writeFileSync(
    playbook,
    stringify([
      {
        hosts: 'all',
        secrets: {
          openbao_kms_identity_jwt: {
            openbao: {
              ...{ mount: 'kv', path: 'kms/{{ environment_name }}/identity', field: 'jwt' },
              ...{ address: server.address, ca_file: authority.certificate },
            },
          },
        },
        roles: ['openbao_kms_systemd', 'kube_apiserver_access'],
      },
    ]),
  )
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
  await lab.down()
})

const requests = (): readonly string[] =>
  server.requests.map(({ method, url }) => `${method ?? ''} ${url ?? ''}`)

const run = (command: string, ...args: readonly string[]): Promise<CliEnd> =>
  kmsfleet(state, command, '-i', lab.inventoryFile, '-e', 'environment_name=prod', ...args, playbook)
const tokenFile = (name: string, text: string): readonly string[] => {
  const file = join(folder, name)
  writeFileSync(file, text, { mode: 0o600 })
  return ['--openbao-token-file', file]
}
const converge = (...args: readonly string[]): Promise<CliEnd> =>
  run('converge', '--yes', '--diff', '-v', ...tokenFile('token', `${token}\n`), ...args)

async function eachHost<T>(work: (host: LabHost) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(lab.hosts.map(work))
}

test('the token stays here until the project that names the server is trusted', async () => {
  const untrusted = await converge()
  expect(untrusted.stderr).toContain('project.untrusted')
  expect(untrusted.code).toBe(1)
  expect(requests()).toEqual([])

  const shown = await kmsfleet(state, 'trust-project', folder)
  const [, digest = ''] = /digest of all: (\w+)/.exec(shown.stdout) ?? []
  expect(await kmsfleet(state, 'trust-project', folder, '--digest', digest)).toMatchObject({ code: 0 })
})

test('from bare hosts to a provider that is ready with the JWT of OpenBao, and then nothing is written', async () => {
  const before = await eachHost((host) => listing(lab, host))
  const planned = await run('plan', '--diff')
  expect(planned.stdout).toContain('content not compared')
  expect(planned.code).toBe(2)
  const denied = await run('converge', '--yes', ...tokenFile('wrong', 's.anotherToken'))
  expect(denied.stderr).toContain('openbao.denied')
  expect(denied.code).toBe(1)
  expect(requests()).toEqual([reading])
  expect(await eachHost((host) => listing(lab, host))).toEqual(before)

  const made = await converge()
  expect(made.code).toBe(0)
  expect(requests()).toEqual([reading, reading])
  for (const host of lab.hosts) {
    const path = '/var/lib/openbao-kms/identity.jwt'
    expect(await lab.exec(host, `cat ${path}`)).toBe(lab.secrets.jwt)
    expect(await lab.exec(host, `stat -c '%U:%G %a' ${path}`)).toBe('root:openbao-kms 640\n')
    expect(await callKms(lab, host, 'Status', {})).toMatchObject({ healthz: 'ok' })
  }

  const after = await eachHost((host) => listing(lab, host))
  const again = await converge('--format', 'jsonl')
  expect(again.code).toBe(0)
  const ended = again.stdout.split('\n').filter((line) => line.includes('"host-ended"'))
  expect(ended.map((line) => JSON.parse(line) as unknown)).toMatchObject(
    lab.hosts.map(() => ({ outcome: 'ok', changed: 0 })),
  )
  const now = await eachHost((host) => listing(lab, host))
  expect(lab.hosts.map((_, index) => touched(after[index] ?? new Map(), now[index] ?? new Map()))).toEqual([
    [],
    [],
  ])

  const forbidden = [token, lab.secrets.jwt, lab.secrets.canary].flatMap(formsOf)
  const journals = readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
  expect(journals.length).toBeGreaterThan(3)
  const logs = await eachHost((host) =>
    lab.exec(host, 'journalctl -o export; cat /var/log/* 2>/dev/null || :'),
  )
  const outputs = [planned, denied, made, again].flatMap(({ stdout, stderr }) => [stdout, stderr])
  const leaks = [...outputs, ...journals, ...logs].filter((text) =>
    forbidden.some((form) => text.includes(form)),
  )
  expect(leaks).toEqual([])
})
