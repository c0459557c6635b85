import { describe, expect, test } from 'vitest'
import type { ConnectionSettings } from '../../src/model/host.ts'
import { connectLocal } from '../../src/transport/local.ts'
import { cutAfter } from './cut.ts'
import { readAll, shell } from './read.ts'

const never = new AbortController().signal
const settings: ConnectionSettings = {
  kind: 'local',
  address: 'localhost',
  port: 22,
  user: 'nobody',
  identityFiles: [],
  agent: false,
  hostKeys: [],
  knownHostsFiles: [],
  connectTimeoutMs: 1000,
  become: { method: 'none' },
}
const open = (script: string) =>
  connectLocal('here', settings, never).then((connection) => connection.execRoot(shell(script), never))

describe('a local program', () => {
  test('takes and gives bytes, tells its exit and its last words', async () => {
    await using channel = await open('cat; echo bye >&2; exit 7')
    await channel.write(Buffer.from([0, 255, 10]))
    channel.end()
    expect(await readAll(channel)).toEqual(Buffer.from([0, 255, 10]))
    expect(await channel.exited).toEqual({ code: 7, signal: undefined })
    expect(channel.stderrTail()).toBe('bye\n')
    expect([channel.bytesSent, channel.bytesReceived]).toEqual([3, 7])
  })

  test('sees no environment of ours and is the leader of its own session', async () => {
    process.env['KMSFLEET_CANARY'] = 'leaks'
    await using channel = await open('env; ps -o sid= -p $$; echo $$')
    const lines = (await readAll(channel)).toString().trim().split('\n')
    expect(lines.join()).not.toContain('leaks')
    expect(lines.at(-1)?.trim()).toBe(lines.at(-2)?.trim())
  })

  test('a signal is not an exit code', async () => {
    await using channel = await open('kill -9 $$')
    await readAll(channel)
    expect(await channel.exited).toEqual({ code: undefined, signal: 'SIGKILL' })
  })

  test('writes keep their order', async () => {
    await using channel = await open('cat')
    const parts = Array.from({ length: 200 }, (_, index) => Buffer.from(`${String(index)}\n`))
    const sent = Promise.all(parts.map((part) => channel.write(part))).then(() => {
      channel.end()
    })
    expect(await readAll(channel)).toEqual(Buffer.concat(parts))
    await sent
  })

  test('a flood on standard error ends it, with a bounded tail', async () => {
    await using channel = await open('yes x >&2')
    await expect(readAll(channel)).rejects.toMatchObject({ code: 'transport.flood' })
    await expect(channel.exited).rejects.toMatchObject({ code: 'transport.flood' })
    expect(channel.stderrTail().length).toBeLessThanOrEqual(16 * 1024)
  })

  test('a program that nobody reads is not read either', async () => {
    await using channel = await open('echo ready; dd if=/dev/zero bs=1048576 count=200 2>/dev/null')
    for await (const chunk of channel.stdout) {
      expect(Buffer.from(chunk.subarray(0, 6)).toString()).toBe('ready\n')
      break
    }
    expect(channel.bytesReceived).toBeLessThan(1024 * 1024)
  })

  test('disposing frees a reader and a writer that wait', async () => {
    const channel = await open('sleep 60')
    const reading = readAll(channel)
    const writing = channel.write(Buffer.alloc(4 * 1024 * 1024))
    await Promise.all([
      expect(reading).rejects.toMatchObject({ code: 'transport.lost' }),
      expect(writing).rejects.toMatchObject({ code: 'transport.lost' }),
      channel[Symbol.asyncDispose](),
    ])
    await expect(channel.write(Buffer.from('x'))).rejects.toMatchObject({ code: 'transport.lost' })
  })

  test('writing to a program that ended is an error', async () => {
    await using channel = await open('exit 0')
    await readAll(channel)
    await channel.exited
    await expect(channel.write(Buffer.from('x'))).rejects.toMatchObject({ code: 'transport.lost' })
  })
})

describe('cut connections', () => {
  test.each([0, 1, 5, 9])('after %i bytes of output', async (bytesReceived) => {
    const connection = await cutAfter(connectLocal, { bytesReceived })('here', settings, never)
    const channel = await connection.execRoot(shell('printf 0123456789; cat'), never)
    let seen = ''
    const reading = (async () => {
      for await (const chunk of channel.stdout) seen += Buffer.from(chunk).toString()
    })()
    await expect(reading).rejects.toMatchObject({ code: 'transport.lost' })
    expect(seen).toBe('0123456789'.slice(0, bytesReceived))
  })

  test('after some bytes of input nothing more is sent', async () => {
    const connection = await cutAfter(connectLocal, { bytesSent: 4 })('here', settings, never)
    const channel = await connection.execRoot(shell('cat'), never)
    await channel.write(Buffer.from('012'))
    await expect(channel.write(Buffer.from('3456'))).rejects.toMatchObject({ code: 'transport.lost' })
    await expect(channel.write(Buffer.from('7'))).rejects.toMatchObject({ code: 'transport.lost' })
    expect(channel.bytesSent).toBe(4)
  })
})
