import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { kmsfleet, project } from './kmsfleet.ts'

const files = project({
  'hosts.yml': `all:
  vars: { cluster: c1, motd: hello }
  children:
    prod:
      vars: { motd: "for {{ cluster }}" }
      children: { web: { hosts: { "cp[1:2]": { ansible_host: 10.0.0.1, ansible_port: 2222 } } } }
  hosts: { "fd00::1": }
`,
})
mkdirSync(files('host_vars'))
writeFileSync(files('host_vars/cp1.yml'), 'motd: mine\n')
const inv = ['-i', files('hosts.yml')]

describe('kmsfleet inventory', () => {
  test('list: hosts with cluster, address and groups', async () => {
    expect(await kmsfleet(['inventory', 'list', ...inv])).toEqual({
      code: 0,
      stderr: '',
      stdout:
        'fd00::1  c1  [fd00::1]\n' +
        'cp1      c1  10.0.0.1:2222  prod,web\n' +
        'cp2      c1  10.0.0.1:2222  prod,web\n',
    })
    const one = await kmsfleet(['inventory', 'list', 'web:!cp1', ...inv, '--format', 'json'])
    expect(JSON.parse(one.stdout)).toEqual({
      format: 'kmsfleet-inventory/1',
      hosts: [{ host: 'cp2', cluster: 'c1', address: '10.0.0.1', port: 2222, groups: ['prod', 'web'] }],
    })
  })

  test('graph: as ansible-inventory draws it', async () => {
    expect((await kmsfleet(['inventory', 'graph', ...inv])).stdout).toBe(
      [
        ...['@all:', '  |--@prod:', '  |  |--@web:', '  |  |  |--cp1', '  |  |  |--cp2'],
        ...['  |--@ungrouped:', '  |  |--fd00::1', ''],
      ].join('\n'),
    )
    const web = await kmsfleet(['inventory', 'graph', 'web', ...inv, '--format', 'json'])
    expect(JSON.parse(web.stdout)).toEqual({
      format: 'kmsfleet-inventory-graph/1',
      group: 'web',
      children: [],
      hosts: ['cp1', 'cp2'],
    })
  })

  test('host: each value with its place and all that it overrode, nearest first', async () => {
    const text = await kmsfleet(['inventory', 'host', 'cp1', ...inv, '-e', 'release=2'])
    expect(text.stdout).toContain('cp1  cluster c1, 10.0.0.1:2222\ngroups: prod, web\n')
    expect(text.stdout).toContain(`
motd = "mine"
  host_vars/cp1, ${files('host_vars/cp1.yml')}:1:1
  over "for {{ cluster }}" of group prod, ${files('hosts.yml')}:5:15
  over "hello" of group all, ${files('hosts.yml')}:2:24

release = 2
  --extra-vars
`)
    const document: unknown = JSON.parse(
      (await kmsfleet(['inventory', 'host', 'cp1', ...inv, '--format', 'json'])).stdout,
    )
    expect(document).toMatchObject({ format: 'kmsfleet-inventory-host/1', host: 'cp1' })
    expect(document).toHaveProperty(
      'variables',
      expect.arrayContaining([
        {
          name: 'motd',
          value: 'mine',
          level: 'host_vars/cp1',
          origin: { file: files('host_vars/cp1.yml'), line: 1, column: 1 },
          overrode: [
            expect.objectContaining({ value: 'for {{ cluster }}', level: 'group prod' }),
            expect.objectContaining({ value: 'hello', level: 'group all' }),
          ],
        },
      ]),
    )
  })

  test.each([
    [['inventory', 'host', 'cp3', ...inv], /found none named `cp3`\n.*cp1/],
    [['inventory', 'graph', 'wbe', ...inv], /expected a group.*\n.*`web`/],
    [['inventory', 'list', 'wbe', ...inv], /error\[inventory\.pattern\]/],
    [['inventory', 'lst', ...inv], /unknown command 'lst'/],
  ])('%j is refused', async (argv, says) => {
    const ended = await kmsfleet(argv)
    expect(ended.stderr).toMatch(says)
    expect(ended).toMatchObject({ code: 1, stdout: '' })
  })
})
