import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { handlerId } from '../../src/playbook/handlers.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import type { Playbook, Variables } from '../../src/playbook/types.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const modules = new Set(
  'group user directory file copy template link absent bundle sysusers tmpfiles unit command assert wait_for'.split(
    ' ',
  ),
)

function valuesOf(variables: Variables | undefined): object {
  return Object.fromEntries([...(variables ?? [])].map(([name, { value }]) => [name, value]))
}

function load(folder: string): Playbook {
  return loadPlaybook(join(folder, 'site.yml'), { modules })
}

describe('a playbook with a role', () => {
  const folder = folderWith({
    'site.yml': `- name: Roll out
  hosts: [control, "!old"]
  tags: rollout
  vars: {a: 1, deep: {mode: "0644"}}
  secrets:
    jwt: {file: "secrets/{{ inventory_hostname }}.jwt"}
  serial: [1, "30%"]
  max_fail_percentage: 10
  any_errors_fatal: true
  roles:
    - role: kms
      vars: {port: 2}
      tags: [kms]
  tasks:
    - name: Config
      template: {src: c.j2, dest: /etc/c, mode: "0640"}
      when: [a == 1, true]
      loop: "{{ list }}"
      notify: Restart KMS!
      register: config
      tags: config
    - directory: {path: /run/x}
      notify: [local, Restart KMS!]
  handlers:
    - name: local
      command: {argv: [x]}
- hosts: other
`,
    'roles/kms/tasks/main.yml':
      '- unit: {name: kms.service}\n  notify: Restart KMS!\n- copy: {src: a, dest: "{{ x }}"}\n',
    'roles/kms/handlers/main.yml': '- name: Restart KMS!\n  unit: {name: kms.service, state: restarted}\n',
    'roles/kms/defaults/main.yml': 'port: 1\nuser: kms\n',
    'roles/kms/vars/main.yml': 'port: 3\nkind: v\n',
  })
  const playbook = load(folder)
  const [play, second] = playbook.plays

  test('play', () => {
    expect(play).toMatchObject({
      name: 'Roll out',
      hosts: 'control,!old',
      serial: [1, '30%'],
      maxFailPercentage: 10,
      anyErrorsFatal: true,
      secrets: [{ name: 'jwt', source: { from: 'file', path: 'secrets/{{ inventory_hostname }}.jwt' } }],
      place: { line: 1, column: 3 },
    })
    expect(valuesOf(play?.vars)).toEqual({ a: 1, deep: { mode: '0644' } })
    expect(second).toMatchObject({
      name: 'other',
      hosts: 'other',
      serial: [],
      anyErrorsFatal: false,
      tasks: [],
    })
    expect(second).not.toHaveProperty('maxFailPercentage')
  })

  test('tasks: roles first, ids and tags', () => {
    expect(play?.tasks.map(({ id, name, module, tags }) => [id, name, module, tags])).toEqual([
      ['kms/1', 'unit kms.service', 'unit', ['rollout', 'kms']],
      ['kms/2', 'copy {{ x }}', 'copy', ['rollout', 'kms']],
      ['play/1', 'Config', 'template', ['rollout', 'config']],
      ['play/2', 'directory /run/x', 'directory', ['rollout']],
    ])
  })

  test('a task as written, with places', () => {
    const task = play?.tasks[2]
    expect(task).toMatchObject({
      when: [
        { expression: 'a == 1', place: { line: 17, column: 14 } },
        { expression: 'true', place: { line: 17, column: 22 } },
      ],
      loop: '{{ list }}',
      notify: ['kms.restart-kms-'],
      register: 'config',
      folder,
      place: { line: 15, column: 7 },
    })
    expect(task).not.toHaveProperty('role')
    expect(task?.args.value).toEqual({ src: 'c.j2', dest: '/etc/c', mode: '0640' })
    expect(task?.args.place(['mode'])).toMatchObject({ line: 16, column: 49 })
    expect(task?.args.source(['mode'])).toEqual({ text: '0640', quoted: true })
  })

  test('role: folder, defaults, vars, and what the entry passes', () => {
    const role = play?.tasks[0]?.role
    expect(role).toMatchObject({ name: 'kms', folder: join(folder, 'roles/kms') })
    expect(valuesOf(role?.defaults)).toEqual({ port: 1, user: 'kms' })
    expect(valuesOf(role?.vars)).toEqual({ port: 3, kind: 'v' })
    expect(valuesOf(role?.params)).toEqual({ port: 2 })
    expect(role?.params.get('port')?.origin).toMatchObject({ line: 12, column: 20 })
  })

  test('handlers', () => {
    expect(play?.handlers.map(({ id, name, handlerId }) => [id, name, handlerId])).toEqual([
      ['kms/handler/1', 'Restart KMS!', 'kms.restart-kms-'],
      ['play/handler/1', 'local', 'site.roll-out.local'],
    ])
  })

  test('roles are found above the playbook, and through a link', () => {
    const other = folderWith({
      'playbooks/site.yml': '- {hosts: all, roles: [a, b]}',
      'roles/a/tasks/main.yml': '- assert: {that: x}\n',
      'elsewhere/tasks/main.yml': '- assert: {that: y}\n',
    })
    symlinkSync(join(other, 'elsewhere'), join(other, 'roles/b'))
    const loaded = load(join(other, 'playbooks'))
    expect(loaded.plays[0]?.tasks.map((task) => task.id)).toEqual(['a/1', 'b/1'])
    expect(loaded.plays[0]?.tasks[1]?.folder).toBe(join(other, 'elsewhere'))
  })
})

