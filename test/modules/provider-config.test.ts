import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { checkValue, parseDocument } from '../../src/document/parse.ts'
import { KmsfleetErrors } from '../../src/errors/error.ts'
import type { Resource } from '../../src/model/resource.ts'
import { Digest, Secret } from '../../src/model/secret.ts'
import { UnknownText } from '../../src/model/text.ts'
import { known } from '../../src/model/value.ts'
import { fingerprintOf } from '../../src/modules/provider_config/identity.ts'
import { providerConfig } from '../../src/modules/provider_config/index.ts'
import { directory, file, group, planAll } from '../resources/world.ts'
import { context } from './context.ts'
import * as z from 'zod'

const base = `configVersion: v1alpha1
server:
  socketPath: /run/openbao-kms/kms.sock
  socketMode: "0660"
  socketGroup: openbao-kms-socket
openbao:
  address: https://openbao.example.org:8200
  caCertFile: /etc/openbao-kms/tls/ca.crt
  tlsServerName: openbao.example.org
  instanceId: bao-prod-a
auth:
  method: jwt
  jwt:
    mountPath: jwt
    role: kms-provider
    jwtFile: /var/lib/openbao-kms/identity.jwt
transit:
  mountPath: transit
  keyName: k8s-workload-a-etcd
  keyIdScope:
    providerName: openbao-kms-workload-a
    clusterId: workload-a
    transitMountId: transit-prod-primary
    keyLineageId: 7d34fb7df15f4e4c95d6c2a50fe90d84
`

const fingerprint = 'cfg1.yvWxcGrO1l_uVKV1uGE8zwTO4YzK-iyTBuYrevuK9QI'
const path = '/etc/openbao-kms/config.yaml'
const place = { dest: path, owner: 'root', group: 'openbao-kms', mode: '0640' }

/** The arguments as a task would have them, the configuration below `config:` from line 2 on. */
function located(text: string): ReturnType<typeof parseDocument<unknown>> {
  return parseDocument('t.yml', `config:\n${text.replaceAll(/^(?=.)/gm, '  ')}`, z.unknown())
}

/** `line:column message` of everything that is wrong, lines counted in the configuration's own text. */
function wrong(text: string, shape = 'systemd'): readonly string[] {
  const document = located(text)
  const value = { ...(document.value as object), ...place, shape }
  try {
    checkValue(providerConfig.args, value, document, { code: 'module.arguments' })
    return []
  } catch (error) {
    if (!(error instanceof KmsfleetErrors)) throw error
    return error.errors.map(({ message, place, hint }) =>
      [
        `${String((place?.line ?? 0) - 1)}:${String((place?.column ?? 0) - 2)}`,
        message,
        ...(hint ? [`(${hint})`] : []),
      ].join(' '),
    )
  }
}

test('a complete configuration is accepted, by its order and quotes is what counts written', () => {
  expect(wrong(base)).toEqual([])
})

const set = (from: string, to: string): string => {
  if (!base.includes(from)) throw new Error(`the base has no ${from}`)
  return base.replace(from, to)
}

const jwtFile = '    jwtFile: /var/lib/openbao-kms/identity.jwt\n'
const oauth2 = `    oauth2:
      tokenUrl: https://issuer.example.org/token
      clientId: kms
      authMethod: client_secret_basic
      clientSecretFile: /etc/openbao-kms/credentials/client-secret
`
const cert = `  cert:
    mountPath: cert
    source: pkcs11
    pkcs11:
      certificateFile: /etc/openbao-kms/client/client-chain.pem
      modulePath: /usr/lib/softhsm/libsofthsm2.so
      tokenLabel: kms
      keyLabel: kms
      pinFile: /etc/openbao-kms/pkcs11/pin
`

test('an empty text says nothing, and is as good as none where one is needed', () => {
  const empty = (keys: string): string => set(jwtFile, `${jwtFile}${keys}`)
  expect(wrong(empty("    expectedIssuer: ''\n    expectedSubject: ''\n    expectedAudience: []\n"))).toEqual(
    [],
  )
  const asked = set(
    jwtFile,
    `    source: oauth2\n    expectedAudience: [a]\n    expectedIssuer: ''\n${oauth2}`,
  )
  expect(wrong(asked)).toEqual([
    expect.stringContaining('expected `auth.jwt.expectedIssuer` with source oauth2, found nothing'),
  ])
})

