import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { shells } from '../shell/local-shell.ts'
import { accessGuardAttacks } from './access-guards.ts'
import { strikes } from './guards.ts'
import { accessSource, writeSource } from './preludes.ts'

const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-thief-'))
chmodSync(folder, 0o755)
const thief = join(folder, 'thief')
execFileSync('gcc', ['-O2', '-o', thief, join(import.meta.dirname, '../access/hostile.c')])
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe.each(shells)('$name', (shell) => {
  const has = (tool: string): boolean => shell.path.split(':').some((path) => existsSync(join(path, tool)))

  it.each(
    accessGuardAttacks(thief).filter(
      ({ once, needs }) =>
        (once === undefined || shell.name === 'dash') && (needs === undefined || has(needs)),
    ),
  )('$guard: no hit with it, a hit without it', ({ find, replace, script }) => {
    expect(accessSource.split(find)).toHaveLength(2)
    const weak = accessSource.replace(find, () => replace)
    expect(strikes(shell, { read: accessSource, write: writeSource }, script)).toBe(false)
    expect(strikes(shell, { read: weak, write: writeSource }, script)).toBe(true)
  })
})
