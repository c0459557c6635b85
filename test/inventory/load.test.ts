import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadInventory } from '../../src/inventory/load.ts'
import type { Host } from '../../src/inventory/types.ts'
import { Secret } from '../../src/model/secret.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

function hostOf(hosts: readonly Host[], name: string): Host {
  const host = hosts.find((one) => one.name === name)
  if (host === undefined) throw new Error(`no host ${name}`)
  return host
}

function valueOf(host: Host, name: string): unknown {
  return host.variables.get(name)?.value
}

describe('a folder with groups, ranges and variable files', () => {
  const folder = folderWith({
    'hosts.yml': `all:
  vars: {level: all, only_all: 1}
  children:
    dc:
      vars: {level: dc}
      children:
        prod:
          vars: {level: prod, cluster: c1}
          hosts:
            h[1:3]: {level: ranged}
            h2: {level: named}
    other:
      hosts: {h3: , x1: {cluster: c2}}
`,
    'group_vars/all.yml': 'from_file: all\nonly_all: 2\n',
    'group_vars/prod.yml': 'from_file: prod\n',
    'group_vars/other/a.yml': 'one: 1\n',
    'group_vars/other/b.yml': 'two: 2\n',
    'group_vars/README.md': 'not variables',
    'host_vars/h1.yml': 'level: file\n',
    'host_vars/.hidden': 'nothing: [',
  })
  const inventory = loadInventory(folder)

  test('hosts in order, with groups from outer to inner', () => {
    expect(inventory.hosts.map((host) => host.name)).toEqual(['h1', 'h2', 'h3', 'x1'])
    expect(inventory.hosts.map((host) => host.groups)).toEqual([
      ['dc', 'prod'],
      ['dc', 'prod'],
      ['dc', 'other', 'prod'],
      ['other'],
    ])
    expect(Object.fromEntries(inventory.groups)).toEqual({
      all: ['h1', 'h2', 'h3', 'x1'],
      dc: ['h1', 'h2', 'h3'],
      prod: ['h1', 'h2', 'h3'],
      other: ['h3', 'x1'],
      ungrouped: [],
    })
  })

  test.each([
    ['h1', 'level', 'file'],
    ['h2', 'level', 'named'],
    ['h3', 'level', 'ranged'],
    ['x1', 'level', 'all'],
    ['h1', 'from_file', 'prod'],
    ['x1', 'from_file', 'all'],
    ['x1', 'only_all', 2],
    ['h3', 'one', 1],
    ['h3', 'two', 2],
    ['h1', 'one', undefined],
    ['h1', 'inventory_dir', folder],
  ])('%s sees %s as %j', (host, name, expected) => {
    expect(valueOf(hostOf(inventory.hosts, host), name)).toEqual(expected)
  })

  test('every variable says where it was set', () => {
    const origin = hostOf(inventory.hosts, 'h2').variables.get('level')?.origin
    expect(origin).toEqual({ file: join(folder, 'hosts.yml'), line: 11, column: 18 })
    expect(hostOf(inventory.hosts, 'h1').variables.get('from_file')?.origin.file).toBe(
      join(folder, 'group_vars/prod.yml'),
    )
  })

  test('cluster', () => {
    expect(inventory.hosts.map((host) => host.cluster)).toEqual(['c1', 'c1', 'c1', 'c2'])
  })
})

