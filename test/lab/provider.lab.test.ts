import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callKms, type Message, type Method } from './kms.ts'
import { startLab, type Lab, type LabHost } from './lab.ts'
import { run } from './process.ts'

let lab: Lab
let host: LabHost

/** Installs and configures the provider by hand: what kmsfleet's own role does must not be its own yardstick. */
async function install(): Promise<void> {
  await lab.exec(
    host,
    `base64 -d >/root/bundle.tar.gz <<'END'\n${readFileSync(lab.bundle.tarball, 'base64')}\nEND`,
  )
  const config = `
configVersion: v1alpha1
server:
  socketPath: /run/openbao-kms/kms.sock
  socketMode: "0660"
  socketGroup: openbao-kms-socket
  healthAddress: ${host.healthAddress}
  metricsAddress: ${host.metricsAddress}
openbao:
  address: https://openbao.lab.invalid:8200
  caCertFile: /etc/openbao-kms/tls/ca.crt
  tlsServerName: openbao.lab.invalid
  instanceId: lab
auth:
  method: jwt
  jwt:
    mountPath: jwt   # a comment
    role: 'kms'
    jwtFile: /var/lib/openbao-kms/identity.jwt
    expectedAudience:
      - openbao
transit:
  mountPath: transit
  keyName: lab
  keyIdScope:
    providerName: lab
    clusterId: c1
    transitMountId: transit
    keyLineageId: "0123"
`
  await lab.exec(
    host,
    `cd /root && tar xzf bundle.tar.gz && cd bao-kms-provider_*
     install -m 0755 bin/bao-kms-provider /usr/bin/
     install -m 0644 -t /usr/lib/systemd/system systemd/*
     install -m 0644 -t /usr/lib/sysusers.d sysusers.d/*
     install -m 0644 -t /usr/lib/tmpfiles.d tmpfiles.d/*
     systemd-sysusers && systemd-tmpfiles --create --prefix=/etc/openbao-kms --prefix=/var/lib/openbao-kms --prefix=/run/openbao-kms
     install -m 0640 -g openbao-kms /dev/stdin /etc/openbao-kms/config.yaml <<'END'
${config}
END
     install -m 0644 /dev/stdin /etc/openbao-kms/tls/ca.crt <<'END'
${readFileSync(lab.secrets.caFile, 'utf8')}
END
     install -m 0640 -g openbao-kms /dev/stdin /var/lib/openbao-kms/identity.jwt <<'END'
${lab.secrets.jwt}
END
     usermod -aG openbao-kms-socket kube-apiserver
     systemctl daemon-reload && systemctl start bao-kms-provider`,
  )
}

beforeAll(async () => {
  lab = await startLab({ hosts: [{ variant: 'plain' }] })
  const [first] = lab.hosts
  if (first === undefined) throw new Error('expected a host, found none')
  host = first
  await install()
  await ready()
})
afterAll(() => lab.down())

/** Waits until the provider says that it is ready. */
async function ready(): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const answer = await fetch(`http://${host.healthAddress}/ready`).catch(() => undefined)
    if (answer?.status === 200) return
    if (Date.now() > deadline)
      throw new Error(`expected the provider to get ready, found that it did not in 30 s`)
    await delay(20)
  }
}

const call = (method: Method, request: Message): Promise<Message> => callKms(lab, host, method, request)

test('the release is laid out as the real one, and its checksum is the one that is told', async () => {
  const top = `bao-kms-provider_${lab.bundle.version}_systemd_linux_${process.arch === 'x64' ? 'amd64' : process.arch}`
  expect(basename(lab.bundle.tarball)).toBe(`${top}.tar.gz`)
  const rows = await run([
    'tar',
    '--list',
    '--verbose',
    '--numeric-owner',
    '--gzip',
    `--file=${lab.bundle.tarball}`,
  ])
  const members = rows
    .trim()
    .split('\n')
    .map((row) => row.split(/\s+/))
  expect(members.filter(([, owner]) => owner !== '0/0')).toEqual([])
  expect(members.map(([mode = '', , , , , name = '']) => `${mode} ${name.replace(top, '')}`)).toEqual([
    'drwxr-xr-x /',
    '-rw-r--r-- /LICENSE',
    '-rw-r--r-- /README.md',
    'drwxr-xr-x /bin/',
    '-rwxr-xr-x /bin/bao-kms-provider',
    'drwxr-xr-x /config/',
    '-rw-r--r-- /config/provider-systemd.yaml',
    'drwxr-xr-x /kubernetes/',
    '-rw-r--r-- /kubernetes/encryption-config.yaml',
    'drwxr-xr-x /systemd/',
    '-rw-r--r-- /systemd/bao-kms-provider.service',
    'drwxr-xr-x /sysusers.d/',
    '-rw-r--r-- /sysusers.d/openbao-kms.conf',
    'drwxr-xr-x /tmpfiles.d/',
    '-rw-r--r-- /tmpfiles.d/openbao-kms.conf',
  ])
  expect(readFileSync(lab.bundle.checksums, 'utf8')).toBe(`${lab.bundle.sha256}  ${top}.tar.gz\n`)
})

