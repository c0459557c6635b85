import type { KmsfleetError } from '../../errors/error.ts'
import type { Place } from '../../errors/place.ts'
import type { AccessRule } from '../../playbook/access-keywords.ts'
import type { Actor, MatrixRule, Target } from '../../model/access.ts'
import { type KnownNames, refuseUnknown } from './names.ts'
import { holds, pathAt, type Part } from './part.ts'

/** What rules may name on this host, and what any document names: of the latter, another host has it. */
export interface Names {
  readonly actors: ReadonlyMap<string, Actor>
  readonly classes: ReadonlyMap<string, readonly Target[]>
  readonly anywhere: KnownNames
}

/** The rules of one document, one for each actor, action and object. */
export function rulesOf(part: Part, names: Names, errors: KmsfleetError[]): readonly MatrixRule[] {
  return part.document.value.rules.flatMap((rule, index) => {
    if (!holds(part, rule.when, ['rules', index, 'when'])) return []
    const shared = sharedOf(part, rule, index)
    return actorsOf(part, rule, index, names, errors).flatMap((actor) =>
      (rule.must ?? rule.must_not ?? []).flatMap((action) =>
        rule.objects.flatMap((written, element): readonly MatrixRule[] => {
          const path = ['rules', index, 'objects', element]
          if (action === 'signal') {
            const place = part.document.place(path)
            return signalled(written, names, place, errors).map((target) => ({
              ...shared,
              actor,
              action,
              target,
            }))
          }
          const { targets, objectClass } = targetsOf(part, written, path, names, errors)
          return targets.map((target) => ({ ...shared, actor, action, target, ...objectClass }))
        }),
      ),
    )
  })
}

function sharedOf(
  part: Part,
  { must, because, source, not_enforceable: declared }: AccessRule,
  index: number,
): Omit<MatrixRule, 'actor' | 'action' | 'target'> {
  const excused =
    declared !== undefined && holds(part, declared.when, ['rules', index, 'not_enforceable', 'when'])
  return {
    must: must !== undefined,
    because,
    source,
    place: part.document.place(['rules', index]),
    ...(excused ? { notEnforceable: declared.because } : {}),
  }
}

function actorsOf(
  part: Part,
  rule: AccessRule,
  index: number,
  { actors, anywhere }: Names,
  errors: KmsfleetError[],
): readonly string[] {
  return rule.actor.filter((name) => {
    const place = part.document.place(['rules', index, 'actor'])
    refuseUnknown('an actor', name, anywhere.actors, place, errors)
    return actors.has(name)
  })
}

function signalled(
  name: string,
  { actors, anywhere }: Names,
  place: Place,
  errors: KmsfleetError[],
): readonly Target[] {
  refuseUnknown('an actor', name, anywhere.actors, place, errors)
  return actors.has(name) ? [{ is: 'actor', name }] : []
}

interface Targets {
  readonly targets: readonly Target[]
  readonly objectClass?: { readonly objectClass: string }
}

function targetsOf(
  part: Part,
  written: string,
  path: readonly PropertyKey[],
  { classes, anywhere }: Names,
  errors: KmsfleetError[],
): Targets {
  if (written.startsWith('/') || written.includes('{{')) {
    return { targets: [{ is: 'path', path: pathAt(part, written, path) }] }
  }
  const place = part.document.place(path)
  refuseUnknown('a path or the name of objects', written, anywhere.classes, place, errors)
  return { targets: classes.get(written) ?? [], objectClass: { objectClass: written } }
}
