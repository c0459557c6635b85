import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { evaluate } from '../../../src/access/evaluate/evaluate.ts'
import { ownGrant } from '../../../src/access/evaluate/own-grant.ts'
import type { Rows } from '../../../src/access/evaluate/walk.ts'
import type { ActingIdentity, Action, Evaluation } from '../../../src/model/access.ts'
import type { Fact, PathState } from '../../../src/model/facts.ts'
import { acl, identity, kms, kmsGroup, kube, names, root, row, rowsOf } from './rows.ts'

type Given = Readonly<Record<string, Fact<PathState>>>

const grant = (who: ActingIdentity, action: Action, path: string, given: Given): string | undefined => {
  const rows = rowsOf(given)
  const asked = (through: Rows): Evaluation => evaluate(who, action, path, through, names)
  return ownGrant(who, rows, asked(rows), asked)
}
const file = (uid: number, mode: number, more: Parameters<typeof row>[4] = {}): Given => ({
  '/etc/f': row('file', uid, kmsGroup, mode, more),
})
const inside = (directory: number, object: number, mode = 0o550): Given => ({
  '/etc/d': row('directory', directory, kmsGroup, mode),
  '/etc/d/f': row('file', object, kmsGroup, 0o440),
})

test.each<[string, ActingIdentity, Action, string, Given, string | undefined]>([
  [
    'the owner of a file that it may only read',
    identity(kms),
    'write',
    '/etc/f',
    file(kms, 0o440),
    'it owns /etc/f',
  ],
  ['and of one that it may not read', identity(kms), 'read', '/etc/f', file(kms, 0o040), 'it owns /etc/f'],
  ['another one', identity(kube), 'write', '/etc/f', file(kms, 0o440), undefined],
  ['an owner that may already', identity(kms), 'read', '/etc/f', file(kms, 0o440), undefined],
  [
    'the owner, on a read-only mount',
    identity(kms),
    'write',
    '/etc/f',
    file(kms, 0o440, { readOnlyMount: true }),
    undefined,
  ],
  [
    'the owner of what is immutable',
    identity(kms),
    'write',
    '/etc/f',
    file(kms, 0o440, { immutable: true }),
    undefined,
  ],
  [
    'the owner, whatever an ACL says that nobody could read',
    identity(kms),
    'write',
    '/etc/f',
    file(kms, 0o440, { acl: 'unknown' }),
    'it owns /etc/f',
  ],
  [
    'the owner of the directory creates',
    identity(kms),
    'create',
    '/etc/d',
    inside(kms, root),
    'it owns /etc/d',
  ],
  ['and replaces what is in it', identity(kms), 'replace', '/etc/d/f', inside(kms, root), 'it owns /etc/d'],
  ['but does not write what is of root', identity(kms), 'write', '/etc/d/f', inside(kms, root), undefined],
  [
    'the owner of a file behind a directory of root',
    identity(kms),
    'write',
    '/etc/d/f',
    inside(root, kms, 0o700),
    undefined,
  ],
  [
    'the owner of both',
    identity(kms),
    'write',
    '/etc/d/f',
    inside(kms, kms, 0o400),
    'it owns /etc/d; it owns /etc/d/f',
  ],
  [
    'CAP_FOWNER',
    identity(kube, [], [3]),
    'read',
    '/etc/f',
    file(kms, 0o600, acl('user::rw-', 'group::---', 'mask::---', 'other::---')),
    'it has CAP_FOWNER, which changes /etc/f',
  ],
  [
    'CAP_CHOWN',
    identity(kube, [], [0]),
    'read',
    '/etc/f',
    file(kms, 0o600),
    'it has CAP_CHOWN, which changes /etc/f',
  ],
  [
    'CAP_CHOWN, on a read-only mount',
    identity(kube, [], [0]),
    'read',
    '/etc/f',
    file(kms, 0o600, { readOnlyMount: true }),
    undefined,
  ],
  ['CAP_KILL', identity(kube, [], [5]), 'read', '/etc/f', file(kms, 0o600), undefined],
  [
    'who connects and owns nothing',
    identity(kube),
    'connect',
    '/run/s',
    { '/run/s': row('socket', kms, kmsGroup, 0o600) },
    undefined,
  ],
  ['what is not there', identity(kms), 'read', '/etc/f', { '/etc/f': { is: 'absent' } }, undefined],
])('%s', (_, who, action, path, given, expected) => {
  expect(grant(who, action, path, given)).toBe(expected)
})

const ids = fc.constantFrom(root, kms, kube)
const layout = fc.record({
  directory: ids,
  object: ids,
  modes: fc.tuple(fc.integer({ min: 0, max: 0o1777 }), fc.integer({ min: 0, max: 0o777 })),
})
const actions = fc.constantFrom<Action>('read', 'write', 'execute', 'replace')
const laidOut = ({
  directory,
  object,
  modes,
}: {
  directory: number
  object: number
  modes: [number, number]
}): Given => ({
  '/etc/d': row('directory', directory, kmsGroup, modes[0]),
  '/etc/d/f': row('file', object, kmsGroup, modes[1]),
})

test('laws: only what is denied is given; only by who owns something there; a chmod of its own is enough', () => {
  fc.assert(
    fc.property(layout, actions, fc.constantFrom(kms, kube), (laid, action, uid) => {
      const who = identity(uid)
      const found = grant(who, action, '/etc/d/f', laidOut(laid))
      const before = evaluate(who, action, '/etc/d/f', rowsOf(laidOut(laid)), names).is
      const opened = laidOut({
        ...laid,
        modes: [
          laid.directory === uid ? laid.modes[0] | 0o700 : laid.modes[0],
          laid.object === uid ? laid.modes[1] | 0o700 : laid.modes[1],
        ],
      })
      const after = evaluate(who, action, '/etc/d/f', rowsOf(opened), names).is
      expect(found !== undefined).toBe(before === 'denied' && after === 'granted')
      if (found !== undefined) expect([laid.directory, laid.object]).toContain(uid)
    }),
  )
})