test('the socket has its mode and group, and the state its modes', async () => {
  const rows = await lab.exec(
    host,
    `cd /; stat -c '%n %U %G %a' run/openbao-kms run/openbao-kms/kms.sock var/lib/openbao-kms/state/*`,
  )
  expect(rows.trim().split('\n')).toEqual([
    'run/openbao-kms openbao-kms openbao-kms-socket 2750',
    'run/openbao-kms/kms.sock openbao-kms openbao-kms-socket 660',
    'var/lib/openbao-kms/state/key-registry.json openbao-kms openbao-kms 640',
    'var/lib/openbao-kms/state/key-registry.json.checkpoint openbao-kms openbao-kms 640',
    'var/lib/openbao-kms/state/key-registry.json.lock openbao-kms openbao-kms 600',
  ])
})

test('KMS v2: what Encrypt made, Decrypt turns back; a wrong key id or a changed byte it refuses', async () => {
  const status = await call('Status', {})
  expect(status).toEqual({ version: 'v2', healthz: 'ok', key_id: 'stand-in.c1.0123' })
  const plaintext = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  const sealed = await call('Encrypt', { plaintext, uid: 'a' })
  expect(sealed['key_id']).toBe(status['key_id'])
  const ciphertext = sealed['ciphertext']
  if (!Buffer.isBuffer(ciphertext)) throw new Error('expected bytes, found none')
  expect(ciphertext.includes(plaintext.subarray(0, 8))).toBe(false)

  const request = { ...sealed, uid: 'b' }
  expect(await call('Decrypt', request)).toEqual({ plaintext })
  const changed = Buffer.from(ciphertext.map((byte, index) => (index === 20 ? byte ^ 1 : byte)))
  const refused: Message[] = [
    { ...request, key_id: 'other' },
    { ...request, annotations: {} },
    { ...request, ciphertext: changed },
    { ...request, ciphertext: Buffer.alloc(3) },
  ]
  for (const each of refused) await expect(call('Decrypt', each)).rejects.toMatchObject({ code: 3 })
  await expect(call('Encrypt', { plaintext: Buffer.alloc(70_000) })).rejects.toMatchObject({ code: 8 })
  await expect(call('Missing', {})).rejects.toMatchObject({ code: 12 })
})

test.each([
  ['/live', 200],
  ['/ready', 200],
  ['/other', 404],
])('health: %s answers %i', async (path, code) => {
  expect((await fetch(`http://${host.healthAddress}${path}`)).status).toBe(code)
})

test('health: a request that comes in parts is answered once it is whole', async () => {
  const [address = '', port = ''] = host.healthAddress.split(':')
  const socket = connect({ host: address, port: Number(port), noDelay: true })
  socket.write('GET /ready HTTP/1.0\r\n')
  await delay(100)
  expect(socket.bytesRead).toBe(0)
  socket.end('Host: x\r\n\r\n')
  const answer = await socket.toArray()
  expect(Buffer.concat(answer.filter((part) => Buffer.isBuffer(part))).toString()).toMatch(/^HTTP\/1\.1 200 /)
})

test('an identity with the socket group connects, one without does not', async () => {
  const probe = 'bao-kms-provider probe --socket /run/openbao-kms/kms.sock'
  const as = (user: string): string =>
    `setpriv --reuid=${user} --regid=${user} --init-groups ${probe} || echo exit $?`
  expect(await lab.exec(host, as('kube-apiserver'))).not.toContain('"status":"fail"')
  expect(await lab.exec(host, as('nobody').replace('regid=nobody', 'regid=nogroup'))).toContain('exit 4')
})

