import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { kmsfleet, project, type Ended } from './kmsfleet.ts'

const examples = fileURLToPath(new URL('../../docs/examples', import.meta.url))

/** The project of docs/modules-of-your-own.md, which names nothing of this repository. */
const stranger = project({ 'trusted/x': '', 'untrusted/x': '' })
const trusted = stranger('trusted')
const untrusted = stranger('untrusted')
const state = { KMSFLEET_STATE_DIR: stranger('state') }

const run = (...argv: readonly string[]): Promise<Ended> => kmsfleet(argv, state)

async function trust(folder: string): Promise<Ended> {
  const { stdout } = await run('trust-project', folder)
  const [, digest = ''] = /digest of all: (\w+)/.exec(stdout) ?? []
  return run('trust-project', folder, '--digest', digest)
}

beforeAll(async () => {
  for (const folder of [trusted, untrusted]) cpSync(examples, folder, { recursive: true })
  expect(await trust(trusted)).toMatchObject({ code: 0, stderr: '' })
})

describe("a project's own modules", () => {
  test.concurrent('are listed with the shipped ones, once the project is trusted', async () => {
    const [known, unknown] = await Promise.all([
      run('doc', '--playbook-dir', trusted),
      run('doc', '--playbook-dir', untrusted),
    ])
    expect(known).toMatchObject({ code: 0, stderr: '' })
    expect(known.stdout).toMatch(/^directory +A directory/m)
    expect(known.stdout).toMatch(/^banner +A text that is shown before a login$/m)
    expect(known.stdout).toMatch(/^checked_link +A symbolic link to something that exists$/m)
    expect(unknown.stdout).not.toMatch(/banner/)
    expect(unknown.stderr).toMatch(/not looked into .*banner\/index\.ts: the project is not trusted/)
  })

  test.concurrent('are explained with their arguments', async () => {
    const [known, unknown] = await Promise.all([
      run('doc', 'banner', '--playbook-dir', trusted),
      run('doc', 'banner', '--playbook-dir', untrusted),
    ])
    expect(known.stdout).toMatch(/text {2}text, required\n(.|\n)*file {2}text, default "\/etc\/issue"/)
    expect(unknown).toMatchObject({ code: 1, stdout: '' })
    expect(unknown.stderr).toMatch(/project\.untrusted/)
  })

  test.concurrent('are planned as the shipped ones are, from YAML and from code', async () => {
    const planned = await run(
      'plan',
      join(trusted, 'site.yml'),
      '-i',
      join(trusted, 'hosts.yml'),
      '-c',
      'local',
    )
    expect(planned.stdout).toMatch(/ file:\/etc\/issue {2}Who looks after the host$/m)
    expect(planned.stdout).toMatch(/ file:\/etc\/issue\.net {2}Which cluster it is$/m)
    // Its own kind refuses what the host has not.
    expect(planned.stdout).toMatch(
      /checked_link:\/opt\/current .*refused\)\n.*expected \/opt\/release-1 to exist/,
    )
  })

  test.concurrent('are known to validate, which runs none of them', async () => {
    const at = ['-i', join(untrusted, 'hosts.yml')]
    const valid = await run('validate', join(untrusted, 'site.yml'), ...at)
    expect(valid).toMatchObject({ code: 0 })
    expect(valid.stderr).toMatch(/not looked into .*modules\/banner\/index\.ts \(tasks of this module\)/)
    expect(valid.stderr).toMatch(/not looked into .*more\.ts \(its tasks\)/)
  })
})

const mistakes: readonly (readonly [what: string, code: string, args: string, says: RegExp])[] = [
  [
    'exports nothing of its name',
    'export const a = 1\n',
    '{}',
    /exported module named `m\d`.*\n  at .*index\.ts:1:1/,
  ],
  [
    'lacks a part',
    "export const m = { name: 'mX', summary: 's', description: 'd', args: 1, examples: [], mayBeUnknown: [], resources: () => [] }\n",
    '{}',
    /mistake in its `args`: expected a schema made with `z`/,
  ],
  [
    'throws where resources are made',
    "import { defineModule, z } from 'kmsfleet'\nexport const m = defineModule({ name: 'mX', summary: 's', description: 'd', args: z.strictObject({ path: z.string() }), examples: [], mayBeUnknown: [],\n  resources: () => {\n    throw new Error('no such thing')\n  } })\n",
    '{ path: x }',
    /project\.failed.*no such thing\n  at .*index\.ts:4:11/,
  ],
  [
    'is given a misspelt argument',
    "import { defineModule, z } from 'kmsfleet'\nexport const m = defineModule({ name: 'mX', summary: 's', description: 'd', args: z.strictObject({ path: z.string() }), examples: [], mayBeUnknown: [], resources: () => [] })\n",
    '{ paht: x }',
    /found `paht`\n.*site\d\.yml:3:\d+\n.*did you mean `path`/,
  ],
]

