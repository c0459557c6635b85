import { expect, test } from 'vitest'
import { known } from '../../src/model/value.ts'
import { absentResource } from '../../src/resources/absent/absent.ts'
import { linkResource } from '../../src/resources/link/link.ts'
import { directory, file, link, opNames, planAll, summary, worldFor, type Paths } from './world.ts'

test.each<[what: string, paths: Paths, expected: unknown]>([
  ['none', {}, ['state: absent → link', 'target: absent → /opt/new']],
  ['right', { '/etc/now': link('/opt/new') }, 'same'],
  ['elsewhere', { '/etc/now': link('/opt/old') }, ['target: /opt/old → /opt/new']],
  [
    'a file in the way',
    { '/etc/now': file() },
    'refused: expected /etc/now to be a symbolic link, found a regular file',
  ],
  ['no parent', { '/etc': null }, 'refused: expected the directory /etc to exist, found nothing there'],
])('link: %s', (_, paths, expected) => {
  const wanted = linkResource({ path: '/etc/now', target: '/opt/new' })
  expect(summary(wanted.plan(worldFor({ paths }, wanted)))).toEqual(expected)
})

test('a link is replaced under the guard of what was seen', () => {
  const wanted = linkResource({ path: '/etc/now', target: '/opt/new' })
  expect(wanted.plan(worldFor({ paths: { '/etc/now': link('/opt/old') } }, wanted))).toMatchObject({
    ops: [{ op: 'link-put', name: 'now', expect: { token: 'row /etc/now' }, target: '/opt/new' }],
  })
})

test.each<[what: string, paths: Paths, expected: unknown]>([
  ['nothing there', {}, 'same'],
  ['no directory for it', { '/etc': null }, 'same'],
  ['a file', { '/etc/x': file() }, ['state: file → absent']],
  ['a link', { '/etc/x': link('/y') }, ['state: link → absent']],
  ['a socket', { '/etc/x': file({ type: 'socket' }) }, ['state: socket → absent']],
  ['a directory', { '/etc/x': directory() }, ['state: directory → absent']],
  [
    'a directory with directories',
    { '/etc/x': directory({ links: 3 }) },
    'refused: expected /etc/x to be an empty directory, found 1 directories in it',
  ],
  [
    'a device',
    { '/etc/x': file({ type: 'block' }) },
    'refused: expected /etc/x to be a file, link, socket, FIFO or empty directory, found a block device',
  ],
  [
    'below a link',
    { '/etc': link('/data'), '/etc/x': null },
    'refused: expected /etc to be a real directory, found a symbolic link to /data',
  ],
  [
    'owned by a package',
    { '/etc/x': file({ package: 'kms-provider' }) },
    'refused: expected /etc/x to belong to no package, found that kms-provider owns it',
  ],
  [
    'immutable',
    { '/etc/x': file({ immutable: true }) },
    'refused: expected /etc/x to be changeable, found the immutable or append-only attribute on /etc/x',
  ],
])('absent: %s', (_, paths, expected) => {
  const wanted = absentResource({ path: '/etc/x' })
  expect(summary(wanted.plan(worldFor({ paths }, wanted)))).toEqual(expected)
})

test('a directory is removed as one, never recursively', () => {
  const wanted = absentResource({ path: '/etc/x' })
  const planned = wanted.plan(worldFor({ paths: { '/etc/x': directory({ uid: known(7) }) } }, wanted))
  expect(opNames(planned)).toEqual(['remove'])
  expect(planned).toMatchObject({ ops: [{ directory: true, expect: { token: 'row /etc/x' } }] })
})

test('a directory whose directories earlier tasks take away can go too', () => {
  const paths = { '/etc/x': directory({ links: 4 }), '/etc/x/a': directory(), '/etc/x/b': directory() }
  const plan = (...gone: readonly string[]): string | readonly string[] => {
    const last = planAll({ paths }, ...gone.map((path) => absentResource({ path }))).at(-1)
    return last === undefined ? 'nothing' : summary(last)
  }
  expect(plan('/etc/x/a', '/etc/x/b', '/etc/x')).toEqual(['state: directory → absent'])
  expect(plan('/etc/x/a', '/etc/x')).toBe(
    'refused: expected /etc/x to be an empty directory, found 1 directories in it',
  )
})
