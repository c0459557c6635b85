import { HostValue } from './host-value.ts'
import type { WrittenTask } from './write.ts'

const brand = Symbol.for('kmsfleet.tasks')

/** The variables that the tasks read, each one a value that the host gives. */
export type VariablesOf<Variables> = { readonly [Name in keyof Variables]-?: HostValue<Variables[Name]> }

/** A list of tasks that code writes. */
export interface TaskCode {
  readonly [brand]: true
  write(): readonly WrittenTask[] | Promise<readonly WrittenTask[]>
}

/**
 * The tasks of a role or play: `export default defineTasks<Variables>((vars) => [...])`. The function is called once
 * in a run, before any host is contacted, and its tasks are for all hosts; `Variables` says which variables there
 * are and what they hold.
 */
export function defineTasks<Variables extends object>(
  write: (vars: VariablesOf<Variables>) => readonly WrittenTask[] | Promise<readonly WrittenTask[]>,
): TaskCode {
  return { [brand]: true, write: () => write(variables<Variables>()) }
}

function variables<Variables extends object>(): VariablesOf<Variables> {
  return new Proxy(Object.create(null) as VariablesOf<Variables>, {
    get: (_, name) => (typeof name === 'string' ? new HostValue(name) : undefined),
  })
}

export function isTaskCode(value: unknown): value is TaskCode {
  return typeof value === 'object' && value !== null && brand in value
}
