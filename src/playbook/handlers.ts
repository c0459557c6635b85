import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { showPlace } from '../errors/place.ts'
import type { Notified, ReadTask } from './reading.ts'
import type { Handler, Task } from './types.ts'

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

/** The handlers of a play, found by what `notify` says. */
export interface HandlerNames {
  readonly all: readonly NamedHandler[]
  /** handlerIds of the handlers that a task of this owner means; none where there is no such handler. */
  find(name: string, owner: string): readonly string[]
  /** All that `notify` may say. */
  readonly known: ReadonlySet<string>
}

interface NamedHandler {
  readonly read: ReadTask
  readonly handlerId: string
}

/**
 * Names of handlers; one that stands twice is an error, since `notify` could mean either. Only a role that is used
 * several times, with different parameters, may have each of its handlers several times: its own tasks notify their
 * own, and all others notify all of them.
 */
export function nameHandlers(handlers: readonly ReadTask[], errors: KmsfleetError[]): HandlerNames {
  const all: NamedHandler[] = []
  for (const read of handlers) {
    const id = handlerId(read.owner, read.task.name)
    const first = all.find(
      (each) =>
        each.handlerId === id || (each.read.task.name === read.task.name && !isSameRole(each.read, read)),
    )
    if (first === undefined) all.push({ read, handlerId: id })
    else {
      errors.push(
        new KmsfleetError(
          'playbook.duplicate',
          `expected handlers with different names, found \`${read.task.name}\` again after ${showPlace(first.read.task.place)}`,
          { place: read.task.place },
        ),
      )
    }
  }
  return {
    all,
    known: new Set(all.flatMap(({ read }) => namesOf(read))),
    find: (name, owner) => {
      const meant = all.filter(({ read }) => namesOf(read).includes(name))
      const own = meant.filter(({ read }) => read.owner === owner)
      return meant
        .filter(({ read }) => !own.some((each) => isSameRole(each.read, read)))
        .map((each) => each.handlerId)
    },
  }
}

/** Two uses of one role. */
function isSameRole(left: ReadTask, right: ReadTask): boolean {
  const folder = left.task.role?.folder
  return folder !== undefined && folder === right.task.role?.folder && left.owner !== right.owner
}

/** A handler is notified by its name, by `ROLE : NAME`, and by the topics that it listens to. */
function namesOf({ task, listen }: ReadTask): readonly string[] {
  return [task.name, ...(task.role === undefined ? [] : [`${task.role.name} : ${task.name}`]), ...listen]
}

/** The task with the handlers that it notifies; every name must be one. */
export function resolveNotified(
  { task, notified, owner }: ReadTask,
  handlers: HandlerNames,
  errors: KmsfleetError[],
): Task {
  const notify = notified.flatMap(({ name, place }) => {
    const ids = handlers.find(name, owner)
    if (ids.length === 0) errors.push(unknownHandler({ name, place }, handlers.known))
    return ids
  })
  return { ...task, notify: [...new Set(notify)] }
}

function unknownHandler({ name, place }: Notified, known: ReadonlySet<string>): KmsfleetError {
  const hint = known.size === 0 ? 'the play and its roles have no handlers' : suggestion(name, known)
  return new KmsfleetError('playbook.unknown-handler', `expected the name of a handler, found \`${name}\``, {
    place,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The handlers as they run at a flush before the end of the play: nothing that is done there is done at the end. */
export function flushed(handlers: readonly Handler[], flush: number): readonly Handler[] {
  return handlers.map((handler) => ({ ...handler, id: `${handler.id}~${String(flush)}` }))
}
