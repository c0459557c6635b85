import { KmsfleetError } from '../../errors/error.ts'
import { showPlace } from '../../errors/place.ts'
import type { AccessActor } from '../../playbook/access-keywords.ts'
import type { Actor, Running } from '../../model/access.ts'
import { holds, pathAt, textAt, type Part } from './part.ts'

/** The actors of all documents by name; two documents may say the same of one, and nothing else. */
export function actorsOf(parts: readonly Part[], errors: KmsfleetError[]): ReadonlyMap<string, Actor> {
  const actors = new Map<string, Actor>()
  for (const part of parts) {
    for (const [index, written] of part.document.value.actors.entries()) {
      if (!holds(part, written.when, ['actors', index, 'when'])) continue
      const actor = actorOf(part, written, index)
      const before = actors.get(actor.name)
      if (before === undefined) actors.set(actor.name, actor)
      else if (!same(before, actor)) errors.push(twice(before, actor))
    }
  }
  return actors
}

function actorOf(part: Part, written: AccessActor, index: number): Actor {
  const { name, description, user, group, groups, capabilities } = written
  const running = runningOf(part, written, index)
  return {
    name,
    description,
    ...(running === undefined ? {} : { running }),
    user: textAt(part, user, ['actors', index, 'user']),
    ...(group === undefined ? {} : { group: textAt(part, group, ['actors', index, 'group']) }),
    ...(groups === undefined
      ? {}
      : {
          groups: groups.map((each, element) => textAt(part, each, ['actors', index, 'groups', element])),
        }),
    capabilities,
    place: part.document.place(['actors', index]),
  }
}

function runningOf(part: Part, { name, unit, pod }: AccessActor, index: number): Running | undefined {
  const at = (...keys: readonly string[]): readonly PropertyKey[] => ['actors', index, ...keys]
  if (unit !== undefined && pod !== undefined) {
    throw new KmsfleetError('access.matrix', `expected a unit or a pod for the actor ${name}, found both`, {
      place: part.document.place(at()),
    })
  }
  if (unit !== undefined) return { by: 'unit', unit: textAt(part, unit, at('unit')) }
  if (pod === undefined) return undefined
  return {
    by: 'pod',
    namespace: textAt(part, pod.namespace, at('pod', 'namespace')),
    name: textAt(part, pod.name, at('pod', 'name')),
    manifest: pathAt(part, pod.manifest, at('pod', 'manifest')),
    ...(pod.container === undefined
      ? {}
      : { container: textAt(part, pod.container, at('pod', 'container')) }),
  }
}

function same(left: Actor, right: Actor): boolean {
  const plain = (actor: Actor): string => JSON.stringify({ ...actor, place: null, description: null })
  return plain(left) === plain(right)
}

function twice(before: Actor, { name, place }: Actor): KmsfleetError {
  return new KmsfleetError(
    'access.matrix',
    `expected one actor ${name}, found another one at ${showPlace(before.place)}`,
    { place },
  )
}