describe('what is refused, at its place', () => {
  test.each<[what: string, text: string, expected: readonly string[]]>([
    [
      'no version',
      set('configVersion: v1alpha1\n', ''),
      ['1:1 expected "v1alpha1" for `configVersion`, found nothing'],
    ],
    [
      'another version',
      set('v1alpha1', 'v1'),
      ['1:16 expected "v1alpha1" for `configVersion`, found the text "v1"'],
    ],
    [
      'a misspelt key',
      set('tlsServerName', 'tlsServername'),
      [
        '7:3 expected text for `tlsServerName`, found nothing',
        '9:3 expected a known key, found `tlsServername` (did you mean `tlsServerName`?)',
      ].sort(),
    ],
    [
      'removed keys, named with what took their place',
      set('  method: jwt\n', '  method: jwt\n  role: kms-provider\n  tokenStorage: memory\n'),
      [
        '13:9 expected `auth.jwt.role`, found `auth.role`, which the provider no longer knows',
        '14:17 expected no such key, found `auth.tokenStorage`, which the provider no longer knows: leave it out',
      ],
    ],
    [
      'a near miss is never a removed key',
      set('  socketMode', '  adminAdress: 127.0.0.1:1\n  socketMode'),
      [
        '4:3 expected a known key, found `adminAdress` (known here: healthAddress, metricsAddress, socketGroup, socketMode, socketPath)',
      ],
    ],
    [
      'a socket elsewhere',
      set('/run/openbao-kms/kms.sock', '/run/kms.sock'),
      [
        '3:15 expected the path of a socket below /run/openbao-kms for `socketPath`, found the text "/run/kms.sock"',
      ],
    ],
    [
      'a socket beside',
      set('/run/openbao-kms/kms.sock', '/run/openbao-kms-x/kms.sock'),
      [
        '3:15 expected the path of a socket below /run/openbao-kms for `socketPath`, found the text "/run/openbao-kms-x/kms.sock"',
      ],
    ],
    [
      'a mode for others',
      set('"0660"', '"0666"'),
      [
        '4:15 expected "0660": the socket group connects, which takes write, and nobody else for `socketMode`, found the text "0666"',
      ],
    ],
    [
      'http',
      set('https://openbao.example.org:8200', 'http://openbao.example.org'),
      [
        '7:12 expected an https URL without credentials, query, fragment for `address`, found the text "http://openbao.example.org"',
      ],
    ],
    [
      'credentials in the URL',
      set('https://openbao', 'https://me:pw@openbao'),
      [
        '7:12 expected an https URL without credentials, query, fragment for `address`, found the text "https://me:pw@openbao.example.org:8200"',
      ],
    ],
    [
      'an empty user in the URL',
      set('https://openbao', 'https://@openbao'),
      [
        '7:12 expected an https URL without credentials, query, fragment for `address`, found the text "https://@openbao.example.org:8200"',
      ],
    ],
    [
      'a query',
      set(':8200', ':8200/?'),
      [
        '7:12 expected an https URL without credentials, query, fragment for `address`, found the text "https://openbao.example.org:8200/?"',
      ],
    ],
    [
      'a mount with a slash in front',
      set('mountPath: transit', 'mountPath: /transit'),
      [
        '18:14 expected a relative path without leading or trailing `/`, `%` and dot segments for `mountPath`, found the text "/transit"',
      ],
    ],
    [
      'a key name with a slash',
      set('keyName: k8s', 'keyName: a/k8s'),
      ['19:12 expected a name without `/` and `%` for `keyName`, found the text "a/k8s-workload-a-etcd"'],
    ],
    [
      'a namespace with dots',
      set('  instanceId', '  namespace: a/../b\n  instanceId'),
      [
        '10:14 expected a relative path without leading or trailing `/`, `%` and dot segments for `namespace`, found the text "a/../b"',
      ],
    ],
    [
      'a number for a duration',
      `${base}openbao2: 1\n`.replace('openbao2: 1', 'bootstrap:\n  graceTimeout: 60'),
      ['26:17 expected a duration such as "30s" or "1h30m" for `graceTimeout`, found the number 60'],
    ],
    [
      'one address twice',
      set('  socketMode', '  metricsAddress: 127.0.0.1:8082\n  socketMode'),
      ['4:19 expected different metrics and health addresses, found 127.0.0.1:8082 for both'],
    ],
    [
      'a port that does not exist',
      set('  socketMode', '  metricsAddress: 127.0.0.1:65536\n  socketMode'),
      ['4:19 expected an address as host:port for `metricsAddress`, found the text "127.0.0.1:65536"'],
    ],
    [
      'a renewal as short as its margin',
      set('  method: jwt\n', '  method: jwt\n  tokenRenewalIncrement: 300s\n'),
      ['13:26 expected tokenRenewalIncrement to exceed loginBeforeTokenExpiry, found 300s and 5m'],
    ],
    [
      'a probe as rare as staleness',
      `${base}status:\n  probeInterval: 2m\n`,
      ['26:18 expected probeInterval to be shorter than statusMaxStaleness, found 2m and 2m'],
    ],
    ['no token file', set(jwtFile, ''), ['14:5 expected `auth.jwt.jwtFile` with source file, found nothing']],
    [
      'oauth2 beside a file',
      set(jwtFile, `${jwtFile}${oauth2}`),
      ['18:7 expected no `auth.jwt.oauth2` with source file, found one'],
    ],
    [
      'oauth2 with a file, and without issuer and audience',
      set(jwtFile, `    source: oauth2\n${jwtFile}${oauth2}`),
      [
        '14:5 expected `auth.jwt.expectedIssuer` with source oauth2, found nothing',
        '14:5 expected `auth.jwt.expectedAudience` with source oauth2, found nothing',
        '17:14 expected no `auth.jwt.jwtFile` with source oauth2, found one',
      ],
    ],
    [
      'cert without its section',
      set('method: jwt', 'method: cert'),
      ['12:3 expected `auth.cert` with method cert, found nothing'],
    ],
    [
      'another source of certificates',
      set('method: jwt\n', `method: cert\n${cert.replace('source: pkcs11', 'source: spiffe')}`),
      ['15:13 expected "pkcs11" for `source`, found the text "spiffe"'],
    ],
    [
      'one session',
      set('method: jwt\n', `method: cert\n${cert}      maxSessions: 1\n`),
      ['22:20 expected a number of at least 2 for `maxSessions`, found the number 1'],
    ],
    [
      'correlation without debug',
      `${base}logging:\n  debugCorrelation:\n    enabled: true\n    ttl: 2h\n`,
      [
        '27:14 expected `logging.level: debug` with debugCorrelation, found info',
        '28:10 expected a ttl of at most 1h, found 2h',
      ],
    ],
    [
      'a gid for a service',
      set('openbao-kms-socket', '991'),
      ['5:16 expected the name of the socket group for a systemd service, found the gid 991'],
    ],
  ])('%s', (_, text, expected) => {
    expect([...wrong(text)].sort()).toEqual([...expected].sort())
  })

  test('a name for a static pod', () => {
    expect(wrong(base, 'static_pod')).toEqual([
      '5:16 expected the gid of the socket group for a static pod, whose image knows no group names, found openbao-kms-socket',
    ])
    expect(wrong(set('openbao-kms-socket', '991'), 'static_pod')).toEqual([])
    expect(wrong(set('openbao-kms-socket', '"991"'), 'static_pod')).toEqual([])
  })

  test('all of oauth2 and of a certificate is accepted where it belongs', () => {
    const audience = '    source: oauth2\n    expectedIssuer: https://issuer\n    expectedAudience: [kms]\n'
    expect(wrong(set(jwtFile, `${audience}${oauth2}`))).toEqual([])
    expect(wrong(set('method: jwt\n', `method: cert\n${cert}      maxSessions: 2\n`))).toEqual([])
  })
})

