import { execFile } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { KmsfleetError } from '../../../src/errors/error.ts'
import type { OpenbaoSource } from '../../../src/sources/types.ts'
import { folderWith } from '../../document/problems.ts'
import { type Certificate, makeAuthority, makeCertificate } from '../certificates.ts'
import { read } from '../reading.ts'
import { answering, startStandIn, type StandIn } from './server.ts'

const token = 's.plantedToken8f21c4'
const value = 'planted-Value-77aa'
const source: OpenbaoSource = {
  from: 'openbao',
  mount: 'kv',
  path: 'kms/c1',
  field: 'pin',
  engine: 'kv-v2',
  timeout: 10,
}
const found = { data: { data: { pin: value, chain: 'PEM', number: 7 }, metadata: { version: 1 } } }

let folder: string
let authority: Certificate
let certificate: Certificate
let stranger: Certificate
beforeAll(() => {
  folder = folderWith({})
  authority = makeAuthority(folder, 'authority')
  certificate = makeCertificate(folder, 'server', authority, 'IP:127.0.0.1')
  stranger = makeAuthority(folder, 'stranger')
})

function environment(server: StandIn, more: Record<string, string> = {}): Record<string, string> {
  return { BAO_ADDR: server.address, BAO_TOKEN: token, BAO_CACERT: authority.certificate, ...more }
}

describe('a field of a secret', () => {
  test('is read with the token, and both are told to those who redact', async () => {
    await using server = await startStandIn(certificate, answering(200, found))
    const { texts, told } = await read([source], { environment: environment(server) })
    expect(texts).toEqual([value])
    expect(server.requests.map(({ method, url }) => `${method ?? ''} ${url ?? ''}`)).toEqual([
      'GET /v1/kv/data/kms/c1',
    ])
    expect(server.requests[0]?.headers['x-vault-token']).toBe(token)
    expect(server.requests[0]?.headers['x-vault-namespace']).toBeUndefined()
    expect(told.map((secret) => Buffer.from(secret.reveal()).toString())).toEqual([token, value])
  })

  test.each<[string, Partial<OpenbaoSource>, string]>([
    ['of a version', { version: '3' }, '/v1/kv/data/kms/c1?version=3'],
    ['whose parts need encoding', { mount: 'a b', path: 'x?y/z#1' }, '/v1/a%20b/data/x%3Fy/z%231'],
  ])('%s', async (_, more, url) => {
    await using server = await startStandIn(certificate, answering(200, found))
    await read([{ ...source, ...more }], { environment: environment(server) })
    expect(server.requests[0]?.url).toBe(url)
  })

  test('of the first engine', async () => {
    await using server = await startStandIn(certificate, answering(200, { data: { pin: value } }))
    const { texts } = await read([{ ...source, engine: 'kv-v1' }], { environment: environment(server) })
    expect(texts).toEqual([value])
    expect(server.requests[0]?.url).toBe('/v1/kv/kms/c1')
  })

  test('of a namespace; what a play says wins over the environment, and BAO_ over VAULT_', async () => {
    await using server = await startStandIn(certificate, answering(200, found))
    const env = environment(server, {
      BAO_NAMESPACE: 'team-a',
      VAULT_NAMESPACE: 'team-v',
      VAULT_PREFIX: '/x',
    })
    await read([source, { ...source, namespace: 'team-b' }], { environment: env })
    expect(server.requests.map(({ headers }) => headers['x-vault-namespace']).sort()).toEqual([
      'team-a',
      'team-b',
    ])
    expect(server.requests.map(({ url }) => url)).toEqual(Array(2).fill('/v1/kv/data/kms/c1'))
  })

  test('shares one request with the other fields, and with all hosts', async () => {
    await using server = await startStandIn(certificate, answering(200, found))
    const { texts } = await read([source, { ...source, field: 'chain' }, source], {
      environment: environment(server),
    })
    expect(texts).toEqual([value, 'PEM', value])
    expect(server.requests).toHaveLength(1)
  })

  test('over mutual TLS', async () => {
    const client = makeCertificate(folder, 'client', authority, 'DNS:operator')
    await using server = await startStandIn(certificate, answering(200, found), authority.certificate)
    const without = await read([source], { environment: environment(server) })
    expect(without.problems.join()).toMatch(/^openbao\.(tls|unavailable) /)
    const env = environment(server, { BAO_CLIENT_CERT: client.certificate, BAO_CLIENT_KEY: client.key })
    expect((await read([source], { environment: env })).texts).toEqual([value])
  })
})

