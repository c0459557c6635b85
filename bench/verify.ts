import { parseArgs } from 'node:util'
import { prepareMatrices, verifyFleet } from '../src/access/fleet.ts'
import { loadInventory } from '../src/inventory/load.ts'
import { modules } from '../src/modules/registry.ts'
import { loadPlaybook } from '../src/playbook/load.ts'
import { createConnector } from '../src/transport/connect.ts'
import { startLab } from '../test/lab/lab.ts'
import { createMeter, median, type Sample } from './meter.ts'
import { concurrency, runBench, runTrue, type Fleet } from './workload.ts'

/*
 * What verifying costs beside planning: 60 hosts with the whole identity model on them, each round of the matrix alone
 * right behind one of a plan that finds nothing to do, and both behind one of `true`; then `verify` with its sockets, each
 * asked from end to end over a channel of its own, and the provider's `doctor`.
 */

const { values } = parseArgs({
  options: { hosts: { type: 'string', default: '60' }, rounds: { type: 'string', default: '7' } },
})
const hostCount = Number(values.hosts)
const load = (file: string): Fleet['playbook'] => loadPlaybook(file, { modules: new Set(modules.keys()) })

console.log(`booting ${String(hostCount)} hosts, and rolling the model out`)
await using lab = await startLab({
  hosts: Array.from({ length: hostCount }, () => ({ variant: 'plain' as const })),
})
const [watched] = lab.hosts
if (watched === undefined) throw new Error('expected --hosts of at least 1, found none')
const inventory = loadInventory(lab.inventoryFile)
const fleet: Fleet = { playbook: load('playbooks/rollout.yml'), inventory }
await runBench(fleet, 'converge')
await runBench({ playbook: load('playbooks/restart-apiserver.yml'), inventory }, 'converge')

/** Verifies every host; what is not proved, or takes a further round trip, would make the figure another one. */
async function verifyAll(withSockets: boolean): Promise<void> {
  await using connector = createConnector()
  const hosts = prepareMatrices({ ...fleet, extraVars: new Map() }).map(({ host, matrix }) => ({
    host,
    matrix: withSockets ? matrix : { ...matrix, kmsSockets: [] },
  }))
  const expected = withSockets ? 3 : 1
  const never = new AbortController().signal
  for (const end of await verifyFleet(hosts, connector.connect, concurrency, never)) {
    if (end.is === 'not-asked') throw end.error
    const { host, verdicts, checks, cost } = end.proof
    const open = [...verdicts, ...checks].filter(({ verdict }) => verdict !== 'pass')
    if (open.length > 0) throw new Error(`${host}: expected everything proved, found ${JSON.stringify(open)}`)
    if (cost.roundTrips !== expected)
      throw new Error(`${host}: expected ${String(expected)} round trips, found ${String(cost.roundTrips)}`)
  }
}

const meter = createMeter(lab, watched)
const kinds = [
  ['true', () => runTrue(fleet)],
  ['no-op plan', () => runBench(fleet, 'plan')],
  ['matrix', () => verifyAll(false)],
  ['verify', () => verifyAll(true)],
] as const
for (const [, work] of kinds) await work()

const rounds: Sample[][] = []
for (let round = 0; round < Number(values.rounds); round += 1) {
  const samples: Sample[] = []
  for (const [, work] of kinds) samples.push(await meter.measure(work))
  rounds.push(samples)
}

const column = (index: number, of: keyof Sample): readonly number[] =>
  rounds.flatMap((samples) => samples[index]?.[of] ?? [])
console.log(`${String(hostCount)} hosts; CPU and processes of one host; medians of the rounds\n`)
for (const [index, [name]] of kinds.entries()) {
  const own = column(index, 'wallMs')
  const ratio = (to: number): string =>
    median(column(to, 'wallMs').map((base, round) => (own[round] ?? NaN) / base)).toFixed(2)
  const cpu = (of: 'clientCpuMs' | 'hostCpuMs'): string => (median(column(index, of)) / hostCount).toFixed(1)
  console.log(
    `${name.padEnd(12)} ${median(own).toFixed(0).padStart(6)} ms  ${ratio(0)} x true  ${ratio(1)} x plan  client ${cpu('clientCpuMs')} ms  host ${cpu('hostCpuMs')} ms  ${median(column(index, 'processes')).toFixed(0)} processes`,
  )
}
