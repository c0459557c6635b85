import { expect, test } from 'vitest'
import { resolveRules } from '../../src/access/resolve.ts'
import type { MatrixRule } from '../../src/model/access.ts'
import { snapshotWith } from './snapshot.ts'

const rule = (because: string, excuse?: string): MatrixRule => ({
  ...{ actor: 'api', action: 'read', must: false, because, source: 's' },
  target: { is: 'path', path: '/x' },
  place: { file: 'access.yml', line: 1, column: 1 },
  ...(excuse === undefined ? {} : { notEnforceable: excuse }),
})

test.each([
  ['the first of two', [rule('a'), rule('b')], [['a', undefined]]],
  ['not the one with an excuse, first', [rule('a', 'root'), rule('b')], [['b', undefined]]],
  ['nor last', [rule('a'), rule('b', 'root')], [['a', undefined]]],
  ['the first of two excuses', [rule('a', 'root'), rule('b', 'k3s')], [['a', 'root']]],
] as const)('of rules that ask for the same, %s counts', (_, rules, expected) => {
  const matrix = { actors: new Map(), rules, kmsSockets: [], leftBehind: [], outside: [] }
  const found = resolveRules(matrix, snapshotWith()).rules
  expect(found.map(({ because, notEnforceable }) => [because, notEnforceable])).toEqual(expected)
})
