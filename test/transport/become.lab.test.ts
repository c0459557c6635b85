import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Become, ConnectionSettings } from '../../src/model/host.ts'
import { Secret } from '../../src/model/secret.ts'
import { bootstrapCommand, beginLine, rootCommand } from '../../src/shell/bootstrap.ts'
import type { Channel } from '../../src/transport/channel.ts'
import { createConnector } from '../../src/transport/connect.ts'
import { startLab, type Lab } from '../lab/lab.ts'
import { readAll, shell } from './read.ts'

const never = new AbortController().signal
const command = { plain: bootstrapCommand, elevated: rootCommand }

let lab: Lab
beforeAll(async () => {
  lab = await startLab({
    hosts: [{ variant: 'noisy' }, { variant: 'sudo' }, { variant: 'sudo-password' }],
  })
})
afterAll(() => lab[Symbol.asyncDispose]())

describe.each(['ssh2', 'openssh'] as const)('becoming root over %s', (transport) => {
  function settings(index: number, become: Become): ConnectionSettings {
    const host = lab.hosts[index]
    return {
      kind: 'ssh',
      transport,
      address: host?.address ?? '',
      port: host?.port ?? 22,
      user: host?.user ?? '',
      identityFiles: [lab.keyFile],
      agent: false,
      hostKeys: [],
      knownHostsFiles: [lab.knownHostsFile],
      connectTimeoutMs: 10_000,
      become,
    }
  }

  async function start(to: ConnectionSettings, program = command): Promise<Channel> {
    const connection = await createConnector().connect('one', to, never)
    return connection.execRoot(program, never)
  }

  /** Reads up to the begin line, sends one frame, reads what it says. */
  async function frame(channel: Channel, script: string): Promise<string> {
    let text = ''
    let sent = false
    for await (const chunk of channel.stdout) {
      text += Buffer.from(chunk).toString('latin1')
      const begin = text.indexOf(beginLine)
      if (begin < 0 || sent) continue
      sent = true
      text = text.slice(begin + beginLine.length)
      await channel.write(Buffer.from(`nonce ${String(script.length)}\n${script}`))
      channel.end()
    }
    return text
  }

  const right = (): Secret => new Secret('become password', Buffer.from(lab.secrets.password))

  test.each([
    ['a login that prints and is root', 0, (): Become => ({ method: 'none' })],
    ['NOPASSWD', 1, (): Become => ({ method: 'sudo' })],
    [
      'NOPASSWD with a password at hand, which stays here',
      1,
      (): Become => ({ method: 'sudo', password: right() }),
    ],
    ['a password', 2, (): Become => ({ method: 'sudo', password: right() })],
  ])('%s', async (_what, index, become) => {
    const channel = await start(settings(index, become()))
    expect(await frame(channel, 'id -u; env | sort; umask; cat')).toBe(
      '0\nLC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/root\nTZ=UTC0\n0077\n'.replace(
        '/root',
        index === 0 ? '/root' : '/home/ops',
      ),
    )
  })

  test('a wrong password is tried once, and nothing follows it', async () => {
    const wrong = new Secret('become password', Buffer.from('wrong'))
    const channel = await start(settings(2, { method: 'sudo', password: wrong }))
    await expect(readAll(channel)).rejects.toMatchObject({ code: 'transport.sudo-password' })
    await expect(channel.exited).rejects.toMatchObject({ code: 'transport.sudo-password' })
    expect(channel.bytesSent).toBe(0)
  })

  test('a password that is missing', async () => {
    const channel = await start(settings(2, { method: 'sudo' }))
    await expect(readAll(channel)).rejects.toMatchObject({ code: 'transport.sudo-password' })
  })

  // The OpenSSH client is never given a password.
  if (transport === 'ssh2') {
    test('a login by password', async () => {
      const to = { ...settings(2, { method: 'none' }), identityFiles: [], password: right() }
      expect((await readAll(await start(to, shell('id -un')))).toString()).toBe('ops\n')
      const wrong = { ...to, password: new Secret('password', Buffer.from('wrong')) }
      await expect(start(wrong)).rejects.toMatchObject({ code: 'transport.auth-failed' })
    })
  }

  test('a login that sudo does not know, a terminal that it wants, no sudo at all', async () => {
    const host = lab.hosts[2]
    if (host === undefined) throw new Error('no host')
    const become: Become = { method: 'sudo', password: right() }
    const refusal = async (): Promise<unknown> =>
      readAll(await start(settings(2, become))).catch((error: unknown) => error)

    await lab.exec(host, 'echo "Defaults:ops requiretty" >> /etc/sudoers.d/ops')
    expect(String(await refusal())).toContain('requiretty')
    await lab.exec(host, 'sed -i /requiretty/d /etc/sudoers.d/ops; mv /etc/sudoers.d/ops /root/rule')
    expect(await refusal()).toMatchObject({ code: 'transport.sudo-refused' })
    await lab.exec(host, 'mv /root/rule /etc/sudoers.d/ops; mv /usr/bin/sudo /usr/bin/hidden')
    expect(String(await refusal())).toContain('no sudo on the host')
    await lab.exec(host, 'mv /usr/bin/hidden /usr/bin/sudo')
  })
})