describe('connection settings', () => {
  function connect(text: string, options: Parameters<typeof loadInventory>[1] = {}): Host {
    const folder = folderWith({ 'hosts.yml': `all: {hosts: {h1: {cluster: c, ${text}}}}` })
    return hostOf(loadInventory(folder, options).hosts, 'h1')
  }
  const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAIN7b6yEVCSzdkIZ0j7N6hYfZr9ZqkZK5e9m7S2w4l1zH'

  test('defaults', () => {
    const { connection, explicit } = connect('x: 1')
    expect(connection).toMatchObject({
      kind: 'ssh',
      address: 'h1',
      port: 22,
      identityFiles: [],
      hostKeys: [],
      knownHostsFiles: [join(homedir(), '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'],
      connectTimeoutMs: 10_000,
      become: { method: 'none' },
    })
    expect([...explicit]).toEqual([])
  })

  test('all of them', () => {
    const { connection, explicit } = connect(
      'ansible_host: "10.0.0.1", ansible_port: 2222, ansible_user: ops, ansible_connection: ssh, ' +
        'ansible_ssh_private_key_file: keys/id, ansible_ssh_known_hosts_file: ~/known, ansible_become: true, ' +
        `ansible_become_method: sudo, ansible_become_user: root, ansible_ssh_timeout: 5, ansible_ssh_host_keys: ["ssh-ed25519 ${blob}"]`,
    )
    expect(connection).toMatchObject({ address: '10.0.0.1', port: 2222, user: 'ops', connectTimeoutMs: 5000 })
    expect(connection.become).toEqual({ method: 'sudo' })
    expect(connection.identityFiles[0]).toMatch(/^\/.*\/keys\/id$/)
    expect(connection.knownHostsFiles).toEqual([join(homedir(), 'known')])
    expect([...explicit].sort()).toEqual(
      [
        'address',
        'become',
        'connectTimeoutMs',
        'hostKeys',
        'identityFiles',
        'kind',
        'knownHostsFiles',
        'port',
        'user',
      ].sort(),
    )
  })

  test.each([
    ['bastion', { address: 'bastion', port: 22 }, ['jump']],
    ['ops@bastion', { address: 'bastion', user: 'ops' }, ['jump', 'jump.user']],
    ['ops@bastion:2200', { address: 'bastion', port: 2200, user: 'ops' }, ['jump', 'jump.user', 'jump.port']],
    ['ops@[fe80::1]:2200', { address: 'fe80::1', port: 2200 }, ['jump', 'jump.user', 'jump.port']],
  ])('jump host %s', (written, expected, explicit) => {
    const password = new Secret('password', Buffer.from('x'))
    const host = connect(`ansible_ssh_proxy_jump: "${written}", ansible_become: true`, { ssh: { password } })
    expect(host.connection.jump).toMatchObject({ ...expected, become: { method: 'none' }, hostKeys: [] })
    expect(host.connection.jump).not.toHaveProperty('password')
    expect([...host.explicit].filter((field) => field.startsWith('jump'))).toEqual(explicit)
  })

  test('command line fills in, inventory wins, extra vars win over both', () => {
    const ssh = {
      user: 'cli',
      port: 1,
      become: true,
      becomePassword: new Secret('become password', Buffer.from('x')),
    }
    const host = connect('ansible_port: 2', {
      ssh,
      extraVars: new Map<string, unknown>([['ansible_host', 'other']]),
    })
    expect(host.connection).toMatchObject({
      user: 'cli',
      port: 2,
      address: 'other',
      become: { method: 'sudo' },
    })
    expect(host.connection.become).toHaveProperty('password')
    expect([...host.explicit].sort()).toEqual(['address', 'become', 'port', 'user'])
  })

  test('local comes from the command line only', () => {
    expect(connect('x: 1', { ssh: { kind: 'local' } }).connection.kind).toBe('local')
    expect(connect('x: 1', { extraVars: new Map([['ansible_connection', 'local']]) }).connection.kind).toBe(
      'local',
    )
  })

  test.each([
    [
      'ansible_connection: local',
      'inventory.connection expected ssh (local is chosen with --connection local on the command line only) for `ansible_connection`, found the text "local"',
    ],
    ['ansible_port: "22"', 'inventory.connection expected a number for `ansible_port`, found the text "22"'],
    ['ansible_port: 0', 'expected a number of at least 1'],
    ['ansible_host: "-oProxyCommand=x"', 'expected a host name or address'],
    ['ansible_host: "{{ x }}"', 'expected a host name or address'],
    ['ansible_user: "-x"', 'expected an account name'],
    ['ansible_user: "a b"', 'expected an account name'],
    ['ansible_become_user: kms', 'expected "root" for `ansible_become_user`'],
    ['ansible_become_method: su', 'expected "sudo"'],
    ['ansible_ssh_private_key_file: "{{ inventory_dir }}/id"', 'expected a plain path'],
    ['ansible_ssh_proxy_jump: "a,b"', 'expected one jump host as user@host:port'],
    ['ansible_ssh_proxy_jump: "-oX@b"', 'expected one jump host as user@host:port'],
    ['ansible_ssh_host_keys: [x]', 'expected a public key line'],
    [`ansible_ssh_host_keys: ["ssh-rsa ${blob}"]`, 'expected a public key line'],
    [`ansible_ssh_host_keys: ["* ssh-ed25519 ${blob}"]`, 'expected a public key line'],
    [
      'ansible_prot: 1',
      'inventory.connection expected a known connection variable, found `ansible_prot` | did you mean `ansible_port`?',
    ],
    ['ansible_ssh_port: 1', '| write `ansible_port`'],
    [
      'ansible_ssh_common_args: -oX',
      'inventory.refused expected no `ansible_ssh_common_args`: it names a program or its arguments',
    ],
    ['ansible_ssh_extra_args: x', 'inventory.refused'],
    ['ansible_ssh_executable: /x', 'inventory.refused'],
    ['ansible_become_exe: /x', 'inventory.refused'],
    ['ansible_become_flags: x', 'inventory.refused'],
    ['ansible_shell_type: x', 'inventory.refused'],
    ['ansible_python_interpreter: /x', 'no Python is needed on a host'],
    [
      'ansible_ssh_pass: hunter2',
      'inventory.refused expected no `ansible_ssh_pass`: passwords do not belong',
    ],
    ['ansible_become_password: hunter2', '| use --ask-become-pass'],
    ['ansible_host_key_checking: false', '| accept new keys with `kmsfleet trust`'],
  ])('%s is refused', (text, expected) => {
    const problems = problemsOf(() => connect(text))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
    expect(problems[0]).toMatch(/^1:32 /)
    expect(problems[0]).not.toContain('hunter2')
  })
})

describe('inventories that are refused', () => {
  const cases: readonly (readonly [string, string | Readonly<Record<string, string>>, readonly string[]])[] =
    [
      [
        'no cluster',
        'all:\n  hosts:\n    h1:\n',
        [
          'hosts.yml:3:5 inventory.cluster expected the variable `cluster` for host `h1`, found none | set it',
        ],
      ],
      [
        'a cluster that is no name',
        'all: {hosts: {h1: {cluster: [a]}}}',
        ['hosts.yml:1:20 inventory.cluster expected a plain name for `cluster` of host `h1`, found a list'],
      ],
      [
        'an unknown key',
        'all:\n  host: {}\n',
        ['hosts.yml:2:3 document.unknown-key expected a known key, found `host` | did you mean `hosts`?'],
      ],
      ['a list', '- a\n', ['hosts.yml:1:1 inventory.invalid expected a dictionary, found a list']],
      [
        'a host that looks like an option',
        'all: {hosts: {-oX: {cluster: c}}}',
        ['hosts.yml:1:15 inventory.host-name expected a host name'],
      ],
      [
        'a host that leaves a folder',
        'all: {hosts: {a..b: {cluster: c}}}',
        ['hosts.yml:1:15 inventory.host-name'],
      ],
      ['a host with a slash', 'all: {hosts: {a/b: {cluster: c}}}', ['hosts.yml:1:15 inventory.host-name']],
      [
        'a host with a port',
        'all: {hosts: {"h1:22": {cluster: c}}}',
        [
          'hosts.yml:1:15 inventory.host-name expected a host name without port, found "h1:22" | put the port into ansible_port',
        ],
      ],
      [
        'a group that is a pattern',
        '"a*": {hosts: {}}',
        ['hosts.yml:1:1 inventory.host-name expected a group name'],
      ],
      [
        'a bad range beside an unknown name',
        'all:\n  hosts:\n    h[3:1]: {cluster: c}\n    h1: {cluster: c, ansible_prt: 1}\n',
        ['hosts.yml:3:5 inventory.range', 'hosts.yml:4:22 inventory.connection'],
      ],
      [
        'groups in a circle',
        'a: {children: {b: {children: {a: }}}}',
        ['hosts.yml:1:1 inventory.group expected groups that do not contain themselves, found a > b > a'],
      ],
      [
        'a host named like a group',
        'a: {hosts: {a: {cluster: c}}}',
        ['hosts.yml:1:13 inventory.host-name expected different names'],
      ],
      [
        'a reserved variable',
        'all: {vars: {inventory_hostname: x}}',
        ['hosts.yml:1:14 variable.name expected a variable name of your own'],
      ],
      ...['host', 'loop', 'range', 'dict', 'namespace', 'cycler', 'joiner', 'caller', 'recursive'].map(
        (word): [string, string, string[]] => [
          `the word ${word} of the template language`,
          `all: {vars: {${word}: x}}`,
          ['hosts.yml:1:14 variable.name expected a variable name of your own'],
        ],
      ),
      [
        'an impossible variable',
        'all: {vars: {a-b: x}}',
        ['hosts.yml:1:14 variable.name expected a variable name of letters'],
      ],
      [
        'a file for no group',
        { 'hosts.yml': 'web: {hosts: {h: {cluster: c}}}', 'group_vars/wbe.yml': 'a: 1' },
        [
          'group_vars/wbe.yml:1:1 inventory.group expected the name of a group of the inventory, found DIR/group_vars/wbe.yml | did you mean `web`?',
        ],
      ],
      [
        'a file for no host',
        { 'hosts.yml': 'web: {hosts: {h: {cluster: c}}}', 'host_vars/h2.yml': 'a: 1' },
        ['host_vars/h2.yml:1:1 inventory.group'],
      ],
      [
        'errors in two files',
        {
          'hosts.yml': 'web: {hosts: {h: {cluster: c, mode: 0644}}}',
          'group_vars/web.yml': 'a: 1\nansible_prt: 1',
        },
        [
          'hosts.yml:1:37 document.syntax expected a quoted octal mode',
          'group_vars/web.yml:2:1 inventory.connection',
        ],
      ],
      [
        'nothing',
        { 'notes.md': 'later' },
        ['- inventory.not-found expected an inventory such as hosts.yml in the folder DIR'],
      ],
    ]
  test.each(cases)('%s', (_, files, expected) => {
    const folder = folderWith(typeof files === 'string' ? { 'hosts.yml': files } : files)
    const problems = problemsOf(() => loadInventory(folder), folder)
    expect(problems.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected)
  })

  test('a file that is not there', () => {
    expect(problemsOf(() => loadInventory('/nowhere/hosts.yml'))[0]).toContain('inventory.not-found')
  })
})

test('variables of ungrouped', () => {
  const folder = folderWith({
    'hosts.yml': 'all: {vars: {cluster: c}, hosts: {h: }}',
    'group_vars/ungrouped.yml': 'v: 1',
  })
  expect(valueOf(hostOf(loadInventory(folder).hosts, 'h'), 'v')).toBe(1)
})
