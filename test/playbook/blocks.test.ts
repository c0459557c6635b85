import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadPlaybook } from '../../src/playbook/load.ts'
import type { Play, Task } from '../../src/playbook/types.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const modules = new Set(['assert', 'copy', 'command'])

function loadIn(folder: string): Play {
  const [play] = loadPlaybook(join(folder, 'site.yml'), { modules }).plays
  if (play === undefined) throw new Error('expected a play')
  return play
}

const show = ({ id, when, tags, vars }: Task): string =>
  [
    id,
    when.map(({ expression }) => expression).join(' and '),
    tags.join(','),
    [...vars].map(([name, { value }]) => `${name}=${String(value)}`).join(','),
  ].join(' | ')

describe('blocks', () => {
  test('hand down conditions, tags and variables, outer ones first', () => {
    const folder = folderWith({
      'site.yml': `- hosts: all
  tags: play
  tasks:
    - name: Outer
      when: [a, b]
      tags: outer
      vars: {x: 1, y: 1}
      block:
        - assert: {that: "1"}
        - when: c
          tags: [inner, outer]
          vars: {y: 2}
          block:
            - assert: {that: "2"}
              when: d
              vars: {z: 3}
    - assert: {that: "3"}
`,
    })
    expect(loadIn(folder).tasks.map(show)).toEqual([
      'play/1/1 | a and b | play,outer | x=1,y=1',
      'play/1/2/1 | a and b and c and d | play,outer,inner | x=1,y=2,z=3',
      'play/2 |  | play | ',
    ])
  })

  test('a condition keeps its own place', () => {
    const folder = folderWith({
      'site.yml':
        '- hosts: all\n  tasks:\n    - when: a\n      block:\n        - assert: {that: x}\n          when: [b]\n',
    })
    expect(loadIn(folder).tasks[0]?.when.map(({ place }) => [place.line, place.column])).toEqual([
      [3, 13],
      [6, 18],
    ])
  })
})

describe('imports', () => {
  test('of task files, named from the file that imports, keep files and ids of the importer', () => {
    const folder = folderWith({
      'site.yml': `- hosts: all
  tasks:
    - import_tasks: parts/one.yml
      when: a
      tags: t
      vars: {v: 1}
`,
      'parts/one.yml': '- assert: {that: x}\n- import_tasks: {file: two.yml}\n',
      'parts/two.yml': '- assert: {that: y}\n',
    })
    const { tasks } = loadIn(folder)
    expect(tasks.map(show)).toEqual(['play/1/1 | a | t | v=1', 'play/1/2/1 | a | t | v=1'])
    expect(tasks.map((task) => task.folder)).toEqual([folder, folder])
    expect(tasks[1]?.place).toMatchObject({ file: join(folder, 'parts/two.yml'), line: 1 })
  })

  test('of roles, with parameters, as often as they are named', () => {
    const folder = folderWith({
      'site.yml': `- hosts: all
  tasks:
    - import_role: {name: r}
      vars: {port: 1}
      when: a
      tags: t
    - vars: {seen: true}
      block:
        - import_role: {name: r, tasks_from: more}
          vars: {port: 2}
    - import_role: {name: r}
      vars: {port: 1}
`,
      'roles/r/tasks/main.yml': '- assert: {that: x}\n- import_tasks: more.yml\n',
      'roles/r/tasks/more.yml': '- copy: {src: x}\n  notify: done\n',
      'roles/r/handlers/main.yml': '- name: done\n  command: {argv: [x]}\n',
    })
    const play = loadIn(folder)
    expect(play.tasks.map(show)).toEqual([
      'r/1 | a | t | ',
      'r/2/1 | a | t | ',
      'r#2/1 |  |  | seen=true',
      'r#3/1 |  |  | ',
      'r#3/2/1 |  |  | ',
    ])
    expect(play.tasks.map(({ role }) => role?.params.get('port')?.value)).toEqual([1, 1, 2, 1, 1])
    // Two sets of parameters are two handlers; each use notifies its own.
    expect(play.handlers.map(({ id, handlerId }) => [id, handlerId])).toEqual([
      ['r/handler/1', 'r.done'],
      ['r.2/handler/1', 'r.2.done'],
    ])
    expect(play.tasks.map(({ notify }) => notify)).toEqual([[], ['r.done'], ['r.2.done'], [], ['r.done']])
  })

  test('from the tasks folder of a role too', () => {
    const folder = folderWith({
      'site.yml': '- {hosts: all, roles: [r]}\n',
      'roles/r/tasks/main.yml': '- import_tasks: deep/one.yml\n',
      'roles/r/tasks/deep/one.yml': '- import_tasks: two.yml\n',
      'roles/r/tasks/two.yml': '- assert: {that: x}\n',
    })
    expect(loadIn(folder).tasks.map(({ id }) => id)).toEqual(['r/1/1/1'])
  })
})

