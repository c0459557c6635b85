import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadInventory } from '../../src/inventory/load.ts'
import type { Host } from '../../src/inventory/types.ts'
import { Secret } from '../../src/model/secret.ts'
import { parseExtraVars } from '../../src/playbook/extra-vars.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import type { Play, Role, Task } from '../../src/playbook/types.ts'
import { taskVariables } from '../../src/playbook/variables.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

/** Each level sets its own name and, with it, all names of the levels below it: the highest must win. */
const levels = 'default all group host play file role block task params register extra'.split(' ')

function setting(level: string): string {
  const rank = levels.indexOf(level)
  return levels
    .slice(0, rank + 1)
    .map((name) => `v_${name}: ${level}\n`)
    .join('')
}

function indent(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by))
}

const folder = folderWith({
  'inventory/hosts.yml': 'web: {hosts: {h1: , h2: }}\nall: {vars: {cluster: c1}}\n',
  'inventory/group_vars/all.yml': setting('all'),
  'inventory/group_vars/web.yml': setting('group'),
  'inventory/host_vars/h1.yml': setting('host'),
  'site.yml': `- hosts: all
  vars:
${indent(setting('play'), 4)}  vars_files: more/vars.yml
  roles:
    - role: r
      vars:
${indent(setting('params'), 8)}  tasks:
    - assert: {that: x}
    - block:
        - vars:
${indent(setting('task'), 12)}          assert: {that: x}
        - assert: {that: y}
      vars:
${indent(setting('block'), 8)}`,
  'more/vars.yml': setting('file'),
  'roles/r/tasks/main.yml': `- assert: {that: x}
- assert: {that: y}
- assert: {that: z}
  vars:
${indent(setting('task'), 4)}`,
  'roles/r/defaults/main.yml': setting('default'),
  'roles/r/vars/main.yml': setting('role'),
})
const inventory = loadInventory(join(folder, 'inventory'))
const playbook = loadPlaybook(join(folder, 'site.yml'), { modules: new Set(['assert']) })
const noExtra: ReadonlyMap<string, unknown> = new Map()

interface Given {
  readonly play: Play
  readonly role: Task
  readonly role2: Task
  /** Of the role, with vars of its own. */
  readonly role3: Task
  readonly own: Task
  /** In a block with vars, with vars of its own and without. */
  readonly inBlock: readonly [Task, Task]
  readonly h1: Host
  readonly h2: Host
}

function given(): Given {
  const play = playbook.plays[0]
  const [role, role2, role3, own, first, second] = play?.tasks ?? []
  const [h1, h2] = inventory.hosts
  if (!play || !role || !role2 || !role3 || !own || !first || !second || !h1 || !h2) {
    throw new Error('incomplete fixture')
  }
  return { play, role, role2, role3, own, inBlock: [first, second], h1, h2 }
}

function roleOf(role: Role | undefined): Role {
  if (role === undefined) throw new Error('expected a task of a role')
  return role
}

function dictionary(text: string): Map<string, string> {
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => [line.split(': ')[0] ?? '', line.split(': ')[1] ?? '']),
  )
}

describe('precedence', () => {
  const { play, role, role3, own, inBlock, h1, h2 } = given()
  const registers = dictionary(setting('register'))
  const extraVars = dictionary(setting('extra'))

  test.each(levels.slice(0, -2))('in a role the highest level of a file wins over %s', (level) => {
    const variables = taskVariables({ play, task: role, host: h1, extraVars: noExtra })
    expect(variables.get(`v_${level}`)).toBe('params')
  })

  test('each level wins over the one below', () => {
    const shown = (host: Host, task: Task): unknown =>
      taskVariables({ play, task, host, extraVars: noExtra }).get('v_default')
    expect(shown(h1, role)).toBe('params')
    expect(shown(h1, role3)).toBe('params')
    expect(shown(h1, own)).toBe('file')
    expect(inBlock.map((task) => shown(h1, task))).toEqual(['task', 'block'])
    const passesNothing = { ...role3, role: { ...roleOf(role3.role), params: new Map() } }
    expect(shown(h1, passesNothing)).toBe('task')
    expect(shown(h1, { ...passesNothing, vars: new Map() })).toBe('role')
    expect(play.vars.get('v_play')?.value).toBe('file')
    expect(h1.variables.get('v_all')?.value).toBe('host')
    expect(h2.variables.get('v_all')?.value).toBe('group')
    const withRegisters = taskVariables({ play, task: role, host: h1, extraVars: noExtra, registers })
    expect(withRegisters.get('v_default')).toBe('register')
    const withExtra = taskVariables({ play, task: role, host: h1, extraVars, registers })
    expect(withExtra.get('v_default')).toBe('extra')
    expect(withExtra.get('v_register')).toBe('extra')
  })

  test('an outer level shows where no inner one sets the name', () => {
    const only = { ...play, vars: new Map<string, never>() }
    const variables = taskVariables({ play: only, task: own, host: h2, extraVars: noExtra })
    expect(variables.get('v_all')).toBe('group')
    expect(variables.get('v_group')).toBe('group')
    expect(variables.has('v_host')).toBe(false)
  })
})

