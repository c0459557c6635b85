import { expect, test } from 'vitest'
import type { TestState } from '../../src/model/facts.ts'
import { Digest } from '../../src/model/secret.ts'
import { known } from '../../src/model/value.ts'
import { program } from '../../src/modules/program/index.ts'
import { file, link, planAll, type Paths } from '../resources/world.ts'
import { context } from './context.ts'

const path = '/usr/bin/provider'
const bytes = Buffer.from('program')
const right = Digest.of(bytes).reveal()
const other = 'f'.repeat(64)
const installed = file({ mode: 0o755, size: bytes.length, content: known(Digest.of(bytes)) })

function planned(args: object, at: Paths[string], answer?: TestState): string {
  const resources = program.resources(program.args.parse({ path, ...args }), context())
  const tests = Object.fromEntries(
    resources.flatMap(({ atoms }) =>
      atoms.flatMap((atom) => (atom.atom === 'prints' && answer !== undefined ? [[atom.key, answer]] : [])),
    ),
  )
  const [one] = planAll({ paths: { [path]: at }, tests }, ...resources)
  return one?.is === 'refused' ? `${one.problem.code}: ${one.problem.message}` : (one?.is ?? '')
}

test.each<[what: string, args: object, at: Paths[string], answer: TestState | undefined, expected: string]>([
  ['the right digest', { sha256: right }, installed, undefined, 'same'],
  ['the right digest of two', { sha256: { amd64: right, arm64: other } }, installed, undefined, 'same'],
  [
    'another digest',
    { sha256: other },
    installed,
    undefined,
    `resource.program: expected ${path} with SHA-256 ${other}, found ${right}`,
  ],
  [
    'none for the machine',
    { sha256: { arm64: right } },
    installed,
    undefined,
    'resource.machine: expected `sha256` for x86_64, found one for arm64 only',
  ],
  [
    'nothing there',
    { sha256: right },
    null,
    undefined,
    `resource.program: expected ${path} to be installed, found nothing there`,
  ],
  [
    'a link',
    { version: 'v1' },
    link('/opt/x'),
    { answer: 'yes' },
    `resource.wrong-type: expected ${path} to be a regular file, found a symbolic link to /opt/x`,
  ],
  ['the right version', { version: 'v1' }, installed, { answer: 'yes' }, 'same'],
  [
    'another version',
    { version: 'v1' },
    installed,
    { answer: 'no', detail: 'it prints: version v2' },
    `resource.program: expected ${path} of version v1, found it prints: version v2`,
  ],
  [
    'a version that nobody can ask for',
    { version: 'v1' },
    installed,
    { answer: 'unknown', detail: 'no tool' },
    `resource.program: expected ${path} of version v1, found no tool`,
  ],
])('%s', (_, args, at, answer, expected) => {
  expect(planned(args, at, answer)).toBe(expected)
})
