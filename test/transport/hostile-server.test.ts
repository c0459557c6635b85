import { Socket, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import ssh2 from 'ssh2'
import { createConnector } from '../../src/transport/connect.ts'
import { Secret } from '../../src/model/secret.ts'
import { shell } from './read.ts'

const never = new AbortController().signal

/** An SSH server that sends on and on, whatever window it was given. */
async function startFlood(): Promise<{ port: number; hostKey: string; close: () => void }> {
  const key = ssh2.utils.generateKeyPairSync('ed25519')
  const server = new ssh2.Server({ hostKeys: [key.private] }, (client) => {
    client.on('error', () => undefined)
    client.on('authentication', (context) => {
      context.accept()
    })
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec) => {
        const stream = acceptExec()
        const outgoing: unknown = Reflect.get(stream, 'outgoing')
        if (typeof outgoing !== 'object' || outgoing === null) throw new Error('ssh2 changed inside')
        // No divisor of the window: ssh2's client only stops at a window of exactly zero.
        Reflect.set(outgoing, 'packetSize', 30_001)
        const send = () => {
          Reflect.set(outgoing, 'window', 1 << 30)
          if (Reflect.get(outgoing, 'state') === 'open')
            stream.write(Buffer.alloc(1_000_003), () => setImmediate(send))
        }
        send()
      })
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return { port, hostKey: key.public, close: () => server.close() }
}

test('a server that ignores its flow-control window is cut off', async () => {
  const server = await startFlood()
  try {
    await using connector = createConnector()
    await using connection = await connector.connect(
      'one',
      {
        kind: 'ssh',
        address: '127.0.0.1',
        port: server.port,
        user: 'root',
        identityFiles: [],
        agent: false,
        password: new Secret('p', Buffer.from('p')),
        hostKeys: [server.hostKey],
        knownHostsFiles: [],
        connectTimeoutMs: 10_000,
        become: { method: 'none' },
      },
      never,
    )
    const channel = await connection.execRoot(shell('true'), never)
    await expect(channel.exited).rejects.toMatchObject({ code: 'transport.flood' })
    await expect(connection.execRoot(shell('true'), never)).rejects.toMatchObject({ code: 'transport.lost' })
  } finally {
    server.close()
  }
})

test('a public key that the server cannot prove to hold is not gathered', async () => {
  const shown = ssh2.utils.parseKey(ssh2.utils.generateKeyPairSync('ed25519').public)
  if (shown instanceof Error) throw shown
  const own = ssh2.utils.generateKeyPairSync('ed25519')
  const server = new ssh2.Server({ hostKeys: [own.private] }, (client) => {
    client.on('error', () => undefined)
    const protocol: unknown = Reflect.get(client, '_protocol')
    if (typeof protocol !== 'object' || protocol === null) throw new Error('ssh2 changed inside')
    const held: unknown = Reflect.get(protocol, '_hostKeys')
    if (typeof held !== 'object' || held === null) throw new Error('ssh2 changed inside')
    const key: unknown = Reflect.get(held, 'ssh-ed25519')
    if (typeof key !== 'object' || key === null) throw new Error('ssh2 changed inside')
    Reflect.set(key, 'getPublicSSH', () => shown.getPublicSSH())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  try {
    await using connector = createConnector()
    const settings = {
      kind: 'ssh',
      address: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      user: 'root',
      identityFiles: [],
      agent: false,
      hostKeys: [],
      knownHostsFiles: [],
      connectTimeoutMs: 10_000,
      become: { method: 'none' },
    } as const
    await expect(connector.scanHostKeys('one', settings, never)).rejects.toMatchObject({
      code: 'transport.handshake',
    })
  } finally {
    server.close()
  }
})

test('a connection that breaks during the login is not called a refused password', async () => {
  const key = ssh2.utils.generateKeyPairSync('ed25519')
  const server = new ssh2.Server({ hostKeys: [key.private] }, (client) => {
    client.on('error', () => undefined)
    client.on('authentication', () => {
      const socket: unknown = Reflect.get(client, '_sock')
      if (!(socket instanceof Socket)) throw new Error('ssh2 changed inside')
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  try {
    await using connector = createConnector()
    const settings = {
      kind: 'ssh',
      address: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      user: 'root',
      identityFiles: [],
      agent: false,
      password: new Secret('p', Buffer.from('p')),
      hostKeys: [key.public],
      knownHostsFiles: [],
      connectTimeoutMs: 10_000,
      become: { method: 'none' },
    } as const
    const error: unknown = await connector.connect('one', settings, never).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'transport.unreachable' })
    expect(String(error)).toContain('closed before an answer to password')
    expect(String(error)).not.toContain('refused')
  } finally {
    server.close()
  }
})

test('a server that never starts the program is given up', async () => {
  const key = ssh2.utils.generateKeyPairSync('ed25519')
  const server = new ssh2.Server({ hostKeys: [key.private] }, (client) => {
    client.on('error', () => undefined)
    client.on('authentication', (context) => {
      context.accept()
    })
    client.on('session', () => undefined)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  try {
    await using connector = createConnector()
    await using connection = await connector.connect(
      'one',
      {
        kind: 'ssh',
        address: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
        user: 'root',
        identityFiles: [],
        agent: false,
        password: new Secret('p', Buffer.from('p')),
        hostKeys: [key.public],
        knownHostsFiles: [],
        connectTimeoutMs: 500,
        become: { method: 'none' },
      },
      never,
    )
    await expect(connection.execRoot(shell('true'), never)).rejects.toMatchObject({
      code: 'transport.channel',
    })
  } finally {
    server.close()
  }
})
