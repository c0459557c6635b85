import type { RunEvent, RunEventBody } from '../../src/model/event.ts'
import type { Change, Check, Item, Plan, Refusal, Undecided } from '../../src/model/plan.ts'
import type { Difference, ResourceId, TaskRef } from '../../src/model/resource.ts'
import { createEventStream } from '../../src/model/stream.ts'
import { known, unknown, type Origin } from '../../src/model/value.ts'
import { plainLine, type Line } from '../../src/report/paint.ts'

export const socketGid: Origin = { after: 'group:openbao-kms-socket', field: 'gid' }

export function task(name: string, line = 1): TaskRef {
  return { id: `play/${String(line)}`, name, place: { file: 'roles/x/tasks/main.yml', line, column: 3 } }
}

export function differs(attribute: string, from: string, to: string | Origin): Difference {
  return { attribute, from: known(from), to: typeof to === 'string' ? known(to) : unknown(to) }
}

export function change(
  resource: ResourceId,
  differences: readonly Difference[],
  more: Partial<Change> = {},
): Change {
  return {
    item: 'change',
    key: `${resource}@play/1`,
    resource,
    task: task('A task'),
    differences,
    ops: [],
    effects: [],
    disruptive: false,
    provisional: false,
    owes: [],
    settles: [],
    ...more,
  }
}

export function check(
  resource: ResourceId,
  state: Check['state'],
  differences: readonly Difference[] = [],
): Check {
  return {
    item: 'check',
    key: `${resource}@play/2`,
    resource,
    task: task('Wait', 2),
    state,
    differences,
    ops: [],
  }
}

export function undecided(what: Undecided['what'], after: readonly Origin[]): Undecided {
  return { item: 'undecided', key: 'task@play/3', task: task('Maybe', 3), what, after }
}

export function refused(resource: ResourceId, message: string, hint: string): Refusal {
  return {
    item: 'refused',
    key: `${resource}@play/4`,
    resource,
    task: task('Cannot', 4),
    problem: { code: 'module.conflict', message, hint },
  }
}

/** A plan of stages; the values between them are what the next one needs. */
export function planOf(host: string, stages: readonly (readonly Item[])[], more: Partial<Plan> = {}): Plan {
  return {
    host,
    stages: stages.map((items, index) => ({ items, needs: index === stages.length - 1 ? [] : [socketGid] })),
    due: [],
    unchanged: 0,
    notCompared: [],
    remarks: [],
    ...more,
  }
}

export const cost = { milliseconds: 1200, roundTrips: 2, bytesSent: 10, bytesReceived: 20 }

/** Numbers and dates events as the stream does. */
export function events(bodies: readonly RunEventBody[]): readonly RunEvent[] {
  const list: RunEvent[] = []
  const { emit } = createEventStream([(event) => list.push(event)], () => new Date(Date.UTC(2026, 0, 2)))
  for (const body of bodies) emit(body)
  return list
}

/** Lines as a pipe gets them. */
export function textOf(lines: readonly Line[]): string {
  return lines.map((line) => `${plainLine(line)}\n`).join('')
}

/** Takes the common indentation off an expected text. */
export function text(strings: TemplateStringsArray): string {
  const lines = (strings[0] ?? '').replace(/^\n/, '').replace(/\n *$/, '\n').split('\n')
  const indents = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length)
  return lines.map((line) => line.slice(Math.min(...indents))).join('\n')
}
