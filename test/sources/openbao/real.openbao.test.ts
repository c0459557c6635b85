import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { OpenbaoSource } from '../../../src/sources/types.ts'
import { folderWith } from '../../document/problems.ts'
import { type Certificate, makeAuthority, makeCertificate } from '../certificates.ts'
import { read } from '../reading.ts'
import { type RealServer, startRealServer } from './real-server.ts'

const value = 'planted-Value-77aa'
const source: OpenbaoSource = {
  from: 'openbao',
  mount: 'kv2',
  path: 'kms/c1',
  field: 'pin',
  engine: 'kv-v2',
  timeout: 10,
}

let folder: string
let authority: Certificate
let server: RealServer
let token: string
beforeAll(async () => {
  folder = folderWith({})
  authority = makeAuthority(folder, 'ca')
  server = await startRealServer(
    folder,
    authority,
    makeCertificate(folder, 'server', authority, 'IP:127.0.0.1'),
  )
  const { call } = server
  await call('POST', 'sys/mounts/kv1', { type: 'kv' })
  await call('POST', 'sys/mounts/kv2', { type: 'kv', options: { version: '2' } })
  await call('POST', 'kv1/kms/c1', { pin: value })
  // A new kv-v2 mount is upgraded in the background and refuses writes until then.
  await vi.waitFor(() => call('POST', 'kv2/data/kms/c1', { data: { pin: 'old' } }), {
    timeout: 30_000,
    interval: 200,
  })
  await call('POST', 'kv2/data/kms/c1', { data: { pin: value, chain: 'PEM\n' } })
  await call('POST', 'kv2/data/secret', { data: { pin: 'x' } })
  await call('POST', 'kv2/data/gone', { data: { pin: 'x' } })
  await call('DELETE', 'kv2/data/gone')
  await call('PUT', 'sys/policies/acl/kms', {
    policy: ['kv1/kms/*', 'kv2/data/kms/*', 'kv2/data/gone', 'kv2/data/none', 'kv1/data/*', 'kv2/kms/*']
      .map((path) => `path "${path}" { capabilities = ["read"] }`)
      .join('\n'),
  })
  const created = (await call('POST', 'auth/token/create', { policies: ['kms'] })) as {
    readonly auth: { readonly client_token: string }
  }
  token = created.auth.client_token
})
afterAll(() => server[Symbol.asyncDispose]())

function environment(more: Record<string, string> = {}): Record<string, string> {
  return { BAO_ADDR: server.address, BAO_TOKEN: token, BAO_CACERT: authority.certificate, ...more }
}

test.each<[string, Partial<OpenbaoSource>, string]>([
  ['the newest version', {}, value],
  ['a version', { version: '1' }, 'old'],
  ['another field, byte by byte', { field: 'chain' }, 'PEM\n'],
  ['the first engine', { mount: 'kv1', engine: 'kv-v1' }, value],
])('%s is read', async (_, more, expected) => {
  expect((await read([{ ...source, ...more }], { environment: environment() })).texts).toEqual([expected])
})

test.each<[string, Partial<OpenbaoSource>, Record<string, string>, string]>([
  [
    'a path that the token may not read',
    { path: 'secret' },
    {},
    'openbao.denied expected leave to read kv2/secret',
  ],
  [
    'a token that is none',
    {},
    { BAO_TOKEN: 's.plantedNonsense' },
    'openbao.denied expected leave to read kv2/kms/c1',
  ],
  [
    'a path without a secret',
    { path: 'none' },
    {},
    'openbao.missing expected a secret at kv2/none, found none',
  ],
  [
    'a deleted version',
    { path: 'gone' },
    {},
    'openbao.missing expected a secret at kv2/gone, found that version 1 was deleted',
  ],
  [
    'a version that never was',
    { version: '9' },
    {},
    'openbao.missing expected a secret at kv2/kms/c1 version 9, found none',
  ],
  [
    'a field that is not there',
    { field: 'pim' },
    {},
    'openbao.missing expected a text in field `pim` of kv2/kms/c1, found no such field',
  ],
  ['the wrong engine', { mount: 'kv1' }, {}, 'openbao.missing expected a secret at kv1/kms/c1, found none'],
  [
    'the other wrong engine',
    { engine: 'kv-v1' },
    {},
    'openbao.missing expected a secret at kv2/kms/c1, found none',
  ],
])('%s is told without token and value', async (_, more, env, expected) => {
  const { problems, inside } = await read([{ ...source, ...more }], { environment: environment(env) })
  expect(problems).toEqual([expect.stringContaining(expected)])
  for (const secret of [token, value, 'plantedNonsense']) expect(inside).not.toContain(secret)
})

test('another authority than the one that was named', async () => {
  const env = environment({ BAO_CACERT: makeAuthority(folder, 'stranger').certificate })
  const { problems, inside } = await read([source], { environment: env })
  expect(problems.join()).toMatch(/^openbao\.tls /)
  expect(inside).not.toContain(token)
})

test('mutual TLS', async () => {
  const env = environment({ BAO_ADDR: server.mutualAddress })
  expect((await read([source], { environment: env })).problems.join()).toMatch(/^openbao\.(tls|unavailable) /)
  const { certificate, key } = makeCertificate(folder, 'client', authority, 'DNS:operator')
  const shown = { ...env, BAO_CLIENT_CERT: certificate, BAO_CLIENT_KEY: key }
  expect((await read([source], { environment: shown })).texts).toEqual([value])
})

test('a server that hangs', async () => {
  server.freeze(true)
  try {
    const { problems, inside } = await read([{ ...source, timeout: 1 }], { environment: environment() })
    expect(problems.join()).toContain('within 1 s, found none')
    expect(inside).not.toContain(token)
  } finally {
    server.freeze(false)
  }
})

test('a sealed server; nothing can be read after this', async () => {
  await server.call('PUT', 'sys/seal')
  const { problems, inside } = await read([source], { environment: environment() })
  expect(problems.join()).toMatch(/^openbao\.unavailable expected .* to be unsealed, found status 503/)
  expect(inside).not.toContain(token)
})
