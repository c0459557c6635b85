import { expect, test } from 'vitest'
import { known } from '../../src/model/value.ts'
import { directoryResource } from '../../src/resources/directory/directory.ts'
import { findParent } from '../../src/resources/common/parent.ts'
import { ancestorsOf, directoryOf, nameOf } from '../../src/resources/common/paths.ts'
import { parseMode, showMode } from '../../src/resources/common/mode.ts'
import { contested, trusted } from '../../src/resources/common/trust.ts'
import { directory, link, take, worldFor, type Paths } from './world.ts'

test.each([
  ['/', [], '/', ''],
  ['/a', ['/'], '/', 'a'],
  ['/a/b/c', ['/', '/a', '/a/b'], '/a/b', 'c'],
])('parts of %s', (path, ancestors, parent, name) => {
  expect([ancestorsOf(path), directoryOf(path), nameOf(path)]).toEqual([ancestors, parent, name])
})

test.each([
  ['0750', 0o750, '0750'],
  ['750', 0o750, '0750'],
  ['2750', 0o2750, '2750'],
  ['02750', 0o2750, '2750'],
])('mode %s', (text, mode, shown) => {
  expect([parseMode(text), showMode(parseMode(text))]).toEqual([mode, shown])
})

const service = { uid: known(998), gid: known(997) }

test.each<[what: string, paths: Paths, isTrusted: boolean]>([
  ['root alone', {}, true],
  ['owned by a service', { '/var/lib': directory(service) }, false],
  ['writable by a group', { '/var/lib': directory({ mode: 0o775 }) }, false],
  ['writable by all', { '/var/lib': directory({ mode: 0o757 }) }, false],
  ['sticky', { '/var/lib': directory({ mode: 0o1777 }) }, false],
  ['below a sticky one', { '/var': directory({ mode: 0o1777 }) }, true],
  ['below a sticky one of another owner', { '/var': directory({ ...service, mode: 0o1777 }) }, false],
  ['below a writable one', { '/var': directory({ mode: 0o777 }) }, false],
  ['below a link', { '/var': link('/data') }, false],
  ['absent', { '/var/lib': null }, false],
])('trust: %s', (_, paths, isTrusted) => {
  const world = worldFor({ paths: { '/var/lib/kms': null, ...paths } })
  expect(trusted('/var/lib', world)).toBe(isTrusted)
  expect(contested('/var/lib/kms', world)).toBe(!isTrusted)
})

test.each<[what: string, paths: Paths, anchor: string | undefined]>([
  ['nearest proper ancestor of the directory', {}, '/var/lib'],
  ['not a contested one', { '/var/lib': directory({ mode: 0o777 }) }, '/var'],
  ['not below a contested one', { '/var': directory(service) }, '/'],
  ['not on another file system', { '/var/lib/kms': directory({ ...service, device: '2' }) }, undefined],
  [
    'a mount point itself, where only root decides',
    { '/var/lib/kms': directory({ device: '2' }) },
    '/var/lib/kms',
  ],
  [
    'not across a file system between',
    { '/var/lib': directory({ device: '2' }), '/var/lib/kms': directory({ ...service, device: '1' }) },
    undefined,
  ],
])('anchor: %s', (_, paths, anchor) => {
  const world = worldFor({
    paths: { '/var/lib/kms': directory(service), '/var/lib/kms/f': null, ...paths },
  })
  const found = findParent('/var/lib/kms/f', world)
  expect(found).toMatchObject({ ok: true, value: { parent: { path: '/var/lib/kms' } } })
  expect(found.ok ? found.value.parent.anchor : 'none').toBe(anchor)
})

test('a directory that this run mends is no anchor, since payloads are staged before it is mended', () => {
  const mend = directoryResource({ path: '/var/lib', owner: 'root', group: 'root', mode: 0o755 })
  const world = worldFor({ paths: { '/var/lib': directory({ mode: 0o777 }), '/var/lib/kms/f': null } }, mend)
  expect(take(world, mend).is).toBe('change')
  const found = findParent('/var/lib/kms/f', world)
  expect(found).toMatchObject({ ok: false })
  const below = findParent('/var/lib/kms', world)
  expect(below).toMatchObject({ ok: true, value: { parent: { anchor: '/var', inode: '1:i/var/lib' } } })
})
