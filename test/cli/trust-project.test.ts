import { existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { kmsfleet, project, type Ended } from './kmsfleet.ts'

const files = project({
  'hosts.yml': 'all:\n  vars: { cluster: c1, motd: hello }\n  hosts: { h1: {} }\n',
  'site.yml': '- hosts: all\n  tasks: [{ import_tasks: tasks.ts }]\n',
  'tasks.ts': `import { writeFileSync } from 'node:fs'
import { defineTasks, tasks } from 'kmsfleet'
import { name } from './lib.ts'

interface Variables {
  readonly motd: string
}

writeFileSync(new URL('./ran', import.meta.url), '')
export default defineTasks<Variables>((vars) => [
  tasks.assert(name, { that: [\`\${vars.motd.expression} == 'hello'\`] }),
])
`,
  'lib.ts': "export const name = 'Greeting'\n",
})
const at = ['-i', files('hosts.yml')]
const local = [...at, '-c', 'local']
const state = { KMSFLEET_STATE_DIR: files('state') }

/** Trusts a project as a build does that knows the digest. */
async function trust(folder: string): Promise<Ended> {
  const { stdout } = await kmsfleet(['trust-project', folder], state)
  const [, digest = ''] = /digest of all: (\w+)/.exec(stdout) ?? []
  return kmsfleet(['trust-project', folder, '--digest', digest], state)
}

function ran(): boolean {
  return rmIfThere(files('ran'))
}

function rmIfThere(file: string): boolean {
  try {
    rmSync(file)
    return true
  } catch {
    return false
  }
}

test('code of a project runs once it is trusted as it is, and never in validate', async () => {
  const untrusted = await kmsfleet(['plan', files('site.yml'), ...local], state)
  expect(untrusted).toMatchObject({ code: 1, stdout: '' })
  expect(untrusted.stderr).toMatch(/project\.untrusted.*tasks\.ts\n.*kmsfleet trust-project/)

  const shown = await kmsfleet(['trust-project', files('')], state)
  expect(shown.code).toBe(1)
  expect(shown.stdout).toMatch(/[0-9a-f]{64} {2}lib\.ts\n.*[0-9a-f]{64} {2}tasks\.ts\n/)
  expect(shown.stderr).toMatch(/run\.no-terminal.*\n.*--digest SHA256/)

  const wrong = await kmsfleet(['trust-project', files(''), '--digest', 'a'.repeat(64)], state)
  expect(wrong).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/expected code with the digest aaa/) as string,
  })

  const trusted = await trust(files(''))
  expect(trusted).toMatchObject({ code: 0, stderr: '' })

  const valid = await kmsfleet(['validate', files('site.yml'), ...at], state)
  expect(valid).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/not looked into .*tasks\.ts/) as string,
  })
  expect(ran()).toBe(false)

  const planned = await kmsfleet(['plan', files('site.yml'), ...local], state)
  expect(planned).toMatchObject({ code: 0, stdout: expect.stringMatching(/1 unchanged/) as string })
  expect(ran()).toBe(true)

  writeFileSync(files('lib.ts'), "export const name = 'Salute'\n")
  const changed = await kmsfleet(['plan', files('site.yml'), ...local], state)
  expect(changed).toMatchObject({ code: 1, stdout: '' })
  expect(changed.stderr).toMatch(/project\.changed.*changed lib\.ts/)
  expect(ran()).toBe(false)
})

const imports = "import { defineTasks, tasks } from 'kmsfleet'\n"

