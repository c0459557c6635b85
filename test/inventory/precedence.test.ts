import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadInventory } from '../../src/inventory/load.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

/** The value of `v` that `h` gets, and the levels that set it, lowest first. */
function decided(files: Readonly<Record<string, string>>, ...sources: readonly string[]): unknown {
  const folder = folderWith(files)
  const inventory = loadInventory(sources.map((source) => join(folder, source)))
  const host = inventory.hosts.find(({ name }) => name === 'h')
  const levels = inventory
    .layersOf('h')
    .flatMap(({ level, variables }) => (variables.has('v') ? [level] : []))
  return [host?.variables.get('v')?.value, ...levels]
}

const top = 'all: {vars: {cluster: c, v: all}}'
describe('which value wins, from low to high as in Ansible', () => {
  const hosts = `${top}\nouter: {vars: {v: outer}, children: {inner: {vars: {v: inner}, hosts: {h: {v: host}}}}}`
  const cases: readonly (readonly [
    string,
    Readonly<Record<string, string>>,
    readonly string[],
    readonly unknown[],
  ])[] = [
    [
      'every level',
      {
        'hosts.yml': hosts,
        'group_vars/all.yml': 'v: 1',
        'group_vars/inner.yml': 'v: 2',
        'group_vars/outer/a.yml': 'v: 3',
        'group_vars/outer/deeper/b': 'v: 4',
        'host_vars/h.json': '{"v": 5}',
      },
      ['hosts.yml'],
      [
        5,
        ...[
          'group all',
          'group outer',
          'group inner',
          'group_vars/all',
          'group_vars/outer',
          'group_vars/outer',
        ],
        ...['group_vars/inner', 'host', 'host_vars/h'],
      ],
    ],
    [
      'group_vars/all wins over the groups of the file',
      { 'hosts.yml': `${top}\ninner: {vars: {v: inner}, hosts: {h: }}`, 'group_vars/all.yml': 'v: file' },
      ['hosts.yml'],
      ['file', 'group all', 'group inner', 'group_vars/all'],
    ],
    [
      'equally deep groups by name',
      { 'hosts.yml': `${top}\nb: {vars: {v: b}, hosts: {h: }}\na: {vars: {v: a}, hosts: {h: }}` },
      ['hosts.yml'],
      ['b', 'group all', 'group a', 'group b'],
    ],
    [
      'equally deep groups by ansible_group_priority',
      {
        'hosts.yml': `${top}\nb: {vars: {v: b}, hosts: {h: }}\na: {vars: {v: a, ansible_group_priority: 2}, hosts: {h: }}`,
        'group_vars/a.yml': 'v: fa',
        'group_vars/b.yml': 'v: fb',
      },
      ['hosts.yml'],
      ['fa', 'group all', 'group b', 'group a', 'group_vars/b', 'group_vars/a'],
    ],
    [
      'a deeper group wins whatever the priority',
      {
        'hosts.yml': `${top}\nz: {vars: {v: z, ansible_group_priority: 9}, hosts: {h: }}\na: {children: {b: {vars: {v: b}, hosts: {h: }}}}`,
      },
      ['hosts.yml'],
      ['b', 'group all', 'group z', 'group b'],
    ],
    [
      'a host is named twice: the later mention, and the group itself after its children',
      {
        'hosts.yml': `${top}\na: {hosts: {h: {v: 1}}, children: {b: {hosts: {h: {v: 2}}}}}\nc: {hosts: {h: {v: 3}}}`,
      },
      ['hosts.yml'],
      [3, 'group all', 'host', 'host', 'host'],
    ],
    [
      'one group mentioned twice',
      { 'hosts.yml': `${top}\na: {vars: {v: 1}, hosts: {h: }}\nb: {children: {a: {vars: {v: 2}}}}` },
      ['hosts.yml'],
      [2, 'group all', 'group a', 'group a'],
    ],
    [
      'several sources: the later one of each level',
      {
        'one/hosts.yml': `${top}\nout: {children: {in: {vars: {v: 1}, hosts: {h: {v: h1}}}}}`,
        'one/group_vars/in.yml': 'v: f1',
        'one/host_vars/h.yml': 'v: hf1',
        'two/hosts.yml': 'in: {vars: {v: 2}, hosts: {h: {v: h2}}}',
        'two/group_vars/out.yml': 'v: f2',
        'two/host_vars/h.yml': 'v: hf2',
      },
      ['one', 'two'],
      [
        'hf2',
        ...['group all', 'group in', 'group in', 'group_vars/in', 'group_vars/out', 'host', 'host'],
        ...['host_vars/h', 'host_vars/h'],
      ],
    ],
    [
      'a folder of two files, and the same folder again',
      { 'a.yml': top, 'b.json': '{"g": {"hosts": {"h": {}}}}', 'group_vars/g.yml': 'v: g' },
      ['.', 'a.yml'],
      ['g', 'group all', 'group all', 'group_vars/g'],
    ],
  ]
  test.each(cases)('%s', (_, files, sources, expected) => {
    expect(decided(files, ...sources)).toEqual(expected)
  })

  test('inventory order is that of the text, over all sources', () => {
    const folder = folderWith({
      'a.yml': 'all: {vars: {cluster: c}}\nz: {hosts: {h9: , h1: }, children: {y: {hosts: {h5: , h1: }}}}',
      'b.yml': 'x: {hosts: {h0: , h9: }}',
    })
    const inventory = loadInventory([join(folder, 'a.yml'), join(folder, 'b.yml')])
    expect(inventory.hosts.map(({ name }) => name)).toEqual(['h9', 'h1', 'h5', 'h0'])
    expect(inventory.tree.get('all')?.children).toEqual(['ungrouped', 'z', 'x'])
  })
})

