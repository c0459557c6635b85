import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createConnector } from '../../src/transport/connect.ts'
import { readAll, shell } from './read.ts'
import { startSshd, type Sshd } from './sshd.ts'

const never = new AbortController().signal

describe('over a real sshd', () => {
  let sshd: Sshd
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(async () => {
    await sshd[Symbol.asyncDispose]()
  })

  test('a key file logs in and a program takes and gives bytes', async () => {
    await using connector = createConnector()
    await using connection = await connector.connect('one', sshd.settings(), never)
    const channel = await connection.execRoot(shell('id -u; cat; echo to stderr >&2; exit 3'), never)
    await channel.write(Buffer.from('hello\n'))
    channel.end()
    expect((await readAll(channel)).toString()).toBe('0\nhello\n')
    expect(await channel.exited).toEqual({ code: 3, signal: undefined })
    expect(channel.stderrTail()).toBe('to stderr\n')
    expect(channel.bytesSent).toBe(6)
  })
})
