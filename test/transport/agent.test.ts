import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAgent } from '../../src/transport/agent.ts'
import { createConnector } from '../../src/transport/connect.ts'

let folder = ''
let silent = ''
const clients = new Set<Socket>()
const server = createServer((socket) => clients.add(socket.resume()))

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kmsfleet-agent-'))
  silent = join(folder, 'agent.sock')
  await new Promise<void>((resolve) => server.listen(silent, resolve))
})

afterEach(async () => {
  for (const client of clients) client.destroy()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})

test('an agent that does not answer is given up', async () => {
  expect(await createAgent(silent, 50).keys()).toMatchObject({ is: 'none' })
})

test('no agent, and one that is not there', async () => {
  expect(await createAgent('', 50).keys()).toEqual({ is: 'none', why: 'SSH_AUTH_SOCK is not set' })
  expect(await createAgent(join(folder, 'x'), 50).keys()).toMatchObject({ is: 'none' })
})

test('an interrupt does not wait for the agent', async () => {
  const settings = {
    kind: 'ssh',
    address: '127.0.0.1',
    port: 1,
    user: 'root',
    identityFiles: [],
    agent: true,
    agentSocket: silent,
    hostKeys: [],
    knownHostsFiles: [],
    connectTimeoutMs: 300,
    become: { method: 'none' },
  } as const
  const abort = new AbortController()
  server.once('connection', () => {
    abort.abort()
  })
  await using connector = createConnector()
  await expect(connector.connect('one', settings, abort.signal)).rejects.toMatchObject({
    code: 'transport.interrupted',
  })
})
