import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { showPlace } from '../errors/place.ts'
import type { ReadTask } from './tasks.ts'
import type { Handler } from './types.ts'

/** Longest name of the debt file that a handler has on a host. */
const longestId = 120

/** `OWNER.NAME` in `[a-z0-9._-]+`, never beginning with a dot: it is a file name on the host. */
export function handlerId(owner: string, name: string): string {
  const slug = `${owner}.${name}`
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, longestId)
  return slug === '' ? 'handler' : slug
}

/** Handlers from tasks; a name that stands twice in a play is an error, since `notify` could mean either. */
export function toHandlers(tasks: readonly ReadTask[], errors: KmsfleetError[]): readonly Handler[] {
  const names = new Map<string, Handler>()
  const ids = new Map<string, Handler>()
  for (const { owner, task } of tasks) {
    const id = handlerId(owner, task.name)
    const first = names.get(task.name) ?? ids.get(id)
    if (first !== undefined) {
      errors.push(
        new KmsfleetError(
          'playbook.duplicate',
          `expected handlers with different names, found \`${task.name}\` again after ${showPlace(first.place)}`,
          { place: task.place },
        ),
      )
      continue
    }
    const handler: Handler = { ...task, handlerId: id }
    names.set(task.name, handler)
    ids.set(id, handler)
  }
  return [...names.values()]
}

/** Every notified name must be that of a handler of the play. */
export function checkNotified(
  tasks: readonly ReadTask[],
  handlers: readonly Handler[],
  errors: KmsfleetError[],
): void {
  const names = new Set(handlers.map((handler) => handler.name))
  for (const { task, part } of tasks) {
    for (const [index, name] of task.notify.entries()) {
      if (names.has(name)) continue
      const hint = names.size === 0 ? 'the play and its roles have no handlers' : suggestion(name, names)
      errors.push(
        new KmsfleetError('playbook.unknown-handler', `expected the name of a handler, found \`${name}\``, {
          place: part.place(['notify', index]),
          ...(hint === undefined ? {} : { hint }),
        }),
      )
    }
  }
}
