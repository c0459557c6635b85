import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as dial, createServer, type Socket } from 'node:net'
import type { Connect } from '../../src/transport/channel.ts'
import { createProgram } from '../../src/transport/program.ts'
import { hostInit } from '../lab/slot.ts'
import type { LabDescription, LabHost } from '../lab/lab.ts'

/** A session on lab hosts as the local one is: pipes to a shell in a session of its own, with no ssh in between. */
export function connectInside(lab: LabDescription): Connect {
  return (name) =>
    Promise.resolve({
      execRoot(command) {
        const init = hostInit(lab.slot, name)
        if (init === undefined) throw new Error(`expected ${name} to run, found no PID 1 of it`)
        const enter = [`--target=${String(init)}`, '--mount', '--uts', '--ipc', '--pid', '--root', '--wd=/']
        const child = spawn('nsenter', [...enter, '--', '/bin/sh', '-c', command.plain], {
          detached: true,
          stdio: ['pipe', 'pipe', 'pipe'],
          env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
        })
        const ended = once(child, 'exit')
        const program = createProgram(name, {
          stdin: child.stdin,
          stdout: child.stdout,
          stderr: child.stderr,
          whenRoom: (then) => {
            then()
          },
          close: async () => {
            for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
            await ended
          },
        })
        child.once('exit', (code, signal) => {
          program.ended({ code: code ?? undefined, signal: signal ?? undefined })
        })
        return Promise.resolve(program.channel)
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    })
}

/** A TCP proxy before a host's sshd that breaks the connection once so many bytes went to the host. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number
  /** Bytes that went to the host so far. */
  sent(): number
}

export async function proxyTo(host: LabHost, cutAfterBytes = Infinity): Promise<CuttingProxy> {
  let sent = 0
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = dial({ host: host.address, port: host.port })
    const sockets = [client, upstream]
    const drop = (): void => {
      for (const socket of sockets) socket.destroy()
    }
    for (const socket of sockets) {
      open.add(socket)
      socket.on('error', drop).on('close', drop)
    }
    upstream.pipe(client)
    client.on('data', (bytes) => {
      const part = bytes.subarray(0, cutAfterBytes - sent)
      sent += part.length
      upstream.write(part, () => {
        if (sent >= cutAfterBytes) drop()
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a port, found none')
  return {
    port: address.port,
    sent: () => sent,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