describe('refused and told in one line, without token or value', () => {
  test.each<[string, number, unknown, Partial<OpenbaoSource>, string]>([
    [
      'a token without leave',
      403,
      { errors: ['1 error occurred:\n\t* permission denied\n'] },
      {},
      'openbao.denied expected leave to read kv/kms/c1 of SERVER, found status 403 (1 error occurred: * permission denied) | look at the policies and the expiry of the token ("bao token lookup")',
    ],
    [
      'a server that sends the token back',
      400,
      { errors: [`bad header X-Vault-Token: ${token}`] },
      {},
      'openbao.denied expected SERVER to take the request for kv/kms/c1, found status 400 (bad header X-Vault-Token: [token])',
    ],
    [
      'a path without a secret',
      404,
      { errors: [] },
      { namespace: 'team', version: '4' },
      'openbao.missing expected a secret at kv/kms/c1 version 4 in namespace team, found none (status 404) | check mount, path, namespace and `engine` (here kv-v2)',
    ],
    [
      'a deleted version',
      404,
      {
        data: {
          data: null,
          metadata: { version: 2, destroyed: false, deletion_time: '2026-01-01T00:00:00Z' },
        },
      },
      {},
      'openbao.missing expected a secret at kv/kms/c1, found that version 2 was deleted | see "bao kv undelete"',
    ],
    [
      'a sealed server',
      503,
      { errors: ['Vault is sealed'] },
      {},
      'openbao.unavailable expected SERVER to be unsealed, found status 503 (Vault is sealed) | unseal it ("bao status"), or wait for its maintenance to end',
    ],
    [
      'a busy server',
      429,
      { errors: [] },
      {},
      'openbao.unavailable expected SERVER to serve kv/kms/c1, found status 429',
    ],
    [
      'a page of a proxy',
      502,
      '<html>',
      {},
      'openbao.unavailable expected SERVER to answer with kv/kms/c1, found status 502',
    ],
    [
      'a page of a proxy that is sure of itself',
      200,
      '<html>',
      {},
      'openbao.missing expected a text in field `pin` of kv/kms/c1, found an answer of another form',
    ],
    [
      'a missing field',
      200,
      found,
      { field: 'pim' },
      'openbao.missing expected a text in field `pim` of kv/kms/c1, found no such field',
    ],
    [
      'a number',
      200,
      found,
      { field: 'number' },
      'openbao.missing expected a text in field `number` of kv/kms/c1, found another type | write the value as a text',
    ],
    [
      'an empty value',
      200,
      { data: { data: { pin: '' } } },
      {},
      'secret.empty expected the secret `secret_0` in field `pin`, found nothing in it | an empty secret is never written',
    ],
    [
      'too large a value',
      200,
      { data: { data: { pin: 'x'.repeat(1024 * 1024 + 1) } } },
      {},
      'secret.empty expected the secret `secret_0` in field `pin`, found more than 1048576 bytes',
    ],
    [
      'an answer without end',
      200,
      'x'.repeat(9 * 1024 * 1024),
      {},
      'openbao.unavailable expected an answer of SERVER with one secret, found one that does not end',
    ],
  ])('%s', async (_, status, body, more, expected) => {
    await using server = await startStandIn(certificate, answering(status, body))
    const { problems, inside } = await read([{ ...source, ...more }], { environment: environment(server) })
    expect(problems.map((line) => line.replaceAll(server.address, 'SERVER'))).toEqual([
      expect.stringContaining(expected),
    ])
    expect(inside).not.toContain(token)
    expect(inside).not.toContain(value)
  })

  test('a server that leads to another: the token stays', async () => {
    await using other = await startStandIn(certificate, answering(200, found))
    await using server = await startStandIn(certificate, (_, response) => {
      response.writeHead(307, { location: `${other.address}/v1/kv/data/kms/c1?token=${token}` })
      response.end()
    })
    const { problems, inside } = await read([source], { environment: environment(server) })
    expect(problems).toEqual([
      `openbao.redirect expected ${server.address} to answer, found that it leads to ${other.address} | the token is sent to no other server; name the one that answers in BAO_ADDR`,
    ])
    expect(other.requests).toHaveLength(0)
    expect(inside).not.toContain(token)
  })

  test('a server that answers too late, once for all that ask it', async () => {
    await using server = await startStandIn(certificate, () => undefined)
    const late = { ...source, timeout: 1 }
    const many = Array.from({ length: 20 }, (_, index) => ({ ...late, path: `kms/c${String(index)}` }))
    const { problems, inside } = await read(many, { environment: environment(server) })
    expect(problems).toEqual([
      `openbao.unavailable expected an answer of ${server.address} within 1 s, found none | look whether the server is up; \`timeout\` of the secret says how long is waited`,
    ])
    expect(server.requests.length).toBeLessThan(many.length)
    expect(inside).not.toContain(token)
  })

  test('an operator who ends the run does not wait for the server', async () => {
    const stop = new AbortController()
    await using server = await startStandIn(certificate, () => {
      stop.abort()
    })
    const { problems } = await read([source], { environment: environment(server) }, stop.signal)
    expect(problems[0]).toMatch(/^run\.interrupted /)
  })

  test('a server that is not there', async () => {
    const gone = await startStandIn(certificate, answering(200, found))
    await gone[Symbol.asyncDispose]()
    const { problems, inside } = await read([source], { environment: environment(gone) })
    expect(problems.join()).toContain('found ECONNREFUSED')
    expect(inside).not.toContain(token)
  })

  test('a certificate of an authority that nobody named', async () => {
    await using server = await startStandIn(certificate, answering(200, found))
    const env = environment(server, { BAO_CACERT: stranger.certificate })
    const { problems, inside } = await read([source], { environment: env })
    expect(problems.join()).toMatch(
      /^openbao\.tls expected a certificate of .* from a trusted authority, found UNABLE_TO_/,
    )
    expect(server.requests).toHaveLength(0)
    expect(inside).not.toContain(token)
  })

  test('even where Node is told to trust everybody', async () => {
    await using server = await startStandIn(certificate, answering(200, found))
    const env = environment(server, { BAO_CACERT: stranger.certificate })
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      expect((await read([source], { environment: env })).problems.join()).toContain('openbao.tls')
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    }
  })

  test('a certificate for another name, unless that name is asked for', async () => {
    const named = makeCertificate(folder, 'named', authority, 'DNS:bao.example')
    await using server = await startStandIn(named, answering(200, found))
    const { problems } = await read([source], { environment: environment(server) })
    expect(problems.join()).toContain('openbao.tls expected the certificate of')
    const env = environment(server, { VAULT_TLS_SERVER_NAME: 'bao.example' })
    expect((await read([source], { environment: env })).texts).toEqual([value])
  })
})