describe('handler ids are file names', () => {
  test('a host that owes a handler to one play owes it to no other of that name', () => {
    const plays = `- name: Roll out
  hosts: all
  handlers: [{name: restart, unit: {name: a}}]
- hosts: h1
  handlers: [{name: restart, unit: {name: b}}]
`
    const folder = folderWith({ 'site.yml': plays, 'other.yml': plays })
    const ids = ['site.yml', 'other.yml'].flatMap((file) =>
      loadPlaybook(join(folder, file), { modules }).plays.flatMap((play) =>
        play.handlers.map((handler) => handler.handlerId),
      ),
    )
    expect(ids).toEqual([
      'site.roll-out.restart',
      'site.h1.restart',
      'other.roll-out.restart',
      'other.h1.restart',
    ])
  })

  test.each([
    ['role', 'Restart provider', 'role.restart-provider'],
    ['..', '../../etc/x', 'etc-x'],
    ['-', '', 'handler'],
    ['r', 'é\0\n/', 'r.-'],
    ['r', 'x'.repeat(500), `r.${'x'.repeat(118)}`],
  ])('%s %j', (owner, name, expected) => {
    expect(handlerId(owner, name)).toBe(expected)
    expect(expected).toMatch(/^[a-z0-9_][a-z0-9._-]*$/)
  })
})

