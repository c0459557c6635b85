import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GroupState, PathState, UnitState, UserState } from '../../src/model/facts.ts'
import type { Planned, Resource } from '../../src/model/resource.ts'
import { Digest, Secret } from '../../src/model/secret.ts'
import { UnknownText, type Text } from '../../src/model/text.ts'
import { known } from '../../src/model/value.ts'
import { absentResource } from '../../src/resources/absent/absent.ts'
import { commandResource } from '../../src/resources/command/command.ts'
import { nameOf, directoryOf } from '../../src/resources/common/paths.ts'
import { directoryResource } from '../../src/resources/directory/directory.ts'
import { contentOf } from '../../src/resources/file/content.ts'
import { fileResource } from '../../src/resources/file/file.ts'
import { groupResource } from '../../src/resources/group/group.ts'
import { membershipResource } from '../../src/resources/group/membership.ts'
import { linkResource } from '../../src/resources/link/link.ts'
import { unitResource } from '../../src/resources/unit/unit.ts'
import { userResource } from '../../src/resources/user/user.ts'
import { directory, file, link, take, worldFor, type WorldSpec } from './world.ts'

/* Small alphabets, so that desired and observed meet often. */
const path = fc.constantFrom('/etc/a', '/etc/a/b', '/srv/c', '/run/d')
const account = fc.constantFrom('root', 'kms', 'api')
const mode = fc.constantFrom(0o644, 0o640, 0o660, 0o755, 0o2750, 0o4755, 0o1777)
const id = fc.constantFrom(0, 5, 6, 7).map(known)
const text = fc.constantFrom('one', 'two', '')

const pathState: fc.Arbitrary<PathState> = fc
  .record({
    shape: fc.constantFrom(directory(), file(), link('/etc/a'), file({ type: 'socket' })),
    mode,
    uid: id,
    gid: id,
    links: fc.constantFrom(1, 2, 3),
    acl: fc.constantFrom('none', 'present', 'unknown' as const),
    immutable: fc.boolean(),
    readOnlyMount: fc.boolean(),
    text,
  })
  .map(({ shape, text: content, immutable, readOnlyMount, ...state }) => ({
    ...shape,
    ...state,
    ...(immutable ? { immutable } : {}),
    ...(readOnlyMount ? { readOnlyMount } : {}),
    ...(shape.type === 'file'
      ? { size: content.length, content: known(Digest.of(Buffer.from(content))) }
      : {}),
  }))

const names = fc.uniqueArray(fc.constantFrom('kms', 'api', 'eve'), { maxLength: 3 })
const groupState: fc.Arbitrary<GroupState> = fc.record({
  gid: id,
  members: names,
  primaryOf: names,
  source: fc.constantFrom('local', 'local', 'nss' as const),
})
const userState: fc.Arbitrary<UserState> = fc.record({
  uid: id,
  gid: id,
  gecos: text,
  home: fc.constantFrom('/', '/home'),
  shell: fc.constantFrom('/bin/sh', '/usr/sbin/nologin'),
  password: fc.constantFrom('locked', 'set', 'empty', 'unknown' as const),
  source: fc.constantFrom('local', 'local', 'nss' as const),
})
const unitState: fc.Arbitrary<UnitState> = fc.record({
  load: fc.constantFrom('loaded', 'loaded', 'not-found', 'masked'),
  active: fc.constantFrom('active', 'inactive', 'failed', 'activating', 'reloading'),
  sub: fc.constant('running'),
  result: fc.constant('success'),
  enabled: fc.constantFrom('enabled', 'disabled', 'static', 'enabled-runtime', ''),
  needReload: fc.boolean(),
  conditionMet: fc.boolean(),
  mainPid: fc.constant(7),
  restarts: fc.constant(0),
  fragment: fc.constant('/x'),
  dropIns: fc.constant([]),
  invocation: fc.constant('i'),
  since: fc.constantFrom(0, 500, 2000),
  runningExe: fc.constantFrom('1:i/etc/a', '1:other'),
  startedWith: fc.constantFrom(
    new Map<string, string>(),
    new Map([['/etc/a', Digest.of(Buffer.from('one')).reveal()]]),
  ),
})

const spec: fc.Arbitrary<WorldSpec> = fc.record({
  paths: fc.dictionary(path, fc.option(pathState)),
  users: fc.dictionary(fc.constantFrom('kms', 'api', 'eve'), userState),
  groups: fc.dictionary(fc.constantFrom('kms', 'api'), groupState),
  units: fc.dictionary(fc.constant('x.service'), unitState),
  tests: fc.dictionary(
    fc.constantFrom('exists:/etc/a', 'gone:/etc/a'),
    fc.constantFrom({ answer: 'yes' as const }, { answer: 'no' as const, detail: '' }),
  ),
})

