import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { RunRequest } from '../../src/converge/request.ts'
import { runPlaybook } from '../../src/converge/run.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import type { Host } from '../../src/inventory/types.ts'
import type { RunEventBody } from '../../src/model/event.ts'
import { planItems, type Plan } from '../../src/model/plan.ts'
import type { Problem } from '../../src/model/problem.ts'
import { Secret } from '../../src/model/secret.ts'
import type { Value } from '../../src/model/value.ts'
import { modules } from '../../src/modules/registry.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import type { Connect } from '../../src/transport/channel.ts'
import { createConnector } from '../../src/transport/connect.ts'
import type { LabDescription } from '../lab/lab.ts'
import { testTransport } from '../lab/transport.ts'

export const rollout = 'playbooks/rollout.yml'

export interface Drive extends Partial<
  Pick<
    RunRequest,
    | 'limit'
    | 'tags'
    | 'skipTags'
    | 'acceptNewIdentity'
    | 'diff'
    | 'approve'
    | 'stop'
    | 'abort'
    | 'run'
    | 'operator'
    | 'concurrency'
    | 'verify'
  >
> {
  /** File. The rollout that is shipped, where none is given. */
  readonly playbook?: string
  /** Another inventory than the lab's. */
  readonly inventory?: string
  readonly extraVars?: Readonly<Record<string, unknown>>
  readonly becomePassword?: string
  /** Every host is a cluster of its own: what others are at meanwhile is nothing to it. */
  readonly apart?: true
  /** Another transport than the tests' own. */
  readonly transport?: 'openssh'
  /** Another way to the hosts than ssh. */
  readonly connect?: Connect
  /** Told of each event as it comes. */
  readonly onEvent?: (event: RunEventBody) => void
}

/** The member that may have type `T`; some members stand for two types. */
type Event<T, E = RunEventBody> = E extends { readonly type: infer K } ? (T extends K ? E : never) : never

/** A run as it was told: what a report would have got. */
export interface Driven {
  readonly exitCode: number
  readonly events: readonly RunEventBody[]
  /** Events of one type and, where one is named, of one host. */
  of<T extends RunEventBody['type']>(type: T, host?: string): readonly Event<T>[]
  /** The plan that was shown for a host, a line an attribute: `directory:/x mode 0755 -> 0750`. */
  planned(host: string): readonly string[]
  /** Keys of the changes and checks of the plan that was shown, in order. */
  keys(host: string): readonly string[]
  /** Keys of what was done, in order. */
  done(host: string): readonly string[]
  ended(host: string): Event<'host-ended'>
  /** The problem that a host ended with; throws where it has none. */
  problem(host: string): Problem
}

/** Runs a playbook as the command line does, over ssh if nothing else is said, and collects the events. */
export async function drive(
  lab: LabDescription,
  command: 'plan' | 'converge',
  options: Drive = {},
): Promise<Driven> {
  const { playbook = rollout, onEvent, becomePassword, inventory, apart, ...others } = options
  const { transport, connect, ...request } = others
  const extraVars = new Map(Object.entries(options.extraVars ?? {}))
  const events: RunEventBody[] = []
  await using connector = createConnector()
  const never = new AbortController().signal
  const loaded = loadInventory(inventory ?? lab.inventoryFile, {
    extraVars,
    ssh: {
      kind: 'ssh',
      ...(transport === undefined ? testTransport() : { transport }),
      connectTimeoutMs: 10_000,
      ...(becomePassword === undefined
        ? {}
        : { becomePassword: new Secret('become', Buffer.from(becomePassword)) }),
    },
  })
  const { exitCode } = await runPlaybook({
    tags: [],
    diff: false,
    concurrency: 50,
    stop: never,
    abort: never,
    operator: 'tester@bench',
    run: `run-${String(Math.floor(Math.random() * 1e9))}`,
    ...request,
    command,
    extraVars,
    playbook: loadPlaybook(playbook, { modules: new Set(modules.keys()) }),
    inventory: apart === true ? { ...loaded, hosts: loaded.hosts.map(isolated) } : loaded,
    connect: connect ?? connector.connect,
    emit: (event) => {
      events.push(event)
      onEvent?.(event)
    },
  })
  return told(exitCode, events)
}

const isolated = (host: Host): Host => ({ ...host, cluster: host.name })

function told(exitCode: number, events: readonly RunEventBody[]): Driven {
  const of: Driven['of'] = (type, host) =>
    events.filter(
      (event): event is Event<typeof type> =>
        event.type === type && (host === undefined || ('host' in event && event.host === host)),
    )
  const plan = (host: string): Plan => {
    const [event] = of('planned', host)
    if (event === undefined) throw new Error(`expected a plan of ${host}, found ${JSON.stringify(events)}`)
    return event.plan
  }
  const ended: Driven['ended'] = (host) => {
    const [event] = of('host-ended', host)
    if (event === undefined) throw new Error(`expected ${host} to end, found ${JSON.stringify(events)}`)
    return event
  }
  return {
    exitCode,
    events,
    of,
    planned: (host) => differences(plan(host)),
    keys: (host) => planItems(plan(host)).map(({ key }) => key),
    done: (host) => of('done', host).map(({ change }) => change),
    ended,
    problem: (host) => {
      const { problem, outcome } = ended(host)
      if (problem === undefined) throw new Error(`expected a problem of ${host}, found outcome ${outcome}`)
      return problem
    },
  }
}

/** A line for each attribute of each change and check. */
export function differences(plan: Plan): readonly string[] {
  return planItems(plan).flatMap((item) => {
    if (item.item === 'refused') return [`refused ${item.problem.message}`]
    if (item.item === 'undecided') return [`undecided ${item.key}`]
    if (item.item === 'check' && item.state === 'pending') return [`${item.resource} pending`]
    return item.differences.map(
      ({ attribute, from, to }) => `${item.resource} ${attribute} ${value(from)} -> ${value(to)}`,
    )
  })
}

const value = (shown: Value<string>): string =>
  shown.known ? shown.value : `(${shown.field} known after ${shown.after})`

/** A folder for files of one test, gone with it. */
export interface Desk extends Disposable {
  readonly folder: string
  /** Writes a file and gives its path. */
  file(name: string, text: string): string
  /** Writes a playbook of one play and gives its path. */
  playbook(play: Readonly<Record<string, unknown>>): string
}

export function openDesk(): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-converge-'))
  let books = 0
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  return {
    folder,
    file,
    playbook: (play) => {
      books += 1
      return file(`play-${String(books)}.yml`, stringify([{ hosts: 'all', ...play }], { lineWidth: 0 }))
    },
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