describe('playbooks that are refused', () => {
  const play = (rest: string): string => `- hosts: all\n  ${rest}\n`
  const task = (rest: string): string => play(`tasks:\n    - ${rest}`)
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['no plays', '', ['1:1 playbook.invalid expected a list, found nothing']],
    ['an empty list', '[]', ['1:1 playbook.invalid expected a list of at least 1, found an empty list']],
    ['a dictionary', 'hosts: all', ['1:1 playbook.invalid expected a list, found a dictionary']],
    ['no hosts', '- tasks: []', ['1:3 playbook.invalid expected text or a list for `hosts`, found nothing']],
    ['hosts as a template', '- hosts: "{{ x }}"', ['1:10 playbook.invalid expected a plain host pattern']],
    [
      'unknown key',
      play('hsots: x'),
      ['2:3 document.unknown-key expected a known key, found `hsots` | did you mean `hosts`?'],
    ],
    [
      'become',
      play('become: true'),
      [
        '2:3 document.unknown-key expected a known key, found `become` | how to become root belongs to the connection: set ansible_become',
      ],
    ],
    [
      'gather_facts',
      play('gather_facts: true'),
      ['2:17 playbook.invalid expected false for `gather_facts`, found true'],
    ],
    [
      'serial',
      play('serial: "0%"'),
      ['2:11 playbook.invalid expected a number or a share such as "30%" or a list for'],
    ],
    [
      'max_fail_percentage',
      play('max_fail_percentage: 101'),
      ['2:24 playbook.invalid expected a number of at most 100'],
    ],
    ['a connection variable', play('vars: {ansible_user: x}'), ['2:10 variable.name']],
    ['a built-in variable', play('vars: {item: x}'), ['2:10 variable.name']],
    [
      'a secret named like a variable',
      play('vars: {a: x}\n  secrets: {a: {file: x}}'),
      ['3:13 playbook.duplicate'],
    ],
    [
      'an unknown source',
      play('secrets: {a: {vault: x}}'),
      ['2:16 playbook.invalid expected exactly one of', '2:17 document.unknown-key'],
    ],
    [
      'an unknown role',
      play('roles: [nowhere]'),
      ['2:11 playbook.not-found expected a role, found none named `nowhere`'],
    ],
    ['a role as a path', play('roles: [../x]'), ['2:11 playbook.invalid expected the name of a role']],
    [
      'a task that is text',
      task('copy'),
      ['3:7 playbook.invalid expected a dictionary in `tasks`, found the text "copy"'],
    ],
    ['no module', task('name: x'), ['3:7 playbook.invalid expected a task with a module, found none']],
    [
      'two modules',
      task('copy: {}\n      file: {}'),
      ['4:7 playbook.invalid expected one module, found `copy` and `file`'],
    ],
    [
      'a misspelt module',
      task('tempalte: {}'),
      [
        '3:7 playbook.unknown-module expected the name of a module, found `tempalte` | did you mean `template`?',
      ],
    ],
    [
      'a full name',
      task('ansible.builtin.copy: {}'),
      [
        '3:7 playbook.unknown-module expected the name of a module, found `ansible.builtin.copy` | write `copy`',
      ],
    ],
    [
      'a full name of another module',
      task('ansible.builtin.systemd: {}'),
      [
        '3:7 playbook.unknown-module expected the name of a module, found `ansible.builtin.systemd` | use the module `unit`',
      ],
    ],
    [
      'shell',
      task('shell: ls'),
      ['3:7 playbook.unknown-module expected the name of a module, found `shell` | use the module `command`'],
    ],
    [
      'include_tasks',
      task('include_tasks: x.yml'),
      [
        '3:7 playbook.unknown-module expected the name of a module, found `include_tasks` | use `import_tasks`',
      ],
    ],
    [
      'free-form arguments',
      task('command: ls -l'),
      [
        '3:16 playbook.invalid expected a dictionary of arguments for `command`, found the text "ls -l" | write `command:` with `argv:`',
      ],
    ],
    [
      'no arguments',
      task('unit:'),
      ['3:7 playbook.invalid expected a dictionary of arguments for `unit`, found nothing'],
    ],
    [
      'a misspelt keyword',
      task('copy: {}\n      notfiy: x'),
      ['4:7 document.unknown-key expected a known key, found `notfiy` | did you mean `notify`?'],
    ],
    [
      'delegate_to',
      task('copy: {}\n      delegate_to: x'),
      [
        '4:7 document.unknown-key expected a known key, found `delegate_to` | remove it: a task acts on its own host',
      ],
    ],
    [
      'with_items',
      task('copy: {}\n      with_items: []'),
      ['4:7 document.unknown-key expected a known key, found `with_items` | use `loop`'],
    ],
    [
      'a condition in braces',
      task('copy: {}\n      when: "{{ x }}"'),
      ['4:13 document.invalid expected a bare expression'],
    ],
    [
      'a loop that is text',
      task('copy: {}\n      loop: x'),
      ['4:13 document.invalid expected a list, or a template that gives one'],
    ],
    [
      'a register that is no name',
      task('copy: {}\n      register: a-b'),
      ['4:17 document.invalid expected a variable name'],
    ],
    ['a reserved register', task('copy: {}\n      register: item'), ['4:17 variable.name']],
    [
      'a tag that --tags has a meaning for',
      task('copy: {}\n      tags: [a, all]'),
      ['4:17 document.invalid expected a tag of your own'],
    ],
    [
      'a misspelt handler',
      task(
        'copy: {}\n      notify: [x, restrat]\n  handlers:\n    - {name: restart, copy: {}}\n    - {name: x, copy: {}}',
      ),
      [
        '4:19 playbook.unknown-handler expected the name of a handler, found `restrat` | did you mean `restart`?',
      ],
    ],
    [
      'a handler that is nowhere',
      task('copy: {}\n      notify: x'),
      [
        '4:15 playbook.unknown-handler expected the name of a handler, found `x` | the play and its roles have no handlers',
      ],
    ],
    [
      'a handler twice',
      play('handlers:\n    - {name: a, copy: {}}\n    - {name: a, copy: {}}'),
      [
        '4:7 playbook.duplicate expected handlers with different names, found `a` again after DIR/site.yml:3:7',
      ],
    ],
    [
      'handlers whose ids meet',
      play('handlers:\n    - {name: A, copy: {}}\n    - {name: a, copy: {}}'),
      ['4:7 playbook.duplicate'],
    ],
    [
      'a mode beside other errors',
      play('serial: 0\n  tasks:\n    - copy: {mode: 0644}\n      notify: x\n    - cpoy: {}'),
      [
        '2:11 playbook.invalid expected a number of at least 1',
        '4:20 document.syntax expected a quoted octal mode',
        '6:7 playbook.unknown-module',
      ],
    ],
  ]
  test.each(cases)('%s', (_, text, expected) => {
    const folder = folderWith({ 'site.yml': text, 'roles/r/tasks/main.yml': '- assert: {that: x}\n' })
    const problems = problemsOf(() => load(folder), folder).map((line) => line.replace(/^site\.yml:/, ''))
    expect(problems.map((line, index) => line.slice(0, expected[index]?.length ?? 80))).toEqual(expected)
  })

  test('errors in a role stand in its own file', () => {
    const folder = folderWith({
      'site.yml': '- {hosts: all, roles: [r]}\n- {hosts: all, roles: [r]}\n',
      'roles/r/tasks/main.yml': '- cpoy: {}\n- copy: {}\n  notify: x\n',
      'roles/r/defaults/main.yml': 'cluster: x\n',
      'roles/r/task/main.yml': '',
      'roles/r/meta/main.yml': '',
    })
    const problems = problemsOf(() => load(folder), folder).map((line) =>
      line.split(' ').slice(0, 2).join(' '),
    )
    expect(problems).toEqual([
      'site.yml:1:24 playbook.invalid',
      'roles/r/defaults/main.yml:1:1 variable.name',
      'roles/r/tasks/main.yml:1:3 playbook.unknown-module',
    ])
  })

  test('a role without anything to do', () => {
    const folder = folderWith({ 'site.yml': '- {hosts: all, roles: [r]}\n' })
    mkdirSync(join(folder, 'roles/r'), { recursive: true })
    expect(problemsOf(() => load(folder), folder)[0]).toContain('expected tasks/main.yml in the role `r`')
  })

  test('a playbook that is not there', () => {
    expect(problemsOf(() => load('/nowhere'))).toEqual([
      '- playbook.not-found expected a readable file /nowhere/site.yml, found nothing there',
    ])
  })
})