describe('what ansible-inventory --list prints', () => {
  const listing = (more: object): string =>
    JSON.stringify(
      {
        _meta: {
          hostvars: { h1: { cluster: 'c', ansible_port: 2222, mode: '0644' }, 'fe80::1': {} },
          profile: 'inventory_legacy',
        },
        all: { children: ['ungrouped', 'prod'], vars: { cluster: 'd' } },
        prod: { children: ['web', 'none'] },
        web: { hosts: ['h1'], vars: { v: 'web', ansible_group_priority: 3 } },
        ungrouped: { hosts: ['fe80::1'] },
        ...more,
      },
      undefined,
      4,
    )

  test('is read as it is', () => {
    const folder = folderWith({ 'hosts.json': listing({}) })
    const inventory = loadInventory(join(folder, 'hosts.json'))
    expect(inventory.hosts.map(({ name, cluster, groups }) => [name, cluster, groups])).toEqual([
      ['h1', 'c', ['prod', 'web']],
      ['fe80::1', 'd', []],
    ])
    expect(inventory.hosts[0]?.connection.port).toBe(2222)
    expect(inventory.hosts[0]?.variables.get('v')).toEqual({
      value: 'web',
      origin: { file: join(folder, 'hosts.json'), line: 33, column: 13 },
    })
    expect(inventory.groups.get('none')).toEqual([])
    expect(inventory.tree.get('prod')).toEqual({ children: ['web', 'none'], hosts: [] })
  })

  test.each([
    [{ _meta: { hostvars: { h9: { v: 1 } } } }, 'expected a host of a group in `hostvars`, found `h9`'],
    [{ web: { hosts: ['h[1:3]'] } }, 'inventory.host-name expected a host name of letters'],
    [{ web: { hosts: { h1: {} } } }, 'inventory.invalid expected a list for `hosts`, found a dictionary'],
    [
      { _meta: { hostvars: { h1: { cluster: 'c', pin: { __ansible_vault: '$ANSIBLE_VAULT;1.1' } } } } },
      'inventory.refused expected a plain value for `pin`, found an Ansible Vault value | Ansible Vault is not read here',
    ],
    [
      { web: { hosts: ['h1'], vars: { t: { __ansible_unsafe: '{{ x }}' } } } },
      'inventory.refused expected a plain value for `t`, found text marked unsafe',
    ],
    [{ web: { hosts: ['h1'], vars: { ansible_ssh_common_args: '-oX' } } }, 'inventory.refused'],
  ])('%j is refused', (more, expected) => {
    const folder = folderWith({ 'hosts.json': listing(more) })
    expect(problemsOf(() => loadInventory(join(folder, 'hosts.json'))).join('\n')).toContain(expected)
  })
})

describe('of Ansible, read as it is', () => {
  test('yes and no without quotes are truth values, in quotes they are text', () => {
    const folder = folderWith({
      'hosts.yml':
        'all: {hosts: {h: {cluster: c, ansible_become: yes, a: [No, on], b: "no", c: {d: OFF}, e: {__ansible_unsafe: x}}}}',
    })
    const [host] = loadInventory(folder).hosts
    expect(host?.connection.become).toEqual({ method: 'sudo' })
    const values = ['a', 'b', 'c', 'e'].map((name) => host?.variables.get(name)?.value)
    expect(JSON.stringify(values)).toBe('[[false,true],"no",{"d":false},"x"]')
  })
})