/** What each mistake is, the code, and what is said of it. */
const mistakes: readonly (readonly [what: string, code: string, says: RegExp])[] = [
  [
    'thrown',
    `${imports}export default defineTasks(() => {\n  throw new Error('no such thing')\n})\n`,
    /found no such thing\n  at .*code\.ts:3:9\n$/,
  ],
  ['a mistake of the language', 'const a: = 1\n', /Unexpected "="\n  at .*code\.ts:1:10\n$/],
  [
    'a name that is not exported',
    "import { nothing } from 'kmsfleet'\nexport default nothing\n",
    /export named 'nothing'\n  at .*code\.ts:1:1\n$/,
  ],
  ['a file that is missing', "import './nothing.ts'\n", /nothing\.ts.*\n  at .*code\.ts:1:1\n$/],
  ['no tasks', 'export const a = 1\n', /export default defineTasks.*\n  at .*code\.ts:1:1\n/],
  [
    'a value that is not known',
    `${imports}export default defineTasks<{ n: number }>((vars) => [\n  tasks.assert(String(1 + Number(vars.n)), { that: [] }),\n])\n`,
    /known here, found `n`.*\n  at .*code\.ts:3:\d+\n$/,
  ],
  [
    'a wrong argument',
    `${imports}export default defineTasks(() => [\n  tasks.directory('D', { path: 'x', owner: 'root', group: 'root', mode: '0755' }),\n])\n`,
    /absolute path.*for `path`, found the text "x"\n  at .*code\.ts:3:9\n$/,
  ],
]

describe('what goes wrong in code is told with its place and without a stack of ours', () => {
  const broken = project({
    'hosts.yml': 'all:\n  vars: { cluster: c1 }\n  hosts: { h1: {} }\n',
    ...Object.fromEntries(
      mistakes.flatMap(([, code], index) => [
        [`${String(index)}/site.yml`, '- hosts: all\n  tasks: [{ import_tasks: code.ts }]\n'],
        [`${String(index)}/code.ts`, code],
      ]),
    ),
  })

  beforeAll(async () => {
    await trust(broken(''))
  })

  test.concurrent.each(mistakes.map(([what, , says], index) => [what, index, says] as const))(
    '%s',
    async (_, index, says) => {
      const playbook = broken(`${String(index)}/site.yml`)
      const ended = await kmsfleet(['plan', playbook, '-i', broken('hosts.yml'), '-c', 'local'], state)
      expect(ended.stderr).toMatch(says)
      expect(ended).toMatchObject({ code: 1, stdout: '' })
    },
  )
})

describe('what a trusted file imports from elsewhere', () => {
  const outer = project({
    'secret.ts': "export const name = 'Elsewhere'\n",
    'secret.cjs': "module.exports = { name: 'Elsewhere' }\n",
    'module/modules/far/index.ts': "import { far } from '../../../secret-module.ts'\nexport { far }\n",
    'secret-module.ts':
      "import { writeFileSync } from 'node:fs'\nwriteFileSync(new URL('./ran', import.meta.url), '')\nexport const far = 1\n",
    'in/hosts.yml': 'all:\n  vars: { cluster: c1 }\n  hosts: { h1: {} }\n',
    'in/site.yml': '- hosts: all\n  tasks: [{ import_tasks: tasks.ts }]\n',
    'in/tasks.ts': '',
  })
  const written = (line: string): string =>
    `import { defineTasks, tasks } from 'kmsfleet'\n${line}\nexport default defineTasks(() => [tasks.assert(name, { that: ['1 == 1'] })])\n`

  test.each([
    ['by a path', "import { name } from '../secret.ts'", 2, 22],
    ['by a link', "import { name } from './linked/secret.ts'", 2, 22],
    ['while it runs', "const { name } = await import('../secret.ts')", 2, 31],
    [
      'by require',
      "import { createRequire } from 'node:module'\nconst { name } = createRequire(import.meta.url)('../secret.cjs')",
      3,
      49,
    ],
  ])('%s does not run', async (_, line, row, column) => {
    writeFileSync(outer('in/tasks.ts'), written(line))
    if (!existsSync(outer('in/linked'))) symlinkSync(outer(''), outer('in/linked'))
    await trust(outer('in'))
    const run = await kmsfleet(
      ['plan', outer('in/site.yml'), '-i', outer('in/hosts.yml'), '-c', 'local'],
      state,
    )
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(
      /project\.untrusted.*expected an import within the trusted folder \S+\/in, found that `\S+` leads to \S+/,
    )
    expect(run.stderr).toContain(`tasks.ts:${String(row)}:${String(column)}`)
  })

  test('a module of the project does not run either, not even to be looked into', async () => {
    const ended = await trust(outer('module'))
    expect(ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/project\.untrusted.*within the trusted folder/) as string,
    })
    expect(existsSync(outer('ran'))).toBe(false)
  })
})
