import { execFileSync } from 'node:child_process'
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { KmsfleetError } from '../../src/errors/error.ts'
import { readSecretFile } from '../../src/sources/file.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

const canary = 'planted-Canary-7b1f'
const place = { file: 'site.yml', line: 3, column: 5 }

function secretFile(content: string | Uint8Array, mode: number): string {
  const path = join(folderWith({}), 'secret')
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

describe('a secret file', () => {
  test.each([0o600, 0o400, 0o700])('of mode %o is read', (mode) => {
    const secret = readSecretFile(secretFile(canary, mode), 'jwt')
    expect(Buffer.from(secret.reveal()).toString()).toBe(canary)
    expect(inspect(secret) + String(secret) + JSON.stringify(secret)).not.toContain(canary)
  })

  test('may be reached through a link, whose target is judged', () => {
    const path = secretFile(canary, 0o600)
    symlinkSync(path, `${path}.link`)
    expect(readSecretFile(`${path}.link`, 'jwt').size).toBe(canary.length)
    chmodSync(path, 0o644)
    expect(problemsOf(() => readSecretFile(`${path}.link`, 'jwt')).join()).toContain('secret.exposed')
  })

  test.each([
    [
      'readable by the group',
      canary,
      0o640,
      'secret.exposed expected mode 0600 or less for PATH with the secret `jwt`, found 0640',
    ],
    ['readable by others', canary, 0o604, 'found 0604 | chmod 600 PATH'],
    ['writable by others', canary, 0o602, 'secret.exposed'],
    [
      'empty',
      '',
      0o600,
      'secret.empty expected the secret `jwt` in PATH, found nothing in it | an empty secret is never written',
    ],
    [
      'of white space',
      ' \r\n\t',
      0o600,
      'secret.empty expected the secret `jwt` in PATH, found white space only',
    ],
    ['too large', new Uint8Array(1024 * 1024 + 1), 0o600, 'secret.unreadable'],
  ])('%s is refused', (_, content, mode, expected) => {
    const path = secretFile(content, mode)
    const problems = problemsOf(() => readSecretFile(path, 'jwt', place)).map((line) =>
      line.replaceAll(path, 'PATH'),
    )
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
    expect(problems[0]).toMatch(/^3:5 /)
  })

  test('that is no regular file is refused', () => {
    const folder = folderWith({})
    execFileSync('mkfifo', ['-m', '600', join(folder, 'pipe')])
    expect(problemsOf(() => readSecretFile(join(folder, 'pipe'), 'jwt')).join()).toContain(
      'not a regular file',
    )
    expect(problemsOf(() => readSecretFile(folder, 'jwt')).join()).toContain('not a regular file')
    expect(problemsOf(() => readSecretFile(join(folder, 'none'), 'jwt')).join()).toContain(
      'found nothing there',
    )
  })

  test('never shows content in an error, its causes included', () => {
    const path = secretFile(canary, 0o644)
    try {
      readSecretFile(path, 'jwt')
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(KmsfleetError)
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(canary)
    }
  })
})
