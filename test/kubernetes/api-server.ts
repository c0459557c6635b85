import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import * as z from 'zod'
import type { Lab, LabHost } from '../lab/lab.ts'
import { makeAuthority, makeCertificate } from '../sources/certificates.ts'

/** Where the API server looks for what encrypts Secrets; at first nothing does. */
export const encryptionConfig = '/etc/kubernetes/openbao-kms/encryption-config.yaml'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** A real kube-apiserver before a real etcd, in the place of a lab host's stand-in. */
export interface ApiServer {
  /** A call as an administrator of the cluster, over TLS. */
  readonly call: (method: string, path: string, body?: unknown) => Promise<Answer>
  /** Bytes that etcd holds under a key, asked of etcd itself; undefined: nothing. */
  readonly stored: (key: string) => Promise<Buffer | undefined>
  /** Restarts the service; it may not be ready when this returns. */
  readonly restart: () => Promise<void>
  /** Waits until it says that it is ready and has the namespace `default`. */
  readonly ready: () => Promise<void>
}

const Range = z.object({ kvs: z.array(z.object({ value: z.base64() })).optional() })
const limitMs = 120_000

/** Takes the place of the stand-in, as the same account, and waits until it is ready. */
export async function startApiServer(lab: Lab, host: LabHost): Promise<ApiServer> {
  const program = process.env['KMSFLEET_KUBE_APISERVER']
  if (program === undefined) throw new Error('run it by npm run test:kubernetes')
  const token = randomBytes(24).toString('hex')
  const etcd = `http://${host.address}:2379`
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-kubernetes-'))
  let ca: Buffer
  try {
    const authority = makeAuthority(folder, 'ca')
    const server = makeCertificate(folder, 'server', authority, `IP:${host.address}`)
    const accounts = makeAuthority(folder, 'service-accounts')
    ca = readFileSync(authority.certificate)
    await lab.exec(host, 'systemctl stop kube-apiserver')
    cpSync(program, join(host.rootFolder, 'usr/local/bin/kube-apiserver'))
    cpSync('/usr/bin/etcd', join(host.rootFolder, 'usr/local/bin/etcd'))
    await lab.exec(
      host,
      [
        'useradd --system --user-group --no-create-home --shell /usr/sbin/nologin etcd',
        'install -d -m 0700 -o etcd -g etcd /var/lib/etcd',
        put('/etc/kubernetes/pki/server.crt', readFileSync(server.certificate, 'utf8')),
        put('/etc/kubernetes/pki/server.key', readFileSync(server.key, 'utf8')),
        put('/etc/kubernetes/pki/service-accounts.crt', readFileSync(accounts.certificate, 'utf8')),
        put('/etc/kubernetes/pki/service-accounts.key', readFileSync(accounts.key, 'utf8')),
        put('/etc/kubernetes/tokens.csv', `${token},administrator,administrator,system:masters\n`),
        put(encryptionConfig, nothingEncrypted, 'root', '0644'),
        put('/etc/systemd/system/etcd.service', etcdUnit(host, etcd), 'root', '0644'),
        put('/etc/systemd/system/kube-apiserver.service', apiServerUnit(host, etcd), 'root', '0644'),
        'systemctl daemon-reload',
        'systemctl start kube-apiserver || { journalctl --no-pager --unit=kube-apiserver --lines=30 >&2; exit 1; }',
      ].join('\n'),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }

  const call: ApiServer['call'] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
      const url = `https://${host.address}:6443${path}`
      const sent = request(url, { method, ca, headers, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() })
        })
      })
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  const server: ApiServer = {
    call,
    stored: async (key) => {
      const asked = JSON.stringify({ key: Buffer.from(key).toString('base64') })
      const response = await fetch(`${etcd}/v3/kv/range`, { method: 'POST', body: asked })
      const [found] = Range.parse(await response.json()).kvs ?? []
      return found === undefined ? undefined : Buffer.from(found.value, 'base64')
    },
    restart: async () => {
      await lab.exec(host, 'systemctl restart kube-apiserver')
    },
    ready: () =>
      vi.waitFor(
        async () => {
          for (const path of ['/readyz?verbose', '/api/v1/namespaces/default']) {
            const { status, body } = await call('GET', path)
            if (status !== 200) throw new Error(`${path}: ${String(status)} ${body}`)
          }
        },
        { timeout: limitMs, interval: 200 },
      ),
  }
  await server.ready()
  return server
}

/** A file that, where nothing else is said, kube-apiserver alone can read. */
const put = (path: string, text: string, owner = 'kube-apiserver', mode = '0400'): string =>
  `install -D -m ${mode} -o ${owner} -g ${owner} /dev/stdin ${path} <<'END'\n${text}\nEND`

const nothingEncrypted = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - identity: {}
`

const etcdUnit = (host: LabHost, etcd: string): string => `[Unit]
Description=etcd
[Service]
Type=notify
User=etcd
Group=etcd
ExecStart=/usr/local/bin/etcd --name=${host.name} --data-dir=/var/lib/etcd --log-level=warn \\
  --listen-client-urls=${etcd} --advertise-client-urls=${etcd} \\
  --listen-peer-urls=http://${host.address}:2380 --initial-advertise-peer-urls=http://${host.address}:2380 \\
  --initial-cluster=${host.name}=http://${host.address}:2380
`

// No address of a lab's host may stand among the endpoints of a Service: all are loopback addresses.
const apiServerUnit = (host: LabHost, etcd: string): string => `[Unit]
Description=Kubernetes API server
Requires=etcd.service
After=etcd.service
[Service]
Type=notify
User=kube-apiserver
Group=kube-apiserver
ExecStart=/usr/local/bin/kube-apiserver --bind-address=${host.address} --secure-port=6443 \\
  --advertise-address=${host.address} --endpoint-reconciler-type=none \\
  --etcd-servers=${etcd} --service-cluster-ip-range=10.96.0.0/16 \\
  --tls-cert-file=/etc/kubernetes/pki/server.crt --tls-private-key-file=/etc/kubernetes/pki/server.key \\
  --service-account-issuer=https://kubernetes.lab.invalid \\
  --service-account-key-file=/etc/kubernetes/pki/service-accounts.crt \\
  --service-account-signing-key-file=/etc/kubernetes/pki/service-accounts.key \\
  --token-auth-file=/etc/kubernetes/tokens.csv --authorization-mode=RBAC \\
  --encryption-provider-config=${encryptionConfig}
TimeoutStartSec=120
[Install]
WantedBy=multi-user.target
`
