import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { localFile, openFolder } from '../../src/playbook/contents.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const base = folderWith({
  'role/files/a.txt': 'a',
  'role/files/deep/b.txt': 'b',
  'role/templates/t.j2': 'x {{ y }}\n',
  'role/beside.txt': 'beside',
  'role-evil/secret': 'key',
  'outside.txt': 'key',
})
const role = join(base, 'role')
symlinkSync('a.txt', join(role, 'files/inner'))
symlinkSync('../../outside.txt', join(role, 'files/escape'))
symlinkSync('../..', join(role, 'files/up'))
execFileSync('mkfifo', [join(role, 'files/pipe')])
const content = openFolder(role)

describe('files of a role', () => {
  test.each([
    ['a.txt', 'a'],
    ['deep/b.txt', 'b'],
    ['inner', 'a'],
    ['beside.txt', 'beside'],
    ['../beside.txt', 'beside'],
  ])('%s', (src, expected) => {
    const payload = content.file(src)
    expect(Buffer.from(payload.bytes).toString()).toBe(expected)
    expect(payload.secret).toBe(false)
    expect(payload.digest.reveal()).toMatch(/^[0-9a-f]{64}$/)
  })

  test('are read once', () => {
    expect(content.file('a.txt')).toBe(openFolder(role).file('a.txt'))
  })

  test('templates come with the file they stand in', () => {
    expect(content.templateText('t.j2')).toEqual({ text: 'x {{ y }}\n', file: join(role, 'templates/t.j2') })
  })

  test.each([
    ['/etc/hostname', 'expected a path inside'],
    ['~/.ssh/id_ed25519', 'expected a path inside'],
    ['a\0b', 'expected a path inside'],
    ['nowhere', 'expected a file `nowhere` in'],
    ['escape', 'expected a file inside'],
    ['up/outside.txt', 'expected a file inside'],
    ['../../outside.txt', 'expected a file inside'],
    ['../../role-evil/secret', 'expected a file inside'],
    ['deep', 'found something that is not a regular file'],
    ['pipe', 'found something that is not a regular file'],
  ])('%s is refused', (src, expected) => {
    expect(problemsOf(() => content.file(src))[0]).toContain(
      `playbook.source ${expected.split(' ')[0] === 'found' ? '' : expected}`,
    )
    expect(problemsOf(() => content.templateText(src))[0]).toContain('playbook.source')
    expect(problemsOf(() => content.file(src))[0]).toContain(expected)
  })

  test('a role that is itself reached through a link holds its own files', () => {
    symlinkSync(role, join(base, 'linked'))
    expect(Buffer.from(openFolder(join(base, 'linked')).file('a.txt').bytes).toString()).toBe('a')
  })
})

describe('files that the operator names', () => {
  test('may stand anywhere', () => {
    expect(Buffer.from(localFile(join(base, 'outside.txt'))).toString()).toBe('key')
    expect(localFile(join(base, 'outside.txt'))).toBe(localFile(join(base, 'outside.txt')))
  })
  test('but must be there', () => {
    expect(problemsOf(() => localFile(join(base, 'none'))).join()).toContain('found nothing there')
  })
})
