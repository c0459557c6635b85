import { runPlaybook } from '../src/converge/run.ts'
import { selectHosts } from '../src/inventory/select.ts'
import type { Host, Inventory } from '../src/inventory/types.ts'
import type { RunEventBody } from '../src/model/event.ts'
import type { Plan } from '../src/model/plan.ts'
import type { Playbook } from '../src/playbook/types.ts'
import { createConnector } from '../src/transport/connect.ts'

/** Hosts worked on at once, by the baseline too; the command line's default. */
export const concurrency = 50

type HostEnded = Extract<RunEventBody, { readonly type: 'host-ended' }>

/** How the hosts of one run ended. Sums over all hosts. */
export interface RunTotals {
  readonly changed: number
  readonly unchanged: number
  readonly roundTrips: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

export interface Fleet {
  readonly playbook: Playbook
  readonly inventory: Inventory
  /** Pattern of the hosts that take part; undefined: all. */
  readonly limit?: string
}

/** Runs the playbook in this process, as the command line does, with reports that nobody reads. */
export async function runBench(
  fleet: Fleet,
  command: 'plan' | 'converge',
  approve?: (plans: readonly Plan[]) => Promise<boolean>,
): Promise<RunTotals> {
  await using connector = createConnector()
  const ended: HostEnded[] = []
  const never = new AbortController().signal
  await runPlaybook({
    ...fleet,
    command,
    tags: [],
    extraVars: new Map(),
    connect: connector.connect,
    concurrency,
    diff: false,
    ...(approve === undefined ? {} : { approve }),
    emit: (event) => {
      if (event.type === 'failed') throw new Error(`${event.host}: ${event.problem.message}`)
      if (event.type === 'host-ended') ended.push(event)
    },
    stop: never,
    abort: never,
    operator: 'bench@localhost',
    run: 'bench',
  })
  const sum = (of: (host: HostEnded) => number): number => ended.reduce((total, host) => total + of(host), 0)
  return {
    changed: sum(({ changed }) => changed),
    unchanged: sum(({ unchanged }) => unchanged),
    roundTrips: sum(({ cost }) => cost.roundTrips),
    bytesSent: sum(({ cost }) => cost.bytesSent),
    bytesReceived: sum(({ cost }) => cost.bytesReceived),
  }
}

/** The floor that all is measured against: the same client connects to the same hosts and runs `true`. */
export async function runTrue({ inventory, limit }: Fleet): Promise<void> {
  await using connector = createConnector()
  const never = new AbortController().signal
  const queue = selectHosts(inventory, limit ?? 'all').values()
  const work = async ({ name, connection: settings }: Host): Promise<void> => {
    await using connection = await connector.connect(name, settings, never)
    await using channel = await connection.execRoot({ plain: 'true', elevated: 'true' }, never)
    const { code } = await channel.exited
    if (code !== 0) throw new Error(`expected true to end with 0 on ${name}, found ${String(code)}`)
  }
  const worker = async (): Promise<void> => {
    for (const host of queue) await work(host)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}
