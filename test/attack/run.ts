// 100,000 attempts, shared out evenly among shells and functions: `npm run attack [-- TOTAL]`.
import { shells } from '../shell/local-shell.ts'
import { allDuels, race } from './race.ts'
import type { Tally } from './race.ts'
import { buildAttacker } from './scene.ts'

const total = Number(process.argv[2] ?? 100_000)
const functions = new Set(allDuels.map(({ functionName }) => functionName)).size
const program = buildAttacker()
const tallies: Tally[] = []
for (const shell of shells) {
  for (const tally of await race(shell, program, Math.ceil(total / shells.length / functions))) {
    tallies.push(tally)
    if (tally.hits > 0) console.log(tally.evidence)
    console.log(
      `${tally.what}: ${String(tally.applied)} applied, ${String(tally.refused)} refused, ${String(tally.hits)} hits`,
    )
  }
}
const sum = (of: 'applied' | 'refused' | 'hits'): number => tallies.reduce((all, tally) => all + tally[of], 0)
console.log(
  `${String(sum('applied'))} applied, ${String(sum('refused'))} refused, ${String(sum('hits'))} hits`,
)
process.exitCode = sum('hits') === 0 ? 0 : 1
