import type { AccessObject } from '../../playbook/access-keywords.ts'
import type { Target } from '../../model/access.ts'
import { holds, pathAt, type Part } from './part.ts'

/** Objects by the name that the matrix gives them; what several documents put under one name is put together. */
export function classesOf(parts: readonly Part[]): ReadonlyMap<string, readonly Target[]> {
  const classes = new Map<string, readonly Target[]>()
  for (const part of parts) {
    for (const [name, entries] of Object.entries(part.document.value.objects)) {
      const targets = entries.flatMap((entry, index): readonly Target[] => {
        const path = ['objects', name, index]
        return holds(part, entry.when, [...path, 'when']) ? [targetOf(part, entry, path)] : []
      })
      classes.set(name, [...(classes.get(name) ?? []), ...targets])
    }
  }
  return classes
}

function targetOf(part: Part, entry: AccessObject, path: readonly PropertyKey[]): Target {
  if ('named_in' in entry) {
    return { is: 'named', file: pathAt(part, entry.named_in, [...path, 'named_in']), keys: entry.keys }
  }
  if ('others_in' in entry) {
    return { is: 'others', folder: pathAt(part, entry.others_in, [...path, 'others_in']) }
  }
  return { is: 'path', path: pathAt(part, entry.path, [...path, 'path']) }
}