describe('what a task sees beside', () => {
  const { play, role, role2, own, h1 } = given()

  test('built-ins', () => {
    const variables = taskVariables({ play, task: role, host: h1, extraVars: noExtra, item: 7 })
    expect(variables.get('inventory_hostname')).toBe('h1')
    expect(variables.get('group_names')).toEqual(['web'])
    expect(variables.get('cluster')).toBe('c1')
    expect(variables.get('playbook_dir')).toBe(folder)
    expect(variables.get('inventory_dir')).toBe(join(folder, 'inventory'))
    expect(variables.get('role_path')).toBe(join(folder, 'roles/r'))
    expect(variables.get('item')).toBe(7)
    expect(taskVariables({ play, task: own, host: h1, extraVars: noExtra }).has('role_path')).toBe(false)
  })

  test('one Map for all tasks of a role on a host', () => {
    const first = taskVariables({ play, task: role, host: h1, extraVars: noExtra })
    expect(taskVariables({ play, task: role2, host: h1, extraVars: noExtra, registers: new Map() })).toBe(
      first,
    )
    expect(taskVariables({ play, task: own, host: h1, extraVars: noExtra })).not.toBe(first)
  })

  test('secrets, which --extra-vars must not set', () => {
    const secrets = new Map([['jwt', new Secret('jwt', Buffer.from('x'))]])
    expect(taskVariables({ play, task: role, host: h1, extraVars: noExtra, secrets }).get('jwt')).toBe(
      secrets.get('jwt'),
    )
    const extraVars = new Map([['jwt', 'hunter2']])
    const problems = problemsOf(() => taskVariables({ play, task: role, host: h1, extraVars, secrets }))
    expect(problems[0]).toContain('variable.extra expected no secret among --extra-vars, found `jwt`')
    expect(problems[0]).not.toContain('hunter2')
  })
})

describe('--extra-vars', () => {
  const file = join(folderWith({ 'v.yml': 'a: [1]\nb: "0750"\n', 'bad.yml': 'mode: 0750\n' }), 'v.yml')
  test.each([
    [['a=b'], { a: 'b' }],
    [
      ['a=true', 'b=10', 'c=1.10', 'd=0750', 'e=', 'f=x=y', 'g=yes'],
      { a: true, b: 10, c: '1.10', d: '0750', e: '', f: 'x=y', g: 'yes' },
    ],
    [['{"a": {"b": [1, null]}}'], { a: { b: [1, null] } }],
    [['{a: 1}', 'a=2'], { a: 2 }],
    [[`@${file}`, 'c=1'], { a: [1], b: '0750', c: 1 }],
    [['ansible_user=root', 'cluster=x'], { ansible_user: 'root', cluster: 'x' }],
  ])('%j', (texts, expected) => {
    expect(Object.fromEntries(parseExtraVars(texts))).toEqual(expected)
  })

  test.each([
    [['hunter2'], 'variable.extra expected name=value'],
    [['=x'], 'variable.extra'],
    [['a-b=x'], 'variable.name'],
    [['inventory_hostname=x'], 'variable.name'],
    [['ansible_ssh_common_args=-oX'], 'inventory.refused'],
    [['{a: '], 'document.syntax'],
    [['{"__proto__": 1}'], 'document.syntax'],
    [['@/nowhere'], 'document.unreadable'],
    [[`@${file.replace('v.yml', 'bad.yml')}`], 'document.syntax expected a quoted octal mode'],
  ])('%j is refused', (texts, expected) => {
    const problems = problemsOf(() => parseExtraVars(texts))
    expect(problems.join()).toContain(expected)
    expect(problems.join()).not.toContain('hunter2')
  })
})