/** What breaks the host, what mends it, and how the provider says no: its exit code and a part of its message. */
const refusals: readonly (readonly [string, string, number, string])[] = [
  ['chmod 2770 /run/openbao-kms', 'chmod 2750 /run/openbao-kms', 5, 'writable by its group'],
  ['chown root /run/openbao-kms', 'chown openbao-kms /run/openbao-kms', 5, 'belongs to another user'],
  [
    'mv /run/openbao-kms /run/away; ln -s away /run/openbao-kms',
    'rm /run/openbao-kms; mv /run/away /run/openbao-kms',
    5,
    'symbolic link',
  ],
  ['touch /run/openbao-kms/kms.sock', 'rm /run/openbao-kms/kms.sock', 5, 'taken by something else'],
  [
    'chmod 0644 /etc/openbao-kms/config.yaml',
    'chmod 0640 /etc/openbao-kms/config.yaml',
    3,
    'unsafe_permissions',
  ],
  [
    'chmod 0600 /etc/openbao-kms/config.yaml',
    'chmod 0640 /etc/openbao-kms/config.yaml',
    3,
    'file_unreadable',
  ],
  [
    'chmod 0644 /var/lib/openbao-kms/identity.jwt',
    'chmod 0640 /var/lib/openbao-kms/identity.jwt',
    3,
    'unsafe_permissions',
  ],
  [
    'chmod 0666 /etc/openbao-kms/tls/ca.crt',
    'chmod 0644 /etc/openbao-kms/tls/ca.crt',
    3,
    'unsafe_permissions',
  ],
  [
    'echo "extra: 1" >>/etc/openbao-kms/config.yaml',
    'sed -i "/^extra/d" /etc/openbao-kms/config.yaml',
    3,
    'unknown key extra',
  ],
  ...(
    [
      [
        's/method: jwt/method: cert/',
        's/method: cert/method: jwt/',
        'auth.cert.mountPath is required for cert',
      ],
      ['s/^    role:/    source: oauth2\\n&/', '/source: oauth2/d', 'auth.jwt.expectedIssuer is required'],
      [
        's/^    jwtFile:/    oauth2:\\n      clientId: a\\n&/',
        '/oauth2:/d; /clientId: a/d',
        'is not for jwt from a file',
      ],
    ] as const
  ).map(
    ([breaks, mends, message]) =>
      [
        `sed -i '${breaks}' /etc/openbao-kms/config.yaml`,
        `sed -i '${mends}' /etc/openbao-kms/config.yaml`,
        3,
        message,
      ] as const,
  ),
  ['mv /etc/openbao-kms/config.yaml /root/', 'mv /root/config.yaml /etc/openbao-kms/', 3, 'file_missing'],
  ['rm /var/lib/openbao-kms/state/*.checkpoint', 'rm /var/lib/openbao-kms/state/*', 5, 'alone'],
]

test.each(refusals)('the provider refuses: %s', async (breaks, mends, code, message) => {
  const serve = 'setpriv --reuid=openbao-kms --regid=openbao-kms --init-groups bao-kms-provider serve'
  await lab.exec(host, `systemctl stop bao-kms-provider; ${breaks}`)
  try {
    const answer = await lab.exec(
      host,
      `timeout 10 ${serve} --config /etc/openbao-kms/config.yaml 2>&1 || echo exit $?`,
    )
    expect(answer).toContain(message)
    expect(answer).toContain(`exit ${String(code)}\n`)
  } finally {
    await lab.exec(host, `${mends}; systemctl reset-failed; systemctl start bao-kms-provider`)
  }
  await ready()
})

test('a socket that its process left behind is replaced, one that is served is not', async () => {
  await lab.exec(host, 'systemctl kill -s KILL bao-kms-provider; test -S /run/openbao-kms/kms.sock')
  await lab.exec(host, 'systemctl reset-failed; systemctl restart bao-kms-provider')
  await ready()
  expect((await call('Status', {}))['healthz']).toBe('ok')
  const second = 'setpriv --reuid=openbao-kms --regid=openbao-kms --init-groups bao-kms-provider serve'
  const settings = '/etc/openbao-kms/second.yaml'
  const answer = await lab.exec(
    host,
    `sed -e 's/^configVersion/state:\\n  path: \\/tmp\\/state.json\\n&/' /etc/openbao-kms/config.yaml >${settings}
     chown root:openbao-kms ${settings}; chmod 0640 ${settings}
     timeout 10 ${second} --config ${settings} 2>&1 || echo exit $?`,
  )
  expect(answer).toContain('is served by another process')
  expect(answer).toContain('exit 5\n')
})
