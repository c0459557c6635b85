import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { prepareRun } from '../../src/converge/run.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { modules } from '../../src/modules/registry.ts'
import { parseExtraVars } from '../../src/playbook/extra-vars.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const declared = `summary: A role
arguments:
  name: {required: true, description: Of what}
  port: {type: int, default: 80}
  kind: {choices: [a, b], default: a}
  where: {type: path}
  flag: {type: bool}
  token: {type: secret}
  any: {type: raw, required_when: kind == 'b'}
  list: {type: list, elements: int}
  members:
    type: list
    elements: dict
    options:
      user: {required: true}
      age: {type: int}
`

interface Given {
  readonly files?: Readonly<Record<string, string>>
  /** Variables of the host, a line each. */
  readonly host?: string
  /** Keywords of the play, a line each. */
  readonly play?: string
  readonly extra?: readonly string[]
}

/** What is wrong before any contact, with files below the folder. */
function problems({ files = {}, host = '', play = 'roles: [r]', extra = [] }: Given): readonly string[] {
  const lines = (text: string, by: string): string => text.replaceAll(/^(?=.)/gm, by)
  const folder = folderWith({
    'site.yml': `- hosts: all\n${lines(play, '  ')}\n`,
    'hosts.yml': `all:\n  hosts:\n    h1:\n      cluster: c1\n${lines(host, '      ')}\n    h2: {cluster: c1, name: two}\n`,
    'roles/r/meta/arguments.yml': declared,
    'roles/r/tasks/main.yml':
      '- assert: {that: ["port > 0"]}\n- assert: {that: ["name != undefined_too"]}\n  when: false\n',
    ...files,
  })
  return problemsOf(() => {
    const extraVars = parseExtraVars(extra)
    prepareRun({
      command: 'plan',
      playbook: loadPlaybook(join(folder, 'site.yml'), { modules: new Set(modules.keys()) }),
      inventory: loadInventory(join(folder, 'hosts.yml'), { extraVars }),
      tags: [],
      extraVars,
      diff: false,
    })
  }, folder)
}

const at = (argument: string): string =>
  `the argument \`${argument}\` of the role \`r\` (declared at DIR/roles/r/meta/arguments.yml:`

describe('what a role is given', () => {
  test.each<[string, Given, readonly string[]]>([
    [
      'nothing that is required',
      {},
      [
        `roles/r/tasks/main.yml:1:3 module.arguments expected a value for ${at('name')}3:9), found none for h1`,
      ],
    ],
    ['all that is required', { host: 'name: x' }, []],
    [
      'nothing where its condition holds',
      { host: 'name: x\nkind: b' },
      [
        `roles/r/tasks/main.yml:1:3 module.arguments expected a value for ${at('any')}9:8), found none for h1 | set \`any\` in the inventory`,
      ],
    ],
    ['a value where its condition holds', { host: 'name: x\nkind: b\nany: 1' }, []],
    [
      'where only the host knows whether it is required',
      { host: "name: x\nkind: \"{{ 'b' if host.group('g').gid == 1 else 'a' }}\"" },
      [],
    ],
    [
      'text for a number, in the inventory',
      { host: 'name: x\nport: "80"' },
      [`hosts.yml:6:7 module.arguments expected a whole number for ${at('port')}4:9), found the text "80"`],
    ],
    [
      'by the command line',
      { host: 'name: x', extra: ['port=x'] },
      [`--extra-vars:1:1 module.arguments expected a whole number for ${at('port')}`],
    ],
    [
      'by the play',
      { host: 'name: x', play: 'vars: {kind: c}\nroles: [r]' },
      [`site.yml:2:16 module.arguments expected "a" or "b" for ${at('kind')}5:9), found the text "c"`],
    ],
    [
      'by the entry',
      { play: 'roles: [{role: r, vars: {name: x, flag: 1}}]' },
      [`site.yml:2:43 module.arguments expected true or false for ${at('flag')}7:9), found the number 1`],
    ],
    [
      'by an import',
      { play: 'tasks: [{import_role: {name: r}, vars: {name: x, where: y}}]' },
      [`site.yml:2:59 module.arguments expected an absolute path for ${at('where')}`],
    ],
    ['a template of the right type', { host: 'name: x\nhalf: 40\nport: "{{ half * 2 }}"' }, []],
    [
      'a template of another type',
      { host: 'name: x\nport: "{{ name }}"' },
      [`hosts.yml:6:7 module.arguments expected a whole number for ${at('port')}4:9), found the text "x"`],
    ],
    ['what only the host knows', { host: 'name: x\nport: "{{ host.group(\'g\').gid }}"' }, []],
    [
      'text for a secret',
      { host: 'name: x\ntoken: hunter2' },
      [`hosts.yml:6:7 module.arguments expected a secret of the play for ${at('token')}`],
    ],
    ['a secret', { host: 'name: x', play: 'secrets: {token: {file: x}}\nroles: [r]' }, []],
    [
      'elements of another type',
      { host: 'name: x\nlist: [1, two]' },
      [`hosts.yml:6:7 module.arguments expected a whole number for ${at('list[1]')}`],
    ],
    [
      'dictionaries in a list',
      { host: 'name: x\nmembers: [{user: a, age: 1}, {age: x, usr: b}]' },
      [
        `hosts.yml:6:7 module.arguments expected keys user, age for ${at('members[1]')}`,
        `hosts.yml:6:7 module.arguments expected text for ${at('members[1].user')}`,
        `hosts.yml:6:7 module.arguments expected a whole number for ${at('members[1].age')}`,
      ],
    ],
    [
      'nothing, where the role is not used',
      { play: 'roles: [{role: r, when: "inventory_hostname == \'h2\'"}]' },
      [],
    ],
    [
      'another value on another host',
      { host: 'name: x', files: { 'host_vars/h2.yml': 'port: x\n' } },
      [
        `host_vars/h2.yml:1:1 module.arguments expected a whole number for ${at('port')}4:9), found the text "x"`,
      ],
    ],
    [
      'another value at its second use',
      {
        host: 'name: x',
        play: `tasks:
  - {block: [{import_role: {name: r}}], vars: {port: 1}}
  - {block: [{import_role: {name: r}}], vars: {port: y}}`,
      },
      [`site.yml:4:56 module.arguments expected a whole number for ${at('port')}4:9), found the text "y"`],
    ],
    [
      'what one of its own tasks calls by that name',
      {
        host: 'name: x',
        files: { 'roles/r/tasks/main.yml': '- assert: {that: ["port != 0"]}\n  vars: {port: own}\n' },
      },
      [],
    ],
    [
      'a parameter of the role that imports it',
      {
        files: { 'roles/a/tasks/main.yml': '- import_role: {name: r}\n' },
        play: 'roles: [{role: a, vars: {name: x, port: z}}]',
      },
      [`site.yml:2:43 module.arguments expected a whole number for ${at('port')}4:9), found the text "z"`],
    ],
    [
      'a default of the role that imports it, which it does not see',
      {
        files: {
          'roles/a/defaults/main.yml': 'own: x\n',
          'roles/a/tasks/main.yml': '- import_role: {name: r}\n  vars: {name: "{{ own }}"}\n',
        },
        play: 'roles: [a]',
      },
      ['roles/a/tasks/main.yml:2:16 template.undefined'],
    ],
    [
      'what it does not declare',
      { host: 'name: x', play: 'roles: [{role: r, vars: {prot: 1}}]' },
      [
        'site.yml:2:34 playbook.invalid expected an argument of the role `r`, found `prot` | did you mean `port`?',
      ],
    ],
  ])('%s', (_, given, expected) => {
    const found = problems(given)
    expect(found.map((line, index) => line.slice(0, expected[index]?.length ?? 200))).toEqual(expected)
    expect(found.join()).not.toContain('hunter2')
  })
})

