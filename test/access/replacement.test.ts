import { describe, expect, test } from 'vitest'
import { firstAtoms } from '../../src/access/ask.ts'
import { ownGrant } from '../../src/access/evaluate/own-grant.ts'
import { evaluateReplacement } from '../../src/access/evaluate/replacement.ts'
import type { Rows } from '../../src/access/evaluate/walk.ts'
import { movableIn, replacementAttempt } from '../../src/access/replacement.ts'
import type { ActingIdentity, Attempt, Evaluation } from '../../src/model/access.ts'
import type { Fact, PathState } from '../../src/model/facts.ts'
import { acl, identity, kms, kmsGroup, kube, names, root, row, rowsOf } from './evaluate/rows.ts'

type Given = Readonly<Record<string, Fact<PathState>>>
const below = (v: number, o = 0o755, owner = root, more: Parameters<typeof row>[4] = {}): Given => ({
  '/v': row('directory', root, root, v, more),
  '/v/o': row('directory', owner, kmsGroup, o),
  '/v/o/c': row('file', root, root, 0o644),
})

describe('replacing what stands somewhere', () => {
  test.each<[string, ActingIdentity, Given, Evaluation['is']]>([
    ['a directory that everybody may write, further up', identity(kube), below(0o777), 'granted'],
    ['a sticky one', identity(kube), below(0o1777), 'denied'],
    ['a sticky one, whose entry is its own', identity(kms), below(0o1777, 0o500, kms), 'granted'],
    ['a read-only one', identity(kube), below(0o777, 0o755, root, { readOnlyMount: true }), 'denied'],
    ['all closed', identity(kube), below(0o755), 'denied'],
    ['only the directory itself', identity(kms), below(0o755, 0o755, kms), 'granted'],
    ['what it cannot even look into', identity(kube), below(0o777, 0o700), 'granted'],
    [
      'one whose ACL nobody could read',
      identity(kube),
      below(0o770, 0o755, root, { acl: 'unknown' }),
      'unknown',
    ],
    [
      'one that an ACL opens',
      identity(kube),
      below(
        0o775,
        0o755,
        root,
        acl('user::rwx', `user:${String(kube)}:rwx`, 'group::r-x', 'mask::rwx', 'other::r-x'),
      ),
      'granted',
    ],
  ])('%s', (_, who, given, is) => {
    expect(evaluateReplacement(who, '/v/o/c', rowsOf(given), names, () => true).is).toBe(is)
  })

  test('a mount point stays where it is', () => {
    const found = evaluateReplacement(
      identity(kube),
      '/v/o/c',
      rowsOf(below(0o777)),
      names,
      (path) => path !== '/v/o',
    )
    expect(found.is).toBe('denied')
  })

  test('the owner of a directory further up opens it', () => {
    const rows = rowsOf({ ...below(0o555), '/v': row('directory', kube, root, 0o555) })
    const asked = (through: Rows): Evaluation =>
      evaluateReplacement(identity(kube), '/v/o/c', through, names, () => true)
    expect(ownGrant(identity(kube), rows, asked(rows), asked)).toBe('it owns /v')
  })
})

const at = (inode: string, device = '1'): PathState => {
  const fact = row('directory', root, root, 0o755, { inode, device })
  if (fact.is !== 'present') throw new Error('no row')
  return fact.state
}
const host = new Map<string, Fact<PathState>>(
  Object.entries({ '/': at('1'), '/v': at('2'), '/v/o': at('3'), '/m': at('1', '2') }).map(
    ([path, state]) => [path, { is: 'present', state }],
  ),
)

test.each([
  ['a directory', '/v/o', {}, true],
  ['where another file system begins', '/m', {}, false],
  [
    'a mount of the same file system',
    '/v/o',
    { mounts: [{ device: '1', root: '/x', point: '/v/o', readOnly: false }] },
    false,
  ],
  ['what nobody looked at', '/x', {}, false],
  ['a container’s own directory', '/v', { seen: new Map([['/v', at('7', '9')]]) }, false],
  [
    'the host’s in a container’s',
    '/v/o',
    {
      seen: new Map([
        ['/v', at('7', '9')],
        ['/v/o', at('3')],
      ]),
    },
    false,
  ],
  [
    'both the host’s, under another name',
    '/w/o',
    {
      seen: new Map([
        ['/w', at('2')],
        ['/w/o', at('3')],
      ]),
    },
    true,
  ],
] as const)('can it be moved: %s', (_, path, more, expected) => {
  expect(movableIn({ paths: host, ...more })(path)).toBe(expected)
})

const [granted, denied, missing]: readonly [Attempt, Attempt, Attempt] = [
  { is: 'granted' },
  { is: 'denied', errno: 'EACCES' },
  { is: 'missing' },
]
const open: Attempt = { is: 'unknown', detail: 'no tool' }
test.each([
  [granted, [], granted],
  [denied, [denied], denied],
  [denied, [denied, granted], granted],
  [missing, [granted], granted],
  [open, [granted], granted],
  [open, [denied], open],
  [denied, [open], { is: 'unknown', detail: '/v/0 could be moved aside: no tool' }],
] as const)('%j, and above it %j: %j', (own, above, expected) => {
  expect(
    replacementAttempt(
      own,
      above.map((attempt, index) => [`/v/${String(index)}`, attempt] as const),
    ),
  ).toEqual(expected)
})

test('what must not be replaced is asked with all above it, each once', () => {
  const place = { file: 'access.yml', line: 1, column: 1 }
  const rule = (path: string): Parameters<typeof firstAtoms>[0]['rules'][number] => ({
    ...{ actor: 'api', action: 'replace', must: false, because: 'b', source: 's', place },
    target: { is: 'path', path },
  })
  const atoms = firstAtoms({
    actors: new Map([['api', { name: 'api', description: 'it', user: 'api', capabilities: 'none', place }]]),
    rules: [rule('/v/o/c'), rule('/v/o/d')],
    ...{ kmsSockets: [], leftBehind: [], outside: [] },
  })
  expect(atoms.flatMap((atom) => (atom.atom === 'attempts' ? atom.tries : []))).toEqual(
    ['/v/o/c', '/v', '/v/o', '/v/o/d'].map((path) => ({ action: 'replace', path })),
  )
})
