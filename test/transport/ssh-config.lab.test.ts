import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ConnectionSettings } from '../../src/model/host.ts'
import { createSshConfig } from '../../src/transport/ssh-config.ts'

const never = new AbortController().signal
const plain: ConnectionSettings = {
  kind: 'ssh',
  address: 'db1',
  port: 22,
  user: 'inventory',
  identityFiles: [],
  agent: true,
  hostKeys: [],
  knownHostsFiles: [],
  connectTimeoutMs: 1000,
  become: { method: 'none' },
}

describe('with an OpenSSH client', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kmsfleet-config-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function complete(
    text: string,
    settings = plain,
    ...explicit: string[]
  ): Promise<ConnectionSettings> {
    const file = join(folder, 'config')
    await writeFile(file, text)
    const config = createSshConfig({ file, home: '/home/me' })
    return config.complete('one', settings, new Set(explicit), never)
  }

  test('what a Match runs gets no token of the operator', async () => {
    vi.stubEnv('BAO_TOKEN', 's.secret')
    const found = await complete(`Match exec "env >${folder}/env"\n  Port 2222\n`)
    vi.unstubAllEnvs()
    expect(found.port).toBe(2222)
    const names = (await readFile(join(folder, 'env'), 'utf8')).split('\n').map((line) => line.split('=')[0])
    expect(names).toContain('PATH')
    expect(names).not.toContain('BAO_TOKEN')
  })

  test('what it says fills in what the inventory left open', async () => {
    const found = await complete(
      [
        'Host db1',
        'HostName 10.0.0.1',
        'Port 2222',
        'User ops',
        'IdentityFile ~/.ssh/fleet',
        'IdentityFile /keys/%r@%h:%p',
        'IdentitiesOnly yes',
        'IdentityAgent none',
        'UserKnownHostsFile ~/a /b',
        'GlobalKnownHostsFile none',
        'ForwardAgent yes',
        'LocalCommand touch /tmp/never',
        'PermitLocalCommand yes',
      ].join('\n'),
    )
    expect(found).toMatchObject({
      address: '10.0.0.1',
      port: 2222,
      user: 'ops',
      agent: false,
      identitiesOnly: true,
      identityFiles: ['/home/me/.ssh/fleet', '/keys/ops@10.0.0.1:2222'],
    })
    expect(found.knownHostsFiles.at(-1)).toBe('/b')
    expect(found).not.toHaveProperty('jump')
  })

  test('what the inventory says stays', async () => {
    const text = 'Host *\nPort 2222\nUser ops\nIdentityFile /x\nUserKnownHostsFile /y\nProxyJump j'
    const explicit = ['address', 'port', 'user', 'identityFiles', 'knownHostsFiles', 'jump']
    expect(await complete(text, plain, ...explicit)).toEqual(plain)
  })

  test('an ansible_host is a name that ssh looks up, as on its command line', async () => {
    const text = 'Host db1\nHostName 10.0.0.1'
    expect((await complete(text, plain, 'address')).address).toBe('10.0.0.1')
  })

  test.each([
    ['SSH_AUTH_SOCK', true, undefined],
    ['/keys/%r@%h.sock', true, '/keys/ops@db1.sock'],
    ['$KMSFLEET_TEST_AGENT', true, '/run/agent'],
    ['$KMSFLEET_TEST_NOTHING', false, undefined],
  ])('IdentityAgent %s', async (written, agent, socket) => {
    vi.stubEnv('KMSFLEET_TEST_AGENT', '/run/agent')
    const found = await complete(`User ops\nIdentityAgent ${written}`, { ...plain, agent: true })
    expect(found.agent).toBe(agent)
    expect(found.agentSocket).toBe(socket)
    vi.unstubAllEnvs()
  })

  test('a jump host of the inventory stands in for a ProxyCommand', async () => {
    const settings = { ...plain, jump: { ...plain, address: 'bastion' } }
    const text = 'Host db1\nProxyCommand nc %h %p'
    expect((await complete(text, settings, 'jump')).jump?.address).toBe('bastion')
    const behind = await complete(`Host bastion\nProxyCommand x`, settings, 'jump')
    expect(behind).toMatchObject({ transport: 'openssh', jump: { proxyCommand: true } })
    expect(behind).not.toHaveProperty('proxyCommand')
  })

  test('Match sees the user of the inventory', async () => {
    const text = 'Match user inventory\nPort 2222\nMatch user ops\nPort 3333'
    expect((await complete(text, plain, 'user')).port).toBe(2222)
  })

  test('a jump host has a configuration of its own', async () => {
    const text =
      'Host db*\nProxyJump me@bastion:2022\nHost bastion\nHostName 192.0.2.1\nIdentityFile /jump\nPort 9'
    const { jump } = await complete(text)
    expect(jump).toMatchObject({ address: '192.0.2.1', port: 2022, user: 'me', identityFiles: ['/jump'] })
  })

  test('a jump host of the inventory is completed as well', async () => {
    const text = 'Host bastion\nHostName 192.0.2.1\nPort 9\nUser jumper'
    const settings = { ...plain, jump: { ...plain, address: 'bastion' } }
    const { jump } = await complete(text, settings, 'jump', 'jump.port')
    expect(jump).toMatchObject({ address: '192.0.2.1', port: 22, user: 'jumper' })
  })

  test.each([
    ['Host db1\nProxyCommand nc %h %p', /ProxyCommand/],
    ['Host db1\nProxyJump a,b', /a chain of jump hosts/],
    ['Host db1\nProxyJump a\nHost a\nProxyJump b', /a chain of jump hosts/],
    ['Nonsense yes', /nonsense/i],
  ])('%j is an error with --transport ssh2', async (text, message) => {
    const error: unknown = await complete(text, { ...plain, transport: 'ssh2' }).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ code: 'transport.ssh-config' })
    expect(String(error)).toMatch(message)
  })

  test('a name that reads as an option never reaches ssh', async () => {
    const marker = join(folder, 'ran')
    const address = `-oProxyCommand=touch ${marker}`
    await expect(complete('Port 22', { ...plain, address })).rejects.toMatchObject({
      code: 'transport.ssh-config',
    })
  })

  test('the rest is as ssh has it by default', async () => {
    const found = await complete('')
    expect(found).toMatchObject({ address: 'db1', port: 22, user: userInfo().username })
    expect(found.identityFiles).toContain('/home/me/.ssh/id_ed25519')
  })

  test('a thousand hosts without any configuration ask nothing', async () => {
    const config = createSshConfig({ home: folder })
    const found = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        config.complete('h', { ...plain, address: `h${String(index)}` }, new Set(), never),
      ),
    )
    expect(found[999]).toMatchObject({
      address: 'h999',
      port: 22,
      knownHostsFiles: [join(folder, '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'],
    })
  })
})
