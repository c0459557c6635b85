import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import type { Module } from '../../src/modules/define.ts'
import { modules, shipped } from '../../src/modules/registry.ts'
import type { Resource } from '../../src/model/resource.ts'
import { Digest, Secret } from '../../src/model/secret.ts'
import { known } from '../../src/model/value.ts'
import { directory, file, group, planAll, unit, user } from '../resources/world.ts'
import { context } from './context.ts'
import { tarball } from './tarball.ts'

const folder = fileURLToPath(new URL('../../src/modules', import.meta.url))
const all = [...modules]

test('every folder is a registered module, by its own name, in order', () => {
  const folders = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('_'),
  )
  expect(Object.keys(shipped), 'keys of `shipped` in the registry').toEqual([...modules.keys()])
  expect([...modules.keys()]).toEqual(folders.map(({ name }) => name).toSorted())
  expect(all.map(([, module]) => module.name)).toEqual([...modules.keys()])
})

test.each(all)('%s says what it is for', (_, module) => {
  expect(module.summary).toMatch(/^[A-Z][^\n]{10,100}[^.\n]$/)
  expect(module.description.length).toBeGreaterThan(80)
  expect(module.examples.length).toBeGreaterThan(0)
})

test.each(all)('the arguments of %s can be printed as a schema', (_, module) => {
  expect(z.toJSONSchema(module.args, { io: 'input', unrepresentable: 'any' })).toMatchObject({
    type: 'object',
    additionalProperties: false,
  })
})

const release = tarball([['top/bin/bao-kms-provider', 'program']])
const digest = Digest.of(release).reveal()
const files = {
  './bao-kms-provider_v1_systemd_linux_amd64.tar.gz': release,
  './checksums.txt': Buffer.from(`${digest}  bao-kms-provider_v1_systemd_linux_amd64.tar.gz\n`),
}

const Tasks = z.array(z.record(z.string(), z.unknown()))

/** A bare `{{ name }}` as content is a secret, as in a play. */
function sealed(args: unknown): unknown {
  if (typeof args !== 'object' || args === null || !('content' in args)) return args
  const bare = typeof args.content === 'string' && /^\{\{ \w+ \}\}$/.test(args.content)
  return bare ? { ...args, content: new Secret('example', new Uint8Array(0)) } : args
}

/** The resources that an example's tasks make, in order. */
function resourcesOf(example: string): readonly Resource[] {
  return Tasks.parse(parse(example)).flatMap((task) => {
    const { name, ...rest } = task
    expect(name).toMatch(/^[A-Z]/)
    const [[key, args] = ['', undefined], ...more] = Object.entries(rest)
    expect(more).toEqual([])
    const module: Module | undefined = modules.get(key)
    if (module === undefined) throw new Error(`an example uses the module ${key}, which does not exist`)
    const pinned = key === 'bundle' && typeof args === 'object' ? { ...args, sha256: digest } : args
    return module.resources(
      module.args.parse(sealed(pinned)),
      context({ files, template: 'a: 1\n', secretsOpened: false }),
    )
  })
}

/** What the example of `encryption_config` must agree with. */
const providerText = `server: { socketPath: /run/openbao-kms/kms.sock }
transit: { keyIdScope: { providerName: openbao-kms-workload-a } }
`

/** That of the example of `program`. */
const pin = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

const examples = all.flatMap(([name, module]) =>
  module.examples.map((example, index) => [name, index + 1, example] as const),
)

test.each(examples)('%s: example %i is parsed and planned', (_, __, example) => {
  const accounts = {
    users: { 'openbao-kms': user(998), 'kube-apiserver': user(997) },
    groups: { 'openbao-kms': group(998) },
    units: { 'bao-kms-provider.service': unit({ active: 'inactive' }) },
    paths: {
      '/etc/shadow': file({ mode: 0o640 }),
      '/opt': directory(),
      '/etc/openbao-kms/client': directory(),
      '/etc/openbao-kms/pkcs11': directory(),
      '/etc/openbao-kms/pkcs11/pin': file({ mode: 0o600 }),
      '/var/lib/openbao-kms': directory(),
      '/var/lib/openbao-kms/state/key-registry.json': file({ mode: 0o640 }),
      '/var/lib/openbao-kms/state/key-registry.json.checkpoint': file({ mode: 0o640 }),
      '/etc/provider.yaml': file({ bytes: new Secret('provider', Buffer.from(providerText)) }),
      '/usr/bin/bao-kms-provider': file({
        mode: 0o755,
        package: null,
        content: known(new Digest(pin, false)),
      }),
    },
  }
  const planned = planAll(accounts, ...resourcesOf(example))
  expect(planned.length).toBeGreaterThan(0)
  for (const one of planned) {
    expect(one.is === 'refused' ? one.problem.message : one.is).toMatch(/^(same|change|unmet|pending)$/)
  }
})

test('npm run new-module makes a module of the template, which lacks only its line in the registry', () => {
  const made = mkdtempSync(join(tmpdir(), 'kmsfleet-modules-'))
  const script = fileURLToPath(new URL('../../scripts/new-module.mjs', import.meta.url))
  const run = (name: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [script, name, made], { encoding: 'utf8' })
  try {
    expect(run('two_words')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('two_words: twoWords,') as string,
    })
    const text = readFileSync(join(made, 'two_words/index.ts'), 'utf8')
    expect(text).toMatch(/export const twoWords = defineModule\(\{\n {2}name: 'two_words',/)
    expect(text).not.toMatch(/NAME/)
    expect(run('two_words').status).toBe(1)
    expect(run('Two-Words').status).toBe(1)
  } finally {
    rmSync(made, { recursive: true })
  }
})
