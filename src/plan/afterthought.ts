import { showPlace } from '../errors/place.ts'
import type { Problem } from '../model/problem.ts'
import type { Effect, Resource, Subject, TaskRef, World } from '../model/resource.ts'
import { type Draft, draftOf } from './items.ts'

/**
 * Finds what a later task of the plan undoes: a group that shall have no further member, and then a user whose primary
 * group it is to be. Each task for itself is right where it stands; only the end of the play shows that both cannot be,
 * and without this it would be a failed proof after changes.
 */
export interface Afterthought {
  /** The resource was planned, and its effects were laid over the world. */
  saw(resource: Resource, ref: TaskRef): void
  /** A change is about to be laid over the world. */
  changes(effects: readonly Effect[], ref: TaskRef): void
  /** Refusals of what is not as it was asked for in the world at the end of the plan. */
  refusals(end: World): readonly Draft[]
}

interface Seen {
  readonly resource: Resource
  readonly ref: TaskRef
  /** The last task that changed an account which the resource looks at. */
  touchedBy?: TaskRef
}

/** Only accounts are looked at again: of a path or a unit two tasks with different wishes are told apart by its claim. */
export function createAfterthought(): Afterthought {
  const lookers = new Map<Subject, Seen[]>()
  const touched = new Set<Seen>()
  return {
    saw: (resource, ref) => {
      const seen: Seen = { resource, ref }
      for (const atom of resource.atoms) {
        if (atom.atom !== 'group' && atom.atom !== 'user') continue
        const subject: Subject = `${atom.atom}:${atom.name}`
        lookers.set(subject, [...(lookers.get(subject) ?? []), seen])
      }
    },
    changes: (effects, ref) => {
      for (const effect of effects) {
        if (effect.set !== 'group' && effect.set !== 'user') continue
        for (const seen of lookers.get(`${effect.set}:${effect.key}`) ?? []) {
          seen.touchedBy = ref
          touched.add(seen)
        }
      }
    },
    refusals: (end) =>
      [...touched].flatMap(({ resource, ref, touchedBy = ref }) => {
        const problem = contradiction(resource, touchedBy, end)
        return problem === undefined ? [] : [draftOf({ is: 'refused', problem }, resource, ref, [], [])]
      }),
  }
}

function contradiction(resource: Resource, by: TaskRef, end: World): Problem | undefined {
  const planned = resource.plan(end)
  const later = `the task '${by.name}' (${showPlace(by.place)})`
  if (planned.is === 'refused') {
    return { ...planned.problem, message: `${planned.problem.message}; that is what ${later} makes of it` }
  }
  if (planned.is !== 'change' || planned.provisional) return undefined
  const attributes = planned.differences.map(({ attribute }) => attribute).join(', ')
  return {
    code: 'module.conflict',
    subject: resource.id,
    message: `expected ${resource.id} to stay as this task makes it, found that ${later} makes another of it: ${attributes}`,
    hint: 'Let both ask for the same.',
  }
}

/** The plan's items, with refusals in the place of what they are about. */
export function refusing(drafts: readonly Draft[], refusals: readonly Draft[]): readonly Draft[] {
  const refused = new Set(refusals.map(({ item }) => item.key))
  return [...drafts.filter(({ item }) => !refused.has(item.key)), ...refusals]
}