describe('of Ansible, refused by name', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
    [
      'INI',
      { 'hosts.ini': '[web]\nh1 ansible_host=10.0.0.1\n' },
      [
        "hosts.ini:1:1 inventory.invalid expected a YAML inventory or what ansible-inventory --list prints, found an INI inventory | convert it: ansible-inventory -i 'DIR/hosts.ini' --list --output hosts.json",
      ],
    ],
    [
      'INI without extension',
      { hosts: '; mine\nh1 ansible_host=10.0.0.1\n' },
      ['hosts:1:1 inventory.invalid'],
    ],
    ['INI by another name', { prod: '# mine\nh1\n\n[web:children]\na\n' }, ['prod:1:1 inventory.invalid']],
    [
      'TOML',
      { 'hosts.toml': 'x = 1\n' },
      [
        'hosts.toml:1:1 inventory.invalid expected a YAML inventory or what ansible-inventory --list prints, found a TOML',
      ],
    ],
    [
      'a script',
      { hosts: '#!/bin/sh\necho {}\n' },
      [
        'hosts:1:1 inventory.invalid expected a YAML inventory or what ansible-inventory --list prints, found a program',
      ],
    ],
    [
      'settings of a plugin',
      { 'aws.yml': 'plugin: amazon.aws.aws_ec2\nregions: [x]\n' },
      [
        'aws.yml:1:1 inventory.invalid expected a YAML inventory or what ansible-inventory --list prints, found the settings of an inventory plugin',
      ],
    ],
    [
      'a lookup',
      {
        'hosts.yml': `all: {hosts: {h: {cluster: c, v: ["{{ lookup('file', '/x') }}"], w: "{{ a.q(1) }}"}}}`,
      },
      ['hosts.yml:1:35 inventory.refused expected a plain value for `v`, found the lookup `lookup(…)`'],
    ],
    [
      'a query in group_vars',
      {
        'hosts.yml': 'g: {hosts: {h: {cluster: c}}}',
        'group_vars/g.yml': `v:\n  w: "{{ query('env', 'X') }}"`,
      },
      ['group_vars/g.yml:2:6 inventory.refused expected a plain value for `v`, found the lookup `query(…)`'],
    ],
    [
      'a tag of the vault',
      { 'hosts.yml': 'all: {hosts: {h: {cluster: c, v: !vault "x"}}}' },
      [
        'hosts.yml:1:34 document.syntax expected a value without a tag, found !vault | Ansible Vault is not read here',
      ],
    ],
    [
      'a file of the vault',
      {
        'hosts.yml': 'g: {hosts: {h: {cluster: c}}}',
        'group_vars/g/vault.yml': '$ANSIBLE_VAULT;1.1;AES256\n6162\n',
      },
      [
        'group_vars/g/vault.yml:1:1 inventory.refused expected a file of plain values, found one of Ansible Vault',
      ],
    ],
    [
      'a priority that nothing would read',
      {
        'hosts.yml': 'g: {hosts: {h: {cluster: c, ansible_group_priority: 2}}}',
        'group_vars/g.yml': 'ansible_group_priority: 2',
      },
      [
        'hosts.yml:1:29 inventory.refused expected `ansible_group_priority` under `vars` of a group',
        'group_vars/g.yml:1:1 inventory.refused',
      ],
    ],
    [
      'a priority that is no number',
      { 'hosts.yml': 'g: {vars: {ansible_group_priority: high}, hosts: {h: {cluster: c}}}' },
      ['hosts.yml:1:36 inventory.invalid expected a whole number for `ansible_group_priority`'],
    ],
    [
      'two homes of the same variables',
      {
        'hosts.yml': 'g: {hosts: {h: {cluster: c}}}',
        'group_vars/g.yml': 'a: 1',
        'group_vars/g/b.yml': 'b: 1',
      },
      [
        'group_vars/g.yml:1:1 inventory.group expected one file or folder of that name, found DIR/group_vars/g too',
      ],
    ],
  ]
  test.each(cases)('%s', (_, files, expected) => {
    const folder = folderWith(files)
    const problems = problemsOf(() => loadInventory(folder), folder)
    expect(problems.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected)
  })
})