describe('settings', () => {
  const base = { BAO_ADDR: 'https://127.0.0.1:1', BAO_TOKEN: token, HOME: '/nowhere' }

  test.each<[string, Record<string, string>, string]>([
    ['no address', { BAO_ADDR: '' }, 'expected the address of OpenBao, found none | set BAO_ADDR'],
    ['an address with a path', { BAO_ADDR: 'https://bao/v1' }, 'found another form'],
    ['an address with a password', { BAO_ADDR: 'https://a:b@bao' }, 'found another form'],
    ['no scheme', { BAO_ADDR: 'bao:8200' }, 'found another form'],
    ['plain http', { BAO_ADDR: 'http://bao.example' }, 'the token would travel in the clear'],
    ['VAULT_SKIP_VERIFY', { VAULT_SKIP_VERIFY: 'true' }, 'expected VAULT_SKIP_VERIFY to be unset'],
    ['BAO_SKIP_VERIFY, whatever it says', { BAO_SKIP_VERIFY: '0' }, 'expected BAO_SKIP_VERIFY to be unset'],
    [
      'no token',
      { BAO_TOKEN: '' },
      'expected a token for OpenBao, found none | name a file with --openbao-token-file',
    ],
    ['a token that would be two headers', { BAO_TOKEN: `${token}\r\nx: y` }, 'found other characters'],
    ['an authority that is not there', { BAO_CACERT: '/nowhere/ca' }, 'in /nowhere/ca, found nothing there'],
    ['an authority that is none', { BAO_CACERT: '/etc/passwd' }, 'found no PEM certificate in it'],
    ['half a client certificate', { BAO_CLIENT_KEY: '/x' }, 'found only a key'],
  ])('%s is refused', async (_, more, expected) => {
    const { problems, inside } = await read([source], { environment: { ...base, ...more } })
    expect(problems).toEqual([expect.stringContaining(expected)])
    expect(problems[0]).toMatch(/^openbao\.settings /)
    expect(inside).not.toContain(token)
  })

  test('the token comes from the file of the option, the environment, the last login', async () => {
    await using server = await startStandIn(certificate, answering(200, found))
    const home = folderWith({ '.vault-token': 'from-login\n', option: 'from-option\n' })
    for (const name of ['.vault-token', 'option']) chmodSync(join(home, name), 0o600)
    const env = environment(server, { HOME: home })
    await read([source], { environment: env, tokenFile: join(home, 'option') })
    await read([source], { environment: env })
    await read([source], { environment: { ...env, BAO_TOKEN: '' } })
    expect(server.requests.map(({ headers }) => headers['x-vault-token'])).toEqual([
      'from-option',
      token,
      'from-login',
    ])
    chmodSync(join(home, 'option'), 0o644)
    const exposed = await read([source], { environment: env, tokenFile: join(home, 'option') })
    expect(exposed.problems.join()).toContain('secret.exposed')
  })

  test('a play says where the token goes only in a project that is trusted', async () => {
    await using server = await startStandIn(certificate, answering(200, found))
    const requireTrust = (file: string): void => {
      throw new KmsfleetError('project.untrusted', file)
    }
    const options = { environment: environment(server), requireTrust }
    expect((await read([{ ...source, address: server.address }], options)).texts).toEqual([value])
    for (const more of [
      { address: 'https://evil.example' },
      { caFile: stranger.certificate },
      { serverName: 'evil.example' },
    ]) {
      expect((await read([{ ...source, ...more }], options)).problems).toEqual(['project.untrusted site.yml'])
    }
    expect(server.requests).toHaveLength(1)
  })

  test('debugging of every library prints neither token nor value', async () => {
    await using server = await startStandIn(certificate, answering(200, found))
    const script = join(folder, 'read.mts')
    const reading = new URL('../reading.ts', import.meta.url).pathname
    writeFileSync(
      script,
      `import { read } from ${JSON.stringify(reading)}
       const { texts } = await read([${JSON.stringify(source)}], { environment: process.env })
       console.log(texts[0]?.length)`,
    )
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), script],
      { env: { ...process.env, ...environment(server), DEBUG: '*' } },
    )
    expect(stdout.trim()).toBe(String(value.length))
    expect(stderr).not.toContain('node-vault')
    expect(stderr).not.toContain(token)
    expect(stderr).not.toContain(value)
  })
})
