import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { docOf } from '../../src/cli/own-module-docs.ts'
import { roleInterface } from '../../src/cli/role-doc.ts'
import { argumentsSchema, fileSchema, roleSchema } from '../../src/cli/schemas.ts'
import { modules } from '../../src/modules/registry.ts'

interface Validator {
  readonly compile: (schema: object) => (value: unknown) => boolean
}

const lint = createRequire(createRequire(import.meta.url).resolve('eslint'))
const Ajv = lint('ajv') as new (options: object) => Validator

/** A validator of JSON Schema that shares nothing with the program: the one that eslint brings. */
const validator = (json: object): ((value: unknown) => boolean) =>
  new Ajv({ unknownFormats: 'ignore' }).compile(json)

const docs = [...modules.values()].map(docOf)
const systemd = roleInterface('playbooks/rollout.yml', 'openbao_kms_systemd')
const playbook = validator(fileSchema('playbook', docs, [systemd]))
const tasks = validator(fileSchema('tasks', docs, []))
const inventory = validator(fileSchema('inventory', docs, []))
const role = validator(roleSchema(systemd))
const given = (vars: object): object => [{ hosts: 'all', roles: [{ role: 'openbao_kms_systemd', vars }] }]

function shipped(): readonly string[] {
  const entries = (folder: string): readonly string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  return [
    ...entries('playbooks').filter((file) => file.endsWith('.yml')),
    ...entries('roles').filter((file) => /(tasks|handlers)\/[^/]*\.yml$/.test(file)),
    ...entries('roles').filter((file) => file.endsWith('/access.yml')),
    'inventories/example/hosts.yml',
  ]
}

const header = /^# yaml-language-server: \$schema=(\S+)\n/

describe('shipped files name the schema that they are of, and are of it', () => {
  const files = shipped()
  test('there are some of each', () => {
    expect(files.length).toBeGreaterThan(4)
  })
  test.each(files)('%s', (file) => {
    const text = readFileSync(file, 'utf8')
    const [, named = ''] = header.exec(text) ?? []
    const schema = resolve(dirname(file), named)
    expect(existsSync(schema), `the header line of ${file}`).toBe(true)
    const json: unknown = JSON.parse(readFileSync(schema, 'utf8'))
    expect(validator(z.looseObject({}).parse(json))(parse(text))).toBe(true)
  })
})

describe('examples of modules are tasks, and their arguments are those of the module', () => {
  const examples = docs.flatMap((doc) =>
    doc.examples.map((example, index) => [doc.name, index + 1, example] as const),
  )
  test.each(examples)('%s, example %i', (_, __, example) => {
    const written = z.array(z.record(z.string(), z.unknown())).parse(parse(example))
    expect(tasks(written)).toBe(true)
    for (const task of written) {
      for (const doc of docs) {
        if (!(doc.name in task)) continue
        expect(validator(argumentsSchema(doc))(task[doc.name])).toBe(true)
        const misspelt = { ...z.looseObject({}).parse(task[doc.name]), misspelt: 1 }
        expect(validator(argumentsSchema(doc))(misspelt)).toBe(false)
        expect(tasks([{ ...task, [doc.name]: misspelt }])).toBe(false)
      }
    }
  })
})

const task = { name: 'x', directory: { path: '/x', owner: 'root', group: 'root', mode: '0755' } }

test.each<[what: string, schema: (value: unknown) => boolean, value: unknown, right: boolean]>([
  ['a play', playbook, [{ hosts: 'all', tasks: [task] }], true],
  ['a misspelt key of a play', playbook, [{ hosts: 'all', taks: [task] }], false],
  ['a misspelt key of a task', playbook, [{ hosts: 'all', tasks: [{ ...task, wen: 'x' }] }], false],
  [
    'a misspelt module',
    playbook,
    [{ hosts: 'all', tasks: [{ name: 'x', directry: task.directory }] }],
    false,
  ],
  ['two modules', tasks, [{ ...task, absent: { path: '/y' } }], false],
  ['no module', tasks, [{ name: 'x' }], false],
  ['a task in a block', tasks, [{ block: [task], when: 'a' }], true],
  ['a misspelt module in a block', tasks, [{ block: [{ directry: {} }] }], false],
  ['an import', tasks, [{ import_tasks: 'more.ts' }], true],
  ['a template for a list', tasks, [{ command: { argv: '{{ argv }}', always: true } }], true],
  ['a text for a list', tasks, [{ command: { argv: 'ls -l', always: true } }], false],
  [
    'an inventory',
    inventory,
    { all: { hosts: { h: { cluster: 'c' } }, children: { g: { hosts: { h: null } } } } },
    true,
  ],
  ['arguments of a role', playbook, given({ openbao_kms_uid: 931, openbao_kms_user: '{{ user }}' }), true],
  ['a misspelt argument of a role', playbook, given({ openbao_kms_uidd: 931 }), false],
  ['an argument of another type', playbook, given({ openbao_kms_uid: 'x' }), false],
  ['none of several choices', role, { openbao_kms_provider_source: 'rpm' }, false],
  ['a secret by its name', role, { openbao_kms_identity_jwt: '{{ token }}' }, true],
  ['a secret as text', role, { openbao_kms_identity_jwt: 'hunter2' }, false],
  ['a dictionary that lacks a key', role, { openbao_kms_socket_members: [{ user: 'a' }] }, false],
  ['another role', playbook, [{ hosts: 'all', roles: ['mine', { role: 'mine', vars: { x: 1 } }] }], true],
  ['a misspelt key of a group', inventory, { all: { host: { h: null } } }, false],
])('%s', (_, schema, value, right) => {
  expect(schema(value)).toBe(right)
})
