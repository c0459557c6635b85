import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expandMatrix } from '../../src/access/matrix/expand.ts'
import type { Matrix, MatrixRule } from '../../src/model/access.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { modules } from '../../src/modules/registry.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { createTemplateEngine } from '../../src/template/create.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const matrix = `actors:
  - {name: provider, description: it, unit: '{{ unit }}.service', user: kms, groups: [kms, '{{ 700 }}']}
  - {name: api, description: that, user: '{{ api_user }}', when: api_user != ''}
objects:
  secrets:
    - '{{ home }}/token'
    - {path: /etc/pin, when: pin}
    - {named_in: /etc/kms.yaml, keys: [auth.file]}
    - {others_in: '{{ home }}'}
rules:
  - {actor: provider, must: read, objects: secrets, because: it must, source: s}
  - {actor: api, must_not: [read, write], objects: [/etc/x], because: b, source: s, not_enforceable: {when: root, because: it is root}}
  - {actor: api, must_not: signal, objects: provider, because: b, source: s}
left_behind:
  - {actor: automation, folders: ['{{ home }}'], because: b, source: s}
outside:
  - {actor: administrator, statement: elsewhere, source: s}
`
const hosts =
  'all: {hosts: {h1: {cluster: c1, unit: u, api_user: api, pin: false, root: false, home: /home/kms}}}\n'

const load = (
  files: Readonly<Record<string, string>>,
): { readonly folder: string; readonly made: () => Matrix } => {
  const folder = folderWith({
    'site.yml': '- {hosts: all, roles: [r]}\n',
    'hosts.yml': hosts,
    'roles/r/tasks/main.yml': '- assert: {that: ["true"]}\n',
    'roles/r/access.yml': matrix,
    ...files,
  })
  const made = (): Matrix => {
    const inventory = loadInventory(join(folder, 'hosts.yml'))
    const { plays } = loadPlaybook(join(folder, 'site.yml'), { modules: new Set(modules.keys()) })
    const [host] = inventory.hosts.values()
    if (host === undefined) throw new Error('expected a host, found none')
    return expandMatrix({ engine: createTemplateEngine(), plays, host, extraVars: new Map() })
  }
  return { folder, made }
}

const shown = ({ actor, must, action, target, notEnforceable, objectClass }: MatrixRule): string => {
  const what =
    target.is === 'path'
      ? target.path
      : target.is === 'named'
        ? `${target.file} ${target.keys.join()}`
        : target.is === 'others'
          ? `${target.folder}/*`
          : target.name
  return `${actor} ${must ? 'must' : 'must not'} ${action} ${what}${objectClass === undefined ? '' : ` (${objectClass})`}${notEnforceable === undefined ? '' : `, but ${notEnforceable}`}`
}

describe('what a role says becomes the rules of a host', () => {
  const changed = (from: string, to: string): Readonly<Record<string, string>> => ({
    'hosts.yml': hosts.replace(from, to),
  })
  const plain = [
    'provider must read /home/kms/token (secrets)',
    'provider must read /etc/kms.yaml auth.file (secrets)',
    'provider must read /home/kms/* (secrets)',
    'api must not read /etc/x',
    'api must not write /etc/x',
    'api must not signal provider',
  ]
  test.each([
    ['as it is', {}, plain],
    [
      'with another object',
      changed('pin: false', 'pin: true'),
      [plain[0], 'provider must read /etc/pin (secrets)', ...plain.slice(1)],
    ],
    ['without an actor', changed('api_user: api', "api_user: ''"), plain.slice(0, 3)],
    [
      'where a rule cannot be kept',
      changed('root: false', 'root: true'),
      [
        ...plain.slice(0, 3),
        'api must not read /etc/x, but it is root',
        'api must not write /etc/x, but it is root',
        plain[5],
      ],
    ],
    [
      'with rules of the inventory',
      changed(
        'root: false',
        'root: false, access_matrix: {rules: [{actor: api, must_not: execute, objects: "{{ home }}/x", because: b, source: s}]}',
      ),
      [...plain, 'api must not execute /home/kms/x'],
    ],
    [
      'where a rule is about what only a shipped role brings that is not used',
      {
        'roles/r/access.yml': matrix
          .replace('objects: provider', 'objects: kube-apiserver')
          .replace('objects: [/etc/x]', 'objects: auth material'),
      },
      plain.slice(0, 3),
    ],
    ['where the role is not used', { 'site.yml': '- {hosts: all, roles: [{role: r, when: root}]}\n' }, []],
  ] as const)('%s', (_, files, rules) => {
    expect(load(files).made().rules.map(shown)).toEqual(rules)
  })

  test('actors, what is left behind and what is outside', () => {
    const { actors, leftBehind, outside } = load({}).made()
    expect([...actors.values()]).toMatchObject([
      {
        name: 'provider',
        running: { by: 'unit', unit: 'u.service' },
        user: 'kms',
        groups: ['kms', '700'],
        capabilities: 'none',
      },
      { name: 'api', user: 'api' },
    ])
    expect(actors.get('api')?.running).toBeUndefined()
    expect(leftBehind).toMatchObject([{ actor: 'automation', folders: ['/home/kms'] }])
    expect(outside).toMatchObject([{ statement: 'elsewhere' }])
  })
})

describe('what cannot be is refused before any contact, with the place', () => {
  const role = (text: string): Readonly<Record<string, string>> => ({ 'roles/r/access.yml': text })
  const rule = (text: string): Readonly<Record<string, string>> =>
    role(`${matrix.split('left_behind')[0] ?? ''}  - {${text}, because: b, source: s}\n`)
  test.each([
    [
      'an action that is none',
      rule('actor: api, must: reed, objects: /x'),
      'roles/r/access.yml:14:24 playbook.invalid expected "connect" or "read" or "write" or "traverse" or "create" or "replace" or "execute" or "signal" or a list for `must`, found the text "reed"',
    ],
    [
      'must and must not',
      rule('actor: api, must: read, must_not: write, objects: /x'),
      'roles/r/access.yml:14:5 playbook.invalid expected either `must` or `must_not` in `rules`, found a dictionary',
    ],
    [
      'neither',
      rule('actor: api, objects: /x'),
      'roles/r/access.yml:14:5 playbook.invalid expected either `must` or `must_not` in `rules`, found a dictionary',
    ],
    [
      'an unknown key',
      role(matrix.replace('user: kms,', 'user: kms, usr: x,')),
      'roles/r/access.yml:2:78 document.unknown-key expected a known key, found `usr` | did you mean `user`?',
    ],
    [
      'an unknown actor',
      rule('actor: apo, must: read, objects: /x'),
      'roles/r/access.yml:14:13 access.matrix expected an actor of the matrix, found `apo` | did you mean `api`?',
    ],
    [
      'an unknown object',
      rule('actor: api, must: read, objects: secret'),
      'roles/r/access.yml:14:39 access.matrix expected a path or the name of objects of the matrix, found `secret` | did you mean `secrets`?',
    ],
    [
      'an actor that is none to signal',
      rule('actor: api, must_not: signal, objects: pprovider'),
      'roles/r/access.yml:14:45 access.matrix expected an actor of the matrix, found `pprovider` | did you mean `provider`?',
    ],
    [
      'an actor that is like none',
      rule('actor: backup, must: read, objects: /x'),
      'roles/r/access.yml:14:13 access.matrix expected an actor of the matrix, found `backup` | known here: api, kube-apiserver, provider',
    ],
    [
      'objects that are like none',
      rule('actor: api, must: read, objects: credentials'),
      'roles/r/access.yml:14:39 access.matrix expected a path or the name of objects of the matrix, found `credentials` | known here: auth material, configuration, encryption configuration, key registry, provider program, provider state, runtime directory, secrets, socket, stray copies, trust anchors',
    ],
    [
      'a path to signal',
      rule('actor: api, must_not: [read, signal], objects: /x'),
      'roles/r/access.yml:14:53 access.matrix expected an actor of the matrix, found `/x` | known here: api, kube-apiserver, provider',
    ],
    [
      'a socket that is held by none',
      role(
        `${matrix}kms_sockets:\n  - {path: /s, held_by: provder, used_by: api, group: g, mode: "0660", because: b, source: s}\n`,
      ),
      'roles/r/access.yml:19:25 access.matrix expected an actor of the matrix, found `provder` | did you mean `provider`?',
    ],
    [
      'a socket that is used by none',
      role(
        `${matrix}kms_sockets:\n  - {path: /s, held_by: provider, used_by: backup, group: g, mode: "0660", because: b, source: s}\n`,
      ),
      'roles/r/access.yml:19:44 access.matrix expected an actor of the matrix, found `backup` | known here: api, kube-apiserver, provider',
    ],
    [
      'a path with dots',
      rule('actor: api, must: read, objects: /x/../y'),
      'roles/r/access.yml:14:39 access.matrix expected an absolute path without `//`, `.` and `..`, found "/x/../y"',
    ],
    [
      'an empty user',
      role(matrix.replace('user: kms', 'user: \'{{ "" }}\'')),
      'roles/r/access.yml:2:73 access.matrix expected text that is known before a host is asked, found none',
    ],
    [
      'a unit and a pod',
      role(matrix.replace('user: kms', 'user: kms, pod: {name: p, manifest: /m}')),
      'roles/r/access.yml:2:5 access.matrix expected a unit or a pod for the actor provider, found both',
    ],
    [
      'a variable that is none',
      role(matrix.replace('{{ unit }}', '{{ unti }}')),
      'roles/r/access.yml:2:48 template.undefined expected a variable that is defined, found `unti` | did you mean `unit`?',
    ],
    [
      'a condition that waits for the host',
      role(matrix.replace('when: pin', 'when: host.group("g").gid == 1')),
      'roles/r/access.yml:7:30 access.matrix expected a condition that is decided before a host is asked, found one that waits for the host',
    ],
    [
      'two actors of one name',
      role(matrix.replace('objects:\n', '  - {name: provider, description: it, user: other}\nobjects:\n')),
      'roles/r/access.yml:4:5 access.matrix expected one actor provider, found another one at DIR/roles/r/access.yml:2:5',
    ],
    [
      'an inventory that says no matrix',
      { 'hosts.yml': hosts.replace('pin:', 'access_matrix: [1], pin:') },
      'hosts.yml:1:57 access.matrix expected a dictionary, found a list',
    ],
  ] as const)('%s', (_, files, problem) => {
    const { folder, made } = load(files)
    expect(problemsOf(made, folder)).toEqual([problem])
  })
})
