import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shells } from '../shell/local-shell.ts'
import { guardAttacks, readGuardAttacks, strikes } from './guards.ts'
import { guardNames, readSource, without, writeSource } from './preludes.ts'

const whole = { read: readSource, write: writeSource }

describe('guards', () => {
  it('every guard line of the write prelude has an attack, and every attack a guard', () => {
    expect(guardAttacks.map(({ guard }) => guard).sort()).toEqual([...guardNames].sort())
  })
})

describe.each(shells)('$name', (shell) => {
  const has = (tool: string): boolean =>
    shell.path.split(':').some((folder) => existsSync(join(folder, tool)))

  it.each(guardAttacks.filter(({ needs }) => needs === undefined || has(needs)))(
    '$guard: no hit with it, a hit without it',
    ({ guard, script }) => {
      expect(strikes(shell, whole, script)).toBe(false)
      expect(strikes(shell, { ...whole, write: without(writeSource, guard) }, script)).toBe(true)
    },
  )

  it.each(
    readGuardAttacks.filter(
      ({ once, needs }) =>
        (once === undefined || shell.name === 'dash') && (needs === undefined || has(needs)),
    ),
  )('$guard: no hit with it, a hit without it', ({ find, replace, script }) => {
    expect(readSource.split(find)).toHaveLength(2)
    expect(strikes(shell, whole, script)).toBe(false)
    expect(strikes(shell, { ...whole, read: readSource.replace(find, () => replace) }, script)).toBe(true)
  })
})
