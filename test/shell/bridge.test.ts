import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openBridge, type Bridge } from '../../src/shell/bridge.ts'
import type { Channel } from '../../src/transport/channel.ts'
import { commandFor, localChannel, shells, type ShellUnderTest } from './local-shell.ts'

const never = new AbortController().signal
const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-bridge-'))
chmodSync(folder, 0o755)
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const bridges = ['socat', 'ncat', 'nc', 'python3', 'perl']
let made = 0

const present = bridges.filter((name) => existsSync(join('/usr/bin', name)))
const [some = 'none'] = present

/** The shell's own programs, and of those that could be a bridge only this one. */
function pathWith(shell: ShellUnderTest, bridge: string): string {
  const bin = join(folder, `bin-${String((made += 1))}`)
  mkdirSync(bin)
  if (present.includes(bridge)) symlinkSync(join('/usr/bin', bridge), join(bin, bridge))
  for (const directory of shell.path.split(delimiter)) {
    for (const name of existsSync(directory) ? readdirSync(directory) : []) {
      const unwanted = bridges.includes(name) && name !== bridge
      if (!unwanted && !existsSync(join(bin, name))) symlinkSync(join(directory, name), join(bin, name))
    }
  }
  return bin
}

async function listen(
  welcome: (socket: Socket) => void,
): Promise<{ readonly path: string; readonly server: Server }> {
  const path = join(folder, `${String((made += 1))}.sock`)
  const server = createServer({ allowHalfOpen: true }, welcome).listen(path)
  await once(server, 'listening')
  chmodSync(path, 0o666)
  return { path, server }
}

function bridgeTo(channel: Channel, socket: string): Promise<Bridge> {
  const { dev, ino } = statSync(socket)
  const as = { by: 'number', uid: 65534, gid: 65534, groups: [65534] } as const
  return openBridge(channel, { socket, inode: `${String(dev)}:${String(ino)}`, as }, never)
}

/** Busybox changes to no identity that is not an account's. */
const able = shells.filter(({ name }) => name !== 'busybox')

describe.each(able)('$name', (shell) => {
  it.each(present)('leads bytes to a socket and back through %s, and the end of them', async (tool) => {
    const { path, server } = await listen((socket) => {
      socket.pipe(socket)
    })
    await using channel = localChannel(commandFor({ ...shell, path: pathWith(shell, tool) }))
    const bridge = await bridgeTo(channel, path)
    expect(bridge).toMatchObject({ is: 'open', through: tool })
    if (bridge.is !== 'open') return
    const sent = Buffer.alloc(70_001, 'bytes\0\n\xff', 'latin1')
    bridge.stream.end(sent)
    expect(
      Buffer.concat((await bridge.stream.toArray()).map((each) => Buffer.from(each as Uint8Array))),
    ).toEqual(sent)
    server.close()
  })

  it('runs nothing of what is sent once the bridge has ended', async () => {
    const { path, server } = await listen((socket) => {
      socket
        .end()
        .resume()
        .on('close', () => server.emit('gone'))
    })
    const gone = once(server, 'gone')
    const trace = join(folder, `trace-${shell.name}`)
    const script = `: >'${trace}'`
    await using channel = localChannel(commandFor({ ...shell, path: pathWith(shell, some) }))
    const bridge = await bridgeTo(channel, path)
    expect(bridge.is).toBe('open')
    await gone
    await channel.write(Buffer.from(`nonce ${String(script.length)}\n${script}`)).catch(() => undefined)
    channel.end()
    await channel.exited
    expect(existsSync(trace)).toBe(false)
    server.close()
  })

  it('connects to nothing but what was looked at, and says where there is no program', async () => {
    const { path, server } = await listen((socket) => {
      socket.end()
    })
    const as = { by: 'number', uid: 65534, gid: 65534, groups: [65534] } as const
    await using wrong = localChannel(commandFor(shell))
    expect(await openBridge(wrong, { socket: path, inode: '1:1', as }, never)).toEqual({
      is: 'refused',
      detail: `what stands at ${path} there is not what the provider serves`,
    })
    await using bare = localChannel(commandFor({ ...shell, path: pathWith(shell, 'none') }))
    expect(await bridgeTo(bare, path)).toEqual({ is: 'no-program' })
    server.close()
  })
})

it.each(shells.filter((shell) => !able.includes(shell)))('$name: connects as nobody else', async (shell) => {
  const { path, server } = await listen((socket) => {
    socket.end()
  })
  await using channel = localChannel(commandFor({ ...shell, path: pathWith(shell, some) }))
  expect(await bridgeTo(channel, path)).toEqual({
    is: 'refused',
    detail: 'no tool of this host can take that identity (setpriv, chroot --userspec, su)',
  })
  server.close()
})