describe('roles', () => {
  const role = (name: string): Record<string, string> => ({
    [`roles/${name}/tasks/main.yml`]: '- assert: {that: x}\n',
  })

  test('run behind their dependencies, the same use once', () => {
    const folder = folderWith({
      'site.yml': '- {hosts: all, roles: [a, {role: b, tags: t}, a, {role: a, vars: {v: 1}}]}\n',
      ...role('a'),
      ...role('b'),
      ...role('base'),
      'roles/a/meta/main.yml': 'dependencies:\n  - base\n  - {role: b, vars: {v: 2}, when: w}\n',
      'roles/b/meta/main.yml': 'galaxy_info: {author: x}\ndependencies: [base]\n',
    })
    expect(loadIn(folder).tasks.map(show)).toEqual([
      'base/1 |  |  | ',
      // With parameters of its own: those of b reach what b depends on.
      'base#2/1 | w |  | ',
      'b/1 | w |  | ',
      'a/1 |  |  | ',
      'base#3/1 |  | t | ',
      'b#2/1 |  | t | ',
      'base#4/1 |  |  | ',
      'a#2/1 |  |  | ',
    ])
  })

  test('with allow_duplicates run as often as they are named', () => {
    const folder = folderWith({
      'site.yml': '- {hosts: all, roles: [a, a]}\n',
      ...role('a'),
      'roles/a/meta/main.yml': 'allow_duplicates: true\n',
    })
    expect(loadIn(folder).tasks.map(({ id }) => id)).toEqual(['a/1', 'a#2/1'])
  })
})

test('pre_tasks, roles, tasks and post_tasks run in this order, with flushes between them', () => {
  const folder = folderWith({
    'site.yml': `- hosts: all
  gather_facts: false
  vars: {a: 1, b: 1}
  vars_files: [one.yml, two.yml]
  post_tasks: [{assert: {that: x}}]
  tasks: [{assert: {that: x}}, {meta: flush_handlers}, {assert: {that: x}}]
  roles: [r]
  pre_tasks: [{assert: {that: x}}]
  handlers: [{name: h, command: {argv: [x]}}]
`,
    'one.yml': 'b: 2\nc: 2\n',
    'two.yml': 'c: 3\n',
    'roles/r/tasks/main.yml': '- assert: {that: x}\n',
  })
  const play = loadIn(folder)
  expect(play.tasks.map(({ id, section }) => [id, section])).toEqual([
    ['play/pre/1', 0],
    ['r/1', 1],
    ['play/1', 1],
    ['play/3', 2],
    ['play/post/1', 3],
  ])
  expect(play.flushes.map((flush) => flush.map(({ id, handlerId }) => [id, handlerId]))).toEqual(
    [1, 2, 3].map((flush) => [[`play/handler/1~${String(flush)}`, 'site.all.h']]),
  )
  expect([...play.vars].map(([name, { value }]) => [name, value])).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ])
})