describe('a module is told what is wrong when it', () => {
  const broken = project({ 'hosts.yml': 'all:\n  vars: { cluster: c1 }\n  hosts: { h1: {} }\n' })

  beforeAll(async () => {
    for (const [index, [, code, args]] of mistakes.entries()) {
      const name = `m${String(index)}`
      mkdirSync(broken(`modules/${name}`), { recursive: true })
      writeFileSync(broken(`modules/${name}/index.ts`), code.replace('mX', name))
      writeFileSync(broken(`site${String(index)}.yml`), `- hosts: all\n  tasks:\n    - ${name}: ${args}\n`)
    }
    await trust(broken(''))
  })

  test.concurrent.each(mistakes.map(([what, , , says], index) => [what, index, says] as const))(
    '%s',
    async (_, index, says) => {
      const playbook = broken(`site${String(index)}.yml`)
      const ended = await run('plan', playbook, '-i', broken('hosts.yml'), '-c', 'local')
      expect(ended.stderr).toMatch(says)
      expect(ended).toMatchObject({ code: 1, stdout: '' })
    },
  )

  test('takes the name of a shipped one', async () => {
    mkdirSync(broken('modules/copy'))
    writeFileSync(broken('modules/copy/index.ts'), '')
    const ended = await run('validate', broken('site0.yml'), '-i', broken('hosts.yml'))
    expect(ended.stderr).toMatch(/playbook\.duplicate.*`copy`, which is a module of kmsfleet/)
  })
})

test('schema has the modules of a trusted project, and runs none of another', async () => {
  const [playbook, module, other] = await Promise.all([
    run('schema', 'playbook', '--playbook-dir', trusted),
    run('schema', 'banner', '--playbook-dir', trusted),
    run('schema', 'banner', '--playbook-dir', untrusted),
  ])
  expect(JSON.parse(playbook.stdout)).toHaveProperty(['definitions', 'module.banner', 'properties'])
  expect(JSON.parse(module.stdout)).toHaveProperty('title', 'banner')
  expect(other).toMatchObject({ code: 1, stdout: '' })
})

test('a module that does not load takes the documentation of no other away, and is looked into again', async () => {
  const module = (name: string, head: string): string => `import { defineModule, z } from 'kmsfleet'
${head}
export const ${name} = defineModule({
  name: '${name}',
  summary: 'What ${name} is for',
  description: 'Nothing.',
  args: z.strictObject({}),
  examples: ['- ${name}: {}'],
  mayBeUnknown: [],
  resources: () => [],
})
`
  const files = project({
    'modules/needy/index.ts': module(
      'needy',
      "import { readFileSync } from 'node:fs'\nreadFileSync(new URL('./data.txt', import.meta.url))",
    ),
    'modules/plain/index.ts': module('plain', ''),
  })
  const own = { KMSFLEET_STATE_DIR: files('state') }
  const at = ['--playbook-dir', files('')]
  const shown = await kmsfleet(['trust-project', files('')], own)
  const [, digest = ''] = /digest of all: (\w+)/.exec(shown.stdout) ?? []
  const half = await kmsfleet(['trust-project', files(''), '--digest', digest], own)
  expect(half.stdout).toMatch(/^trusted /m)
  expect(half).toMatchObject({ code: 1, stderr: expect.stringMatching(/needy\/index\.ts:3:1/) as string })
  const doc = await kmsfleet(['doc', ...at], own)
  expect(doc.stdout).toMatch(/^plain +What plain is for$/m)
  expect(doc.stderr).toMatch(/not looked into .*needy\/index\.ts: it did not load .*kmsfleet trust-project/)

  writeFileSync(files('modules/needy/data.txt'), '')
  const whole = await kmsfleet(['trust-project', files('')], own)
  expect(whole).toMatchObject({ code: 0, stderr: '' })
  expect(whole.stdout).toMatch(/already trusted as it is/)
  const now = await kmsfleet(['doc', ...at], own)
  expect(now.stdout).toMatch(/^needy +What needy is for$/m)
  expect(now.stderr).toBe('')
})
