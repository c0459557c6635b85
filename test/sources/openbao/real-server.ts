import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { vi } from 'vitest'
import type { Certificate } from '../certificates.ts'

/** A server with its storage in memory, unsealed. */
export interface RealServer extends AsyncDisposable {
  readonly address: string
  /** The same server, where clients need a certificate. */
  readonly mutualAddress: string
  readonly rootToken: string
  /** Calls the API by no way of the product's. Throws unless the answer is a success. */
  readonly call: (method: string, path: string, body?: unknown) => Promise<unknown>
  /** Stops and continues the process, so that it accepts connections and answers none. */
  freeze(frozen: boolean): void
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

export async function startRealServer(
  folder: string,
  authority: Certificate,
  certificate: Certificate,
): Promise<RealServer> {
  const program = process.env['KMSFLEET_OPENBAO']
  if (program === undefined) throw new Error('run it by npm run test:openbao')
  const [port, mutual, cluster] = [await freePort(), await freePort(), await freePort()]
  const listener = (at: number, more: string): string => `listener "tcp" {
  address = "127.0.0.1:${String(at)}"
  cluster_address = "127.0.0.1:${String(cluster)}"
  tls_cert_file = "${certificate.certificate}"
  tls_key_file = "${certificate.key}"
  ${more}
}
`
  const config = join(folder, 'server.hcl')
  const clients = `tls_require_and_verify_client_cert = true\n  tls_client_ca_file = "${authority.certificate}"`
  writeFileSync(
    config,
    `storage "inmem" {}\ndisable_mlock = true\napi_addr = "https://127.0.0.1:${String(port)}"\n${listener(port, '')}${listener(mutual, clients)}`,
  )
  const child = spawn(program, ['server', `-config=${config}`], { stdio: 'ignore' })
  const ended = new Promise((done) => child.once('exit', done))
  const address = `https://127.0.0.1:${String(port)}`
  const ca = readFileSync(authority.certificate)
  let rootToken = ''

  function call(method: string, path: string, body?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const sent = request(
        `${address}/v1/${path}`,
        { method, ca, headers: { 'X-Vault-Token': rootToken } },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            if ((response.statusCode ?? 500) < 300) resolve(text === '' ? undefined : JSON.parse(text))
            else reject(new Error(`${method} ${path}: ${String(response.statusCode)} ${text}`))
          })
        },
      )
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  const init = (await vi.waitFor(() => call('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 }), {
    timeout: 60_000,
    interval: 200,
  })) as { readonly root_token: string; readonly keys: readonly string[] }
  await call('PUT', 'sys/unseal', { key: init.keys[0] })
  rootToken = init.root_token
  return {
    address,
    mutualAddress: `https://127.0.0.1:${String(mutual)}`,
    rootToken,
    call,
    freeze: (frozen) => child.kill(frozen ? 'SIGSTOP' : 'SIGCONT'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