describe('handlers', () => {
  const notifying = (...names: readonly string[]): readonly (readonly string[])[] => {
    const folder = folderWith({
      'site.yml': `- hosts: all
  roles: [r]
  tasks:
${names.map((name) => `    - {assert: {that: x}, notify: ${JSON.stringify(name)}}\n`).join('')}  handlers:
    - {name: restart a, listen: web, command: {argv: [x]}}
    - {name: restart b, listen: [web, all of it], command: {argv: [x]}}
    - import_tasks: more.yml
`,
      'more.yml': '- {name: third, listen: web, command: {argv: [x]}}\n',
      'roles/r/tasks/main.yml': '',
      'roles/r/handlers/main.yml': '- {name: reload, listen: all of it, command: {argv: [x]}}\n',
    })
    return loadIn(folder).tasks.map(({ notify }) => notify)
  }

  test('are notified by name, by role and name, and by topic', () => {
    expect(notifying('restart a', 'web', 'all of it', 'reload', 'r : reload')).toEqual([
      ['site.all.restart-a'],
      ['site.all.restart-a', 'site.all.restart-b', 'site.all.third'],
      ['r.reload', 'site.all.restart-b'],
      ['r.reload'],
      ['r.reload'],
    ])
  })
})

describe('refused', () => {
  const task = (rest: string): string => `- hosts: all\n  tasks:\n    - ${rest}\n`
  const handler = (rest: string): string => `- hosts: all\n  handlers:\n    - ${rest}\n`
  const unknown = (at: string, key: string, hint: string): string =>
    `site.yml:${at} document.unknown-key expected a known key, found \`${key}\` | ${hint}`
  const inTasks = (key: string): string => `write \`${key}\` in its tasks`
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'rescue',
      task('block: [{assert: {that: x}}]\n      rescue: []'),
      [unknown('4:7', 'rescue', 'remove it: a host that fails')],
    ],
    [
      'always',
      task('block: [{assert: {that: x}}]\n      always: []'),
      [unknown('4:7', 'always', 'use a handler')],
    ],
    ['rescue without block', task('rescue: []'), [unknown('3:7', 'rescue', 'remove it')]],
    [
      'loop of a block',
      task('block: [{assert: {that: x}}]\n      loop: [1]'),
      [unknown('4:7', 'loop', 'a block takes')],
    ],
    [
      'register of an import',
      task('import_tasks: a.yml\n      register: x'),
      [unknown('4:7', 'register', 'an import takes')],
    ],
    [
      'become of a block',
      task('block: [{assert: {that: x}}]\n      become: true'),
      [unknown('4:7', 'become', 'how to become root')],
    ],
    [
      'a module beside a block',
      task('block: [{assert: {that: x}}]\n      copy: {}'),
      [unknown('4:7', 'copy', 'known here')],
    ],
    ['an empty block', task('block: []'), ['site.yml:3:14 playbook.invalid expected a list of at least 1']],
    [
      'a block that is a task',
      task('block: {copy: {}}'),
      ['site.yml:3:14 playbook.invalid expected a list for `block`'],
    ],
    [
      'a block as handler',
      handler('name: h\n      block: [{copy: {}}]'),
      ['site.yml:4:7 playbook.invalid expected a block among tasks'],
    ],
    [
      'a role as handler',
      handler('import_role: {name: r}'),
      ['site.yml:3:7 playbook.invalid expected a role among tasks'],
    ],
    [
      'a flush as handler',
      handler('meta: flush_handlers'),
      ['site.yml:3:7 playbook.invalid expected a flush among tasks'],
    ],
    [
      'another meta',
      task('meta: end_play'),
      ['site.yml:3:13 playbook.invalid expected "flush_handlers" for `meta`, found the text "end_play"'],
    ],
    [
      'a condition of a flush',
      task('meta: flush_handlers\n      when: x'),
      [unknown('4:7', 'when', '`meta` takes name, meta')],
    ],
    [
      'a flush that is conditional',
      task('when: x\n      block: [{meta: flush_handlers}]'),
      [
        'site.yml:4:16 playbook.invalid expected a flush that no block or import makes conditional, found `meta` here | write it outside',
      ],
    ],
    [
      'listen of a task',
      task('copy: {}\n      listen: x'),
      [unknown('4:7', 'listen', 'only a handler listens')],
    ],
    [
      'a file that is not there',
      task('import_tasks: no.yml'),
      ['site.yml:3:21 playbook.not-found expected a file of tasks, found none at DIR/no.yml'],
    ],
    [
      'a file by template',
      task('import_tasks: "{{ os }}.yml"'),
      ['site.yml:3:21 playbook.invalid expected a plain file name'],
    ],
    [
      'a file that imports itself',
      task('import_tasks: self.yml'),
      [
        'self.yml:1:17 playbook.invalid expected imports that end, found a cycle: DIR/self.yml → DIR/self.yml',
      ],
    ],
    ['an error in an imported file', task('import_tasks: bad.yml'), ['bad.yml:1:3 playbook.unknown-module']],
    [
      'a role that is not there',
      task('import_role: {name: nowhere}'),
      ['site.yml:3:27 playbook.not-found expected a role'],
    ],
    [
      'another argument of import_role',
      task('import_role: {name: r, public: true}'),
      [unknown('3:30', 'public', 'known here: name, tasks_from')],
    ],
    [
      'include_role',
      task('include_role: {name: r}'),
      [
        'site.yml:3:7 playbook.unknown-module expected the name of a module, found `include_role` | use `import_tasks` or `import_role`',
      ],
    ],
    [
      'a full name',
      task('ansible.builtin.import_tasks: a.yml'),
      [
        'site.yml:3:7 playbook.unknown-module expected the name of a module, found `ansible.builtin.import_tasks` | write `import_tasks`',
      ],
    ],
    [
      'roles that depend on each other',
      '- {hosts: all, roles: [ring]}\n',
      [
        'roles/gnir/meta/main.yml:1:16 playbook.invalid expected imports that end, found a cycle: DIR/roles/ring → DIR/roles/gnir → DIR/roles/ring',
      ],
    ],
    [
      'a role that imports itself',
      '- {hosts: all, roles: [own]}\n',
      ['roles/own/tasks/main.yml:1:23 playbook.invalid expected imports that end, found a cycle'],
    ],
    [
      'a role that leaves its folder',
      '- {hosts: all, roles: [leaves]}\n',
      ['roles/leaves/tasks/main.yml:1:17 playbook.source expected a file inside DIR/roles/leaves'],
    ],
    [
      'a role that leaves it by a link',
      '- {hosts: all, roles: [links]}\n',
      ['roles/links/tasks/main.yml:1:17 playbook.source expected a file inside DIR/roles/links'],
    ],
    [
      'collections of a role',
      '- {hosts: all, roles: [meta]}\n',
      [
        'roles/meta/meta/main.yml:1:1 document.unknown-key expected a known key, found `collections` | remove it',
      ],
    ],
    [
      'a variables file that is not there',
      '- {hosts: all, vars_files: [no.yml]}\n',
      ['site.yml:1:29 playbook.not-found expected a file of variables, found none at DIR/no.yml'],
    ],
    [
      'a variables file by template',
      '- {hosts: all, vars_files: ["{{ x }}.yml"]}\n',
      ['site.yml:1:29 playbook.invalid expected a plain file name'],
    ],
    [
      'a connection variable of a task',
      task('copy: {}\n      vars: {ansible_user: x}'),
      ['site.yml:4:14 variable.name'],
    ],
    [
      'until on another module',
      task('copy: {}\n      until: x'),
      [
        'site.yml:4:7 playbook.invalid expected `until` on `command` only, not on `copy`, found `until` | wait with the module `wait_for`',
      ],
    ],
    [
      'until without register',
      task('command: {}\n      until: x'),
      [
        'site.yml:4:7 playbook.invalid expected a `register`, whose name `until` reads, found `until` | such as',
      ],
    ],
    [
      'until with loop',
      task('command: {}\n      until: x\n      register: r\n      loop: [1]'),
      ['site.yml:4:7 playbook.invalid expected `until` without `loop`'],
    ],
    [
      'delay alone',
      task('command: {}\n      delay: 1'),
      ['site.yml:4:7 playbook.invalid expected an `until` beside it, found `delay`'],
    ],
    [
      'no retries',
      task('command: {}\n      until: x\n      register: r\n      retries: 0'),
      ['site.yml:6:16 document.invalid expected a number of at least 1 for `retries`, found the number 0'],
    ],
    [
      'throttle 0',
      task('command: {}\n      throttle: 0'),
      ['site.yml:4:17 document.invalid expected a number of at least 1 for `throttle`'],
    ],
    [
      'run_once with register',
      task('command: {}\n      run_once: true\n      register: r'),
      [
        'site.yml:5:7 playbook.invalid expected `run_once` without `register`, found `register` | the other hosts',
      ],
    ],
    [
      'a handler with run_once',
      handler('name: h\n      run_once: true\n      command: {}'),
      ['site.yml:4:7 playbook.invalid expected a handler that runs wherever it is owed'],
    ],
    [
      'a handler with due',
      handler('name: h\n      due: by hand\n      command: {}'),
      ['site.yml:4:7 playbook.invalid expected a handler without `due`, found `due` | write `due` at a task'],
    ],
    [
      'run_once of a play',
      '- {hosts: all, run_once: true}\n',
      [unknown('1:16', 'run_once', 'write it in the tasks')],
    ],
  ]
  test.each(cases)('%s', (_, text, expected) => {
    const folder = folderWith({
      'site.yml': text,
      'a.yml': '- assert: {that: x}\n',
      'self.yml': '- import_tasks: self.yml\n',
      'bad.yml': '- cpoy: {}\n',
      'roles/r/tasks/main.yml': '- assert: {that: x}\n',
      'roles/ring/meta/main.yml': 'dependencies: [gnir]\n',
      'roles/ring/tasks/main.yml': '',
      'roles/gnir/meta/main.yml': 'dependencies: [ring]\n',
      'roles/gnir/tasks/main.yml': '',
      'roles/own/tasks/main.yml': '- import_role: {name: own}\n',
      'roles/leaves/tasks/main.yml': '- import_tasks: ../../../a.yml\n',
      'roles/links/tasks/main.yml': '- import_tasks: link.yml\n',
      'roles/meta/meta/main.yml': 'collections: [x]\n',
      'roles/meta/tasks/main.yml': '',
    })
    symlinkSync(join(folder, 'a.yml'), join(folder, 'roles/links/tasks/link.yml'))
    const problems = problemsOf(() => loadIn(folder), folder)
    expect(problems.map((line, index) => line.slice(0, expected[index]?.length ?? 120))).toEqual(expected)
  })

  test('a file of meta that nothing reads', () => {
    const folder = folderWith({
      'site.yml': '- {hosts: all, roles: [r]}\n',
      'roles/r/tasks/main.yml': '',
      'roles/r/meta/main.yml': '',
    })
    writeFileSync(join(folder, 'roles/r/meta/argument_specs.yml'), '')
    expect(problemsOf(() => loadIn(folder), folder)[0]).toContain(
      'roles/r/meta/argument_specs.yml:1:1 playbook.invalid',
    )
  })

  test('what is tasks of a block, said with what a block takes', () => {
    const folder = folderWith({ 'site.yml': task('block: [{assert: {that: x}}]\n      loop: [1]') })
    expect(problemsOf(() => loadIn(folder), folder)[0]).toContain(inTasks('loop'))
  })
})
