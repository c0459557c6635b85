import type { HandlerId } from '../model/plan.ts'
import type { TaskRef } from '../model/resource.ts'
import type { Origin } from '../model/value.ts'
import type { Task } from '../playbook/types.ts'
import { HostText } from '../model/host-text.ts'
import { UnknownText } from '../model/text.ts'
import type { Registered } from './expand.ts'

/** What a change that was made in this run left behind. */
export interface DoneResult {
  /** Exit status and standard output of a command. */
  readonly status?: number
  readonly output?: string
  /** Handlers whose debt it left on the host, and those that it paid for. */
  readonly owes?: readonly HandlerId[]
  readonly settles?: readonly HandlerId[]
  /** How often it was run. */
  readonly runs?: number
}

/** Results under the names that tasks `register`, as later tasks of the plan may read them. */
export interface Registers {
  record(task: Task, ref: TaskRef, changes: boolean, keys: readonly string[]): void
  /** The task itself waits for something: so does all that reads its result. */
  wait(task: Task): void
  registered(): Registered
  /** The same, with what the task itself gave when it was last run. */
  seenBy(task: Task, result: DoneResult | undefined): Registered
}

interface Result {
  readonly changed: boolean
  readonly rc?: number
  readonly stdout?: HostText
}

/** `changed` is predicted; what only the host can say (a command's status and output) waits until it was run. */
export function createRegisters(done: ReadonlyMap<string, DoneResult>): Registers {
  const results = new Map<string, Result[]>()
  const pending = new Map<string, Origin>()
  const registered = (): Registered =>
    new Map<string, unknown>([
      ...[...results].map(([name, list]) => [name, asVariable(list)] as const),
      ...[...pending].map(([name, origin]) => [name, new UnknownText([origin])] as const),
    ])
  return {
    record: (task, ref, changes, keys) => {
      if (task.register === undefined) return
      const made = keys.map((key) => done.get(key)).filter((result) => result !== undefined)
      if (changes && task.module === 'command') {
        pending.set(task.register, { after: `task:${ref.id}`, field: 'result' })
        return
      }
      const command = made.find((result) => result.status !== undefined)
      const list = results.get(task.register) ?? []
      list.push(resultOf(changes || made.length > 0, command))
      results.set(task.register, list)
    },
    wait: (task) => {
      if (task.register !== undefined)
        pending.set(task.register, { after: `task:${task.id}`, field: 'result' })
    },
    registered,
    seenBy: (task, result) =>
      task.register === undefined || result === undefined
        ? registered()
        : new Map([...registered(), [task.register, resultOf(true, result)]]),
  }
}

function resultOf(changed: boolean, command: DoneResult | undefined): Result {
  return {
    changed,
    ...(command?.status === undefined ? {} : { rc: command.status }),
    ...(command?.output === undefined ? {} : { stdout: new HostText(command.output) }),
  }
}

/** One result as it is; of a loop, `changed` of any and the list, as in Ansible. */
function asVariable(list: readonly Result[]): unknown {
  return list.length === 1 ? list[0] : { changed: list.some((result) => result.changed), results: list }
}