function resources(
  text: string,
  more: { gid?: unknown; accept?: boolean; shape?: string } = {},
): readonly Resource[] {
  const config = parse(text) as { server: { socketGroup: unknown } }
  if (more.gid !== undefined) config.server.socketGroup = more.gid
  return providerConfig.resources(
    providerConfig.args.parse({ ...place, shape: more.shape ?? 'systemd', config }),
    context({ acceptsNewIdentity: more.accept === true }),
  )
}

const groups = { 'openbao-kms': group(998) }
const folder = { '/etc/openbao-kms': directory({ mode: 0o750 }) }

const on = (text: string): ReturnType<typeof file> => {
  const bytes = Buffer.from(text)
  return file({
    mode: 0o640,
    gid: known(998),
    size: bytes.length,
    content: known(Digest.of(bytes)),
    bytes: new Secret(path, bytes),
  })
}

/** What is planned on a host with this file: differences, or the refusal. */
function planned(wanted: readonly Resource[], old?: ReturnType<typeof file>): readonly string[] {
  const [one] = planAll(
    { groups, paths: { ...folder, ...(old === undefined ? {} : { [path]: old }) } },
    ...wanted,
  )
  if (one === undefined || one.is === 'same') return []
  if (one.is === 'refused') return [`${one.problem.code} ${one.problem.message}`]
  if (one.is !== 'change') throw new Error(`not expected: ${one.is}`)
  return one.differences.map(
    ({ attribute, from, to }) =>
      `${attribute}: ${from.known ? from.value : from.after} -> ${to.known ? to.value : `after ${to.after}`}`,
  )
}

