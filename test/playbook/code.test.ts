import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { toDocument } from '../../src/playbook/code/document.ts'
import { defineTasks } from '../../src/playbook/code/define.ts'
import { expression, host, HostValue, item, registered } from '../../src/playbook/code/host-value.ts'
import { tasks } from '../../src/playbook/code/write.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { modules } from '../../src/modules/registry.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const { copy, directory, unit } = tasks
const known = new Set(modules.keys())

const port = new HostValue<number>('port')

/** Line of this file that begins so. */
function line(start: string): number {
  const lines = readFileSync(import.meta.filename, 'utf8').split('\n')
  return lines.findIndex((each) => each.startsWith(start)) + 1
}

describe('a value that each host gives', () => {
  test.each<[string, unknown, string]>([
    ['in a text', `/run/${new HostValue('name').toString()}`, '/run/{{ name }}'],
    ['by a template string', `gid ${host.group('kms').gid}`, 'gid {{ host.group("kms").gid }}'],
    [
      'of a name that is one itself',
      host.user(new HostValue<string>('who')).uid.toString(),
      '{{ host.user(who).uid }}',
    ],
    [
      'in an expression',
      expression`${port} > ${1023} and ${"it's"} != ${[1, port]}`.expression,
      'port > 1023 and "it\'s" != [1, port]',
    ],
    ['element of a loop', item().toString(), '{{ item }}'],
    ['registered', registered('made').changed.toString(), '{{ made.changed }}'],
  ])('%s', (_, written, template) => {
    expect(written).toBe(template)
  })

  test('cannot be calculated with, and says what to do', () => {
    expect(() => Number(port)).toThrow(/known here, found `port`.*`when`/)
  })
})

describe('what code wrote becomes the document that YAML would be', () => {
  const written = [
    copy(
      'Port',
      {
        dest: '/etc/port',
        content: new HostValue<string>('port'),
        owner: 'root',
        group: 'root',
        mode: '0644',
      },
      { when: [expression`${port} > 0`, 'other'], loop: ['a'], notify: 'again' },
    ),
  ]
  const document = toDocument(written, '/p/tasks.ts')

  test('values', () => {
    expect(document.value).toEqual([
      {
        name: 'Port',
        copy: { dest: '/etc/port', content: '{{ port }}', owner: 'root', group: 'root', mode: '0644' },
        when: ['port > 0', 'other'],
        loop: ['a'],
        notify: 'again',
      },
    ])
  })

  test('places', () => {
    expect(document.place([])).toEqual({ file: '/p/tasks.ts', line: 1, column: 1 })
    expect(document.place([0, 'copy', 'dest'])).toMatchObject({
      file: import.meta.filename,
      line: line('    copy('),
    })
  })

  test.each<[string, unknown, RegExp]>([
    ['a function', [{ copy: { dest: () => 'x' } }], /for `dest`, found a function/],
    ['a Map', [{ vars: new Map() }], /found something else/],
    ['not a number', [{ copy: { x: Number.NaN } }], /for `x`, found the number NaN/],
    ['a key that objects inherit by', [JSON.parse('{"__proto__": 1}') as unknown], /found `__proto__`/],
  ])('%s is refused', (_, value, message) => {
    expect(() => toDocument(value, 'x.ts')).toThrow(message)
  })

  test('a value within itself is refused', () => {
    const loop: unknown[] = []
    loop.push(loop)
    expect(() => toDocument(loop, 'x.ts')).toThrow(/found more than 64 levels/)
  })
})