const planted = 'PLANTED-SECRET'
const content: fc.Arbitrary<Text> = fc.oneof(
  text,
  fc.constant(new Secret('pin', Buffer.from(planted))),
  fc.constant(new UnknownText([{ after: 'group:kms', field: 'gid' }])),
)
const owned = fc.record({ path, owner: account, group: account, mode })

const kinds: Readonly<Record<string, fc.Arbitrary<Resource>>> = {
  directory: owned.map(directoryResource),
  file: fc
    .record({ owned, content: fc.option(content), opened: fc.boolean() })
    .map(({ owned: to, content: bytes, opened }) =>
      fileResource({
        ...to,
        content:
          bytes === null ? undefined : contentOf(bytes, { secretsOpened: opened, once: (_, make) => make() }),
      }),
    ),
  link: fc.record({ path, target: fc.constantFrom('/etc/a', '/z') }).map(linkResource),
  absent: fc.record({ path }).map(absentResource),
  group: fc
    .record({ name: account, gid: fc.option(fc.constantFrom(5, 6), { nil: undefined }) })
    .map((desired) => groupResource({ ...desired, system: true })),
  membership: fc.record({ group: account, members: names, exact: fc.boolean() }).map(membershipResource),
  user: fc
    .record({ name: account, uid: fc.option(fc.constantFrom(5, 6), { nil: undefined }), group: account })
    .map((desired) =>
      userResource({ ...desired, gecos: '', home: '/', shell: '/usr/sbin/nologin', system: true }),
    ),
  unit: fc
    .record({
      state: fc.constantFrom('started', 'stopped', undefined),
      enabled: fc.constantFrom(true, false, undefined),
      restartOn: fc.constantFrom([], ['/etc/a']),
      exe: fc.constantFrom('/etc/a', undefined),
    })
    .map((desired) => unitResource({ unit: 'x.service', ready: { kind: 'active' }, within: 60, ...desired })),
  command: fc
    .constantFrom({ by: 'creates', path: '/etc/a' } as const, { by: 'removes', path: '/etc/a' } as const)
    .map((guard) => commandResource({ key: 'play/1', argv: ['true'], within: 1, guard })),
}

describe.each(Object.entries(kinds))('%s', (_, kind) => {
  test('a change that was made leaves nothing to change', () => {
    fc.assert(
      fc.property(spec, kind, (host, resource) => {
        const world = worldFor(host, resource)
        if (take(world, resource).is === 'change') expect(resource.plan(world)).toEqual({ is: 'same' })
      }),
      { numRuns: 300 },
    )
  })

  test('after whatever another change did, too', () => {
    fc.assert(
      fc.property(spec, fc.oneof(...Object.values(kinds)), kind, (host, before, resource) => {
        const world = worldFor(host, before, resource)
        take(world, before)
        if (take(world, resource).is === 'change') expect(resource.plan(world)).toEqual({ is: 'same' })
      }),
      { numRuns: 300 },
    )
  })

  test('planning changes nothing, and says the same again', () => {
    fc.assert(
      fc.property(spec, kind, (host, resource) => {
        const world = worldFor(host, resource)
        expect(resource.plan(world)).toEqual(resource.plan(world))
        expect(world.anyChange).toBe(false)
      }),
    )
  })

  test('every change says what differs, acts on its own subject only, and shows no secret', () => {
    fc.assert(
      fc.property(spec, kind, (host, resource) => {
        const planned = resource.plan(worldFor(host, resource))
        if (planned.is !== 'change') return
        expect(planned.differences).not.toEqual([])
        for (const { from, to } of planned.differences) expect(from).not.toEqual(to)
        for (const target of targets(planned)) expect(`path:${target}`).toBe(resource.subject)
        expect(JSON.stringify([planned.differences, planned.effects])).not.toContain(planted)
      }),
    )
  })
})

/** Paths that the operations of a change act on; the parts of a name must be the subject's. */
function targets(planned: Extract<Planned, { is: 'change' }>): readonly string[] {
  return planned.ops.flatMap((op) => {
    if (op.op === 'directory-set') return [op.path]
    if (!('parent' in op)) return []
    const whole = op.parent.path === '/' ? `/${op.name}` : `${op.parent.path}/${op.name}`
    expect([directoryOf(whole), nameOf(whole)]).toEqual([op.parent.path, op.name])
    return [whole]
  })
}
