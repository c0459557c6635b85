import { expect, test } from 'vitest'
import { resolveRules } from '../../src/access/resolve.ts'
import type { Matrix, MatrixRule, Target } from '../../src/model/access.ts'
import { snapshotWith, text } from './snapshot.ts'

const file = '/etc/kms.yaml'
const rule = (target: Target): MatrixRule => ({
  ...{ actor: 'kms', action: 'read', must: true, target, because: 'b', source: 's' },
  place: { file: 'access.yml', line: 1, column: 1 },
})
const matrix: Matrix = {
  actors: new Map(),
  rules: [rule({ is: 'named', file, keys: ['auth.jwt', 'auth.pin'] })],
  ...{ kmsSockets: [], leftBehind: [], outside: [] },
}

test.each<readonly [string, string, readonly string[], readonly string[]]>([
  ['two paths', '{auth: {jwt: /a/b, pin: /c}}', ['/a/b', '/c'], []],
  ['a key that is not there', '{auth: {jwt: /a}}', ['/a'], []],
  ['keys without a value', '{auth: {jwt: , pin: ""}}', [], []],
  ['no such part at all', '{}', [], []],
  [
    'a relative path',
    '{auth: {jwt: /a, pin: b/c}}',
    ['/a'],
    ['auth.pin is no absolute path in its shortest form'],
  ],
  ['dots', '{auth: {jwt: /a/../b}}', [], ['auth.jwt is no absolute path in its shortest form']],
  ['two slashes', '{auth: {jwt: /a//b}}', [], ['auth.jwt is no absolute path in its shortest form']],
  ['a line break', '{auth: {jwt: "/a\\nb"}}', [], ['auth.jwt is no absolute path in its shortest form']],
  ['a list', '{auth: {jwt: [/a]}}', [], ['auth.jwt is no absolute path in its shortest form']],
  [
    'two that are none',
    '{auth: {jwt: 1, pin: true}}',
    [],
    ['auth.jwt is no absolute path in its shortest form; auth.pin is no absolute path in its shortest form'],
  ],
])('what a configuration names: %s', (_, content, paths, findings) => {
  const { rules, checks } = resolveRules(matrix, snapshotWith({ paths: new Map([[file, text(content)]]) }))
  expect(rules.map(({ object }) => object)).toEqual(paths)
  expect(checks.map(({ verdict, finding }) => `${verdict}: ${finding}`)).toEqual(
    findings.map((each) => `unknown: ${each}`),
  )
})
