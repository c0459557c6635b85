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
  /** All elements of the task's loop were looked at, which may be none. */
  ended(task: Task): void
  registered(): Registered
  /** The same, with what the task itself gave when it was last run. */
  seenBy(task: Task, result: DoneResult | undefined): Registered
}

/** What one task left under a name; of tasks with the same name the last counts, as in Ansible. */
interface Registration {
  readonly task: string
  readonly looped: boolean
  readonly list: Result[]
}

interface Result {
  readonly changed: boolean
  readonly rc?: number
  readonly stdout?: HostText
}

/** `changed` is predicted; what only the host can say (a command's status and output) waits until it was run. */
export function createRegisters(done: ReadonlyMap<string, DoneResult>): Registers {
  const results = new Map<string, Registration>()
  const pending = new Map<string, { readonly task: string; readonly origin: Origin }>()
  const registered = (): Registered =>
    new Map<string, unknown>([
      ...[...results].map(([name, registration]) => [name, asVariable(registration)] as const),
      ...[...pending].map(([name, { origin }]) => [name, new UnknownText([origin])] as const),
    ])
  const wait = (name: string, task: Task, id: string): void => {
    pending.set(name, { task: task.id, origin: { after: `task:${id}`, field: 'result' } })
  }
  const registrationOf = (name: string, { id, loop }: Task): Registration => {
    if (pending.get(name)?.task !== id) pending.delete(name)
    const before = results.get(name)
    if (before?.task === id) return before
    const made: Registration = { task: id, looped: loop !== undefined, list: [] }
    results.set(name, made)
    return made
  }
  return {
    record: (task, ref, changes, keys) => {
      if (task.register === undefined) return
      const made = keys.map((key) => done.get(key)).filter((result) => result !== undefined)
      if (changes && task.module === 'command') {
        wait(task.register, task, ref.id)
        return
      }
      const command = made.find((result) => result.status !== undefined)
      registrationOf(task.register, task).list.push(resultOf(changes || made.length > 0, command))
    },
    wait: (task) => {
      if (task.register !== undefined) wait(task.register, task, task.id)
    },
    ended: (task) => {
      if (task.register !== undefined && task.loop !== undefined) registrationOf(task.register, task)
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
function asVariable({ looped, list }: Registration): unknown {
  return looped ? { changed: list.some((result) => result.changed), results: list } : list[0]
}