describe('declarations that are refused', () => {
  const file = 'roles/r/meta/arguments.yml'
  test.each<[string, string, readonly string[]]>([
    ['an unknown type', '{x: {type: string}}', ['1:23 document.invalid expected "str" or "int"']],
    [
      'an unknown key',
      '{x: {typ: str}}',
      ['1:17 document.unknown-key expected a known key, found `typ` | did you mean `type`?'],
    ],
    [
      'a default of what is required',
      '{x: {required: true, default: 1}}',
      [
        '1:33 playbook.invalid expected no default for what is required',
        '1:42 playbook.invalid expected text as default of `x`',
      ],
    ],
    [
      'a default of another type',
      '{x: {type: int, default: "1"}}',
      ['1:37 playbook.invalid expected a whole number as default of `x`, found the text "1"'],
    ],
    [
      'a default that is no choice',
      '{x: {choices: [a], default: b}}',
      ['1:40 playbook.invalid expected "a" as default of `x`'],
    ],
    ['elements of text', '{x: {elements: str}}', ['1:17 playbook.invalid expected elements of a list only']],
    [
      'options of a list of text',
      '{x: {type: list, elements: str, options: {y: {}}}}',
      ['1:44 playbook.invalid expected options of a dictionary'],
    ],
    [
      'choices of a list',
      '{x: {type: list, choices: [a]}}',
      ['1:29 playbook.invalid expected choices of str or int only'],
    ],
    [
      'a default within',
      '{x: {type: dict, options: {y: {default: 1}}}}',
      ['1:43 playbook.invalid expected no default within a dictionary'],
    ],
    ['a reserved name', '{cluster: {}}', ['1:13 variable.name']],
  ])('%s', (_, list, expected) => {
    const files = { [file]: `arguments: ${list}\n`, 'roles/r/tasks/main.yml': '' }
    const found = problems({ files }).map((line) => line.replace(`${file}:`, ''))
    expect(found.map((line, index) => line.slice(0, expected[index]?.length ?? 120))).toEqual(expected)
  })

  test('a default in two places, or of what is required', () => {
    const files = { 'roles/r/defaults/main.yml': 'name: x\nport: 1\nown: 1\n' }
    expect(problems({ files })).toEqual([
      `roles/r/defaults/main.yml:1:7 playbook.duplicate expected one default at most, found one for \`name\`, which DIR/${file}:3:9 says is required`,
      `roles/r/defaults/main.yml:2:7 playbook.duplicate expected one default at most, found \`port\` again after DIR/${file}:4:30`,
    ])
  })
})
