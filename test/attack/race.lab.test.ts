import { beforeAll, describe, expect, it } from 'vitest'
import { shells } from '../shell/local-shell.ts'
import { readSource, writeSource } from './preludes.ts'
import { allDuels, controls, race } from './race.ts'
import { buildAttacker } from './scene.ts'

let program = ''
beforeAll(() => {
  program = buildAttacker()
})

describe('100 attempts for each function', () => {
  it.concurrent.each(shells)('$name: none touches what is outside', async (shell) => {
    // they are children of /bin/sh in every shell: once is enough
    const chosen = allDuels.filter(
      ({ functionName }) => !['public', 'pair'].includes(functionName) || shell === shells[0],
    )
    const tallies = await race(shell, program, 100, undefined, chosen)
    expect(tallies.filter(({ hits }) => hits > 0)).toEqual([])
  })

  it.each(shells)('$name: what is raced succeeds where nobody attacks', async (shell) => {
    const tallies = await race(shell, program, 1, undefined, controls)
    expect(tallies.map(({ what, refused, applied, hits }) => [what, applied, refused, hits])).toEqual(
      tallies.map(({ what }) => [what, 1, 0, 0]),
    )
  })

  it.each([
    ['digest', 500, [`case $a in "$b:8"*) ;; *) exit 43 ;; esac`]],
    ['public', 200, [`case $a in "$b:"*) ;; *) exit 43 ;; esac`]],
    // the exchange itself shows in the row of the file that was moved
    ['pair', 200, ['[ "$a" = "$b" ]', '[ "$a" = "$before" ]']],
  ])('%s scores where the opened file is not compared with the name', async (functionName, count, guards) => {
    for (const guard of guards) expect(readSource.split(guard)).toHaveLength(2)
    const read = guards.reduce((source, guard) => source.replace(guard, ':'), readSource)
    const weak = { read, write: writeSource }
    const duel = allDuels.filter(
      (each) => each.functionName === functionName && each.attack === 'file swapped with a link',
    )
    const [shell] = shells
    if (shell === undefined) throw new Error('no shell')
    const [tally] = await race(shell, program, count, weak, duel)
    expect(tally?.hits).toBeGreaterThan(0)
  })
})