const textOf = (wanted: readonly Resource[]): string => {
  const [one] = planAll({ groups, paths: folder }, ...wanted)
  const op = one?.is === 'change' ? one.ops[0] : undefined
  return op?.op === 'file-put' ? Buffer.from(op.payload.bytes).toString() : ''
}

test('the text is deterministic: quoted, in one order, without what says nothing', () => {
  const text = textOf(resources(`${base}bootstrap: {}\n`))
  expect(text.startsWith('# Managed by kmsfleet')).toBe(true)
  expect(text).toContain('  socketMode: "0660"\n')
  expect(text).not.toContain('bootstrap')
  expect(parse(text)).toEqual(parse(base))
  const [first = '', ...rest] = base.split(/^(?=\w)/m)
  expect(textOf(resources([...rest, first].join('')))).toBe(text)
})

describe('the identity', () => {
  test('the fingerprint is that of the published vector', () => {
    const at = (namespace: string): string =>
      fingerprintOf(
        new Map([
          ['a', 'openbao-kms-workload-a'],
          ['b', 'workload-a'],
          ['c', 'bao-prod-a'],
          ['d', namespace],
          ['e', 'transit-prod-primary'],
          ['f', '7d34fb7df15f4e4c95d6c2a50fe90d84'],
          ['g', 'transit'],
          ['h', 'k8s-workload-a-etcd'],
        ]),
      )
    expect(at('')).toBe(fingerprint)
    expect(at('team')).not.toBe(fingerprint)
  })

  const other = set('clusterId: workload-a', 'clusterId: workload-b')

  test('a first configuration and the same one are no change of it', () => {
    expect(planned(resources(base))[0]).toBe('state: absent -> file')
    expect(planned(resources(base), on(textOf(resources(base))))).toEqual([])
  })

  test('other values of other keys keep it, whatever form the file on the host has', () => {
    const moved = base.replace('role: kms-provider', 'role: another').replaceAll('"', "'")
    expect(planned(resources(base), on(moved)).map((line) => line.split(':')[0])).toEqual(['content'])
  })

  test('another one is refused and names the fields, old and new', () => {
    const [refusal = ''] = planned(resources(other), on(base))
    expect(refusal).toContain('resource.identity')
    expect(refusal).toContain(fingerprint)
    expect(refusal).toContain('transit.keyIdScope.clusterId workload-a -> workload-b')
    expect(planned(resources(set('  instanceId', '  namespace: team\n  instanceId')), on(base))[0]).toContain(
      'openbao.namespace (none) -> team',
    )
  })

  test('where it is accepted the plan shows it', () => {
    const lines = planned(resources(other, { accept: true }), on(base))
    expect(lines).toContain('transit.keyIdScope.clusterId: workload-a -> workload-b')
    expect(lines.some((line) => line.startsWith(`identity: ${fingerprint} -> cfg1.`))).toBe(true)
  })

  test.each([
    ['no YAML', on('{')],
    ['no configuration', on('a: 1\n')],
    [
      'a file that others can write',
      file({ uid: known(998), size: 1, content: known(Digest.of(Buffer.from('x'))) }),
    ],
    ['a file that was not read', file({ size: 1 })],
  ])('%s on the host is refused unless it is accepted', (_, old) => {
    expect(planned(resources(base), old)[0]).toMatch(/^resource.identity expected .*cannot be read/)
    expect(planned(resources(base, { accept: true }), old)).toContain(
      `identity: unreadable -> ${fingerprint}`,
    )
  })

  test.each(['c2VjcmV0', 'a: *c2VjcmV0\n', 'openbao: c2VjcmV0\n', 'c2VjcmV0: 1\nc2VjcmV0: 2\n'])(
    'what stands on the host is not quoted: %j',
    (text) => {
      const [line = ''] = planned(resources(base), on(text))
      expect(line).toMatch(/cannot be read: .*see line \d/)
      expect(line).not.toContain('c2VjcmV0')
    },
  )

  test('what is no file is told as that: nothing is deleted to make room, whatever is accepted', () => {
    expect(planned(resources(base, { accept: true }), file({ type: 'directory', mode: 0o755 }))).toEqual([
      expect.stringMatching(/^resource.wrong-type expected .* to be a regular file, found a directory/),
    ])
  })

  test('is judged while the gid of the socket group is not known yet', () => {
    const gid = new UnknownText([{ after: 'group:openbao-kms-socket', field: 'gid' }])
    const wanted = resources(base, { gid, shape: 'static_pod' })
    expect(planned(wanted, on(base)).at(0)).toMatch(/^content: sha256:\w+ -> after group:openbao-kms-socket$/)
    expect(planned(resources(other, { gid, shape: 'static_pod' }), on(base))[0]).toContain(
      'resource.identity',
    )
  })
})