test('arguments are those of the modules', () => {
  const root = { owner: 'root', group: 'root' }
  // @ts-expect-error a mode is text
  directory('x', { path: '/x', mode: 644, ...root })
  // @ts-expect-error a misspelt argument
  directory('x', { path: '/x', mode: '0644', ...root, moed: 1 })
  // @ts-expect-error a missing argument
  directory('x', { path: '/x', mode: '0644', owner: 'root' })
  // @ts-expect-error a state that there is not
  unit('x', { name: 'x.service', state: 'begun' })
  // @ts-expect-error a number where a text stands
  directory('x', { path: port, mode: '0644', ...root })
  // @ts-expect-error a keyword that there is not
  directory('x', { path: '/x', mode: '0644', ...root }, { wen: 'a' })
  defineTasks<{ readonly path: string }>((vars) => [
    directory('x', { path: vars.path, mode: '0644', ...root }),
    // @ts-expect-error a variable that is not declared
    // eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- what it is about
    directory('x', { path: vars.paht, mode: '0644', ...root }),
  ])
  expect(unit('x', { name: 'x.service', within: port, state: 'started' })).toMatchObject({ name: 'x' })
})

describe('a playbook whose tasks stand in code', () => {
  const yaml = `- hosts: all
  roles: [r]
  tasks: [{ import_tasks: more/tasks.ts }]
  handlers: [{ import_tasks: handlers.ts }]
`
  const files = {
    'site.yml': yaml,
    'more/tasks.ts': '',
    'handlers.ts': '',
    'roles/r/tasks/main.ts': '',
    'roles/r/handlers/main.yml': '- name: again\n  command: { argv: [x], always: true }\n',
  }

  test('is loaded without running it, and says what was not looked into', () => {
    const folder = folderWith(files)
    const playbook = loadPlaybook(join(folder, 'site.yml'), { modules: known })
    expect(playbook.unread.map(({ file }) => file).toSorted()).toEqual(
      ['handlers.ts', 'more/tasks.ts', 'roles/r/tasks/main.ts'].map((file) => join(folder, file)),
    )
    expect(playbook.plays[0]?.handlers.map(({ name }) => name)).toEqual(['again'])
  })

  test('takes the lists that the code wrote, checked as YAML is', () => {
    const folder = folderWith(files)
    const file = join(folder, 'more/tasks.ts')
    const empty = toDocument([], '')
    const list = (written: unknown): Map<string, ReturnType<typeof toDocument>> =>
      new Map([
        [join(folder, 'handlers.ts'), empty],
        [join(folder, 'roles/r/tasks/main.ts'), empty],
        [file, toDocument(written, file)],
      ])
    const load = (written: unknown): ReturnType<typeof loadPlaybook> =>
      loadPlaybook(join(folder, 'site.yml'), {
        modules: known,
        code: { lists: list(written), modules: new Map() },
      })
    const task = directory(
      'D',
      { path: '/x', owner: 'root', group: 'root', mode: '0755' },
      { notify: 'again' },
    )
    const playbook = load([task])
    expect(playbook.unread).toEqual([])
    expect(playbook.plays[0]?.tasks).toMatchObject([{ name: 'D', module: 'directory', notify: ['r.again'] }])
    expect(problemsOf(() => load([{ ...task, notify: 'agian' }]))).toEqual([
      expect.stringMatching(
        /^\d+:\d+ playbook.unknown-handler expected the name of a handler, found `agian` \| did you mean `again`/,
      ),
    ])
  })

  test.each<[string, Record<string, string>, RegExp]>([
    [
      'that does not exist',
      { 'site.yml': '- hosts: all\n  tasks: [{ import_tasks: x.ts }]\n' },
      /expected a file of tasks/,
    ],
    [
      'outside of the role',
      {
        'site.yml': '- hosts: all\n  roles: [r]\n',
        'roles/r/tasks/main.yml': '- import_tasks: ../../x.ts\n',
        'roles/x.ts': '',
      },
      /expected a file inside/,
    ],
    ['beside main.yml', { ...files, 'roles/r/tasks/main.yml': '[]' }, /expected one main file/],
  ])('code %s is refused', (_, changed, message) => {
    const folder = folderWith(changed)
    expect(() => loadPlaybook(join(folder, 'site.yml'), { modules: known })).toThrow(message)
  })
})
