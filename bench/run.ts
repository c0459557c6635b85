import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadInventory } from '../src/inventory/load.ts'
import { modules } from '../src/modules/registry.ts'
import { loadPlaybook } from '../src/playbook/load.ts'
import { startLab } from '../test/lab/lab.ts'
import { createMeter } from './meter.ts'
import { makeBare } from './reset.ts'
import { tableLines, type Series } from './table.ts'
import { trace } from './trace.ts'
import { runBench, runTrue, type Fleet, type RunTotals } from './workload.ts'

/** Resources of bench/playbook.yml. */
const resources = 40

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '60' },
    /** Of the no-op runs. */
    rounds: { type: 'string', default: '7' },
    /** Of the first converge; hosts are made bare in between. */
    'first-rounds': { type: 'string', default: '3' },
    /** Say which programs one host starts; needs strace. */
    trace: { type: 'boolean', default: false },
  },
})
const hostCount = Number(values.hosts)

console.log(`booting ${String(hostCount)} hosts`)
await using lab = await startLab({
  hosts: Array.from({ length: hostCount }, () => ({ variant: 'plain' as const })),
})
const watched = lab.hosts[0] ?? fail()
const fleet: Fleet = {
  playbook: loadPlaybook(join(import.meta.dirname, 'playbook.yml'), { modules: new Set(modules.keys()) }),
  inventory: loadInventory(lab.inventoryFile),
}
const meter = createMeter(lab, watched)
const one: Fleet = { ...fleet, limit: watched.name }

/** Measures one kind of run, each round beside a round of `true`: what else this machine does then hits both. */
async function measure(
  kinds: ReadonlyMap<string, () => Promise<RunTotals>>,
  rounds: number,
  between: () => Promise<void>,
): Promise<readonly Series[]> {
  const all = [...kinds].map(([name, work]) => ({
    name,
    work,
    pairs: new Array<Series['pairs'][number]>(),
    totals: noTotals,
  }))
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0) await between()
    for (const series of all) {
      const base = await meter.measure(() => runTrue(fleet))
      const own = await meter.measure(async () => {
        series.totals = await series.work()
      })
      series.pairs.push({ base, own })
    }
  }
  return all
}
const noTotals: RunTotals = { changed: 0, unchanged: 0, roundTrips: 0, bytesSent: 0, bytesReceived: 0 }

/** Growth of this process while all hosts are connected, asked and planned, and nobody has answered yet; bytes. */
async function memoryPerHost(): Promise<number> {
  const before = process.memoryUsage.rss()
  let during = before
  await runBench(fleet, 'converge', () => {
    during = process.memoryUsage.rss()
    return Promise.resolve(false)
  })
  return (during - before) / hostCount
}

async function printTrace(name: string, work: () => Promise<unknown>): Promise<void> {
  const { programs, syncs } = await trace(lab, watched, work)
  const started = [...programs].map(([program, times]) => `${program} ${String(times)}`)
  console.log(`\n${name}: on one host, ${String(syncs)} syncs, and programs started: ${started.join(', ')}`)
}

function fail(): never {
  throw new Error('expected --hosts of at least 1, found none')
}

// The first runs load and compile code and fill the hosts' caches: they count for nothing.
await runTrue(fleet)
await runBench(one, 'plan')
const memory = await memoryPerHost()

const converge = (): Promise<RunTotals> => runBench(fleet, 'converge')
const first = await measure(new Map([['first converge', converge]]), Number(values['first-rounds']), () =>
  makeBare(lab),
)
const again = await measure(
  new Map([
    ['no-op plan', () => runBench(fleet, 'plan')],
    ['no-op converge', converge],
  ]),
  Number(values.rounds),
  () => Promise.resolve(),
)

for (const { name, totals } of [...first, ...again]) {
  const expected = name === 'first converge' ? hostCount * resources : 0
  if (totals.changed === expected && totals.changed + totals.unchanged >= hostCount * resources) continue
  throw new Error(
    `${name}: expected ${String(expected)} changes, found ${String(totals.changed)} and ${String(totals.unchanged)} resources unchanged`,
  )
}

console.log(
  `${String(hostCount)} hosts x ${String(resources)} resources; CPU, processes, round trips, bytes: of one host\n`,
)
for (const line of tableLines([...first, ...again], hostCount)) console.log(line)
console.log(`\nmemory of a connected host: ${(memory / 1024).toFixed(0)} KiB`)

if (values.trace) {
  await printTrace('true', () => runTrue(one))
  await printTrace('no-op plan', () => runBench(one, 'plan'))
  await makeBare(lab)
  await printTrace('first converge', () => runBench(one, 'converge'))
}
