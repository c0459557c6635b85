import { describeValue } from '../../document/describe.ts'
import { emptyDictionary, isDictionary, type Dictionary } from '../../document/dictionary.ts'
import type { KeyLocated } from '../../document/issues.ts'
import { KmsfleetError } from '../../errors/error.ts'
import type { Place } from '../../errors/place.ts'
import { isHostValue } from './host-value.ts'
import { placeOf } from './write.ts'

/** Keywords that hold expressions, not templates. */
const conditions: ReadonlySet<string> = new Set(['when', 'until', 'changed_when', 'failed_when'])

const blocks: ReadonlySet<string> = new Set(['block', 'rescue', 'always'])

/** As deep as YAML files may be nested. */
const deepest = 64

/**
 * What code wrote, as the document that a YAML file would be: plain data, values of hosts as templates. All parts of
 * a task have the place where the task was written.
 */
export function toDocument(written: unknown, file: string): KeyLocated {
  const start: Place = { file, line: 1, column: 1 }
  const place = (path: readonly PropertyKey[] = []): Place => nearestPlace(written, path) ?? start
  return { value: plain(written, [], place), place, keyPlace: place, source: () => undefined }
}

/** Place of the innermost task around a part. */
function nearestPlace(written: unknown, path: readonly PropertyKey[]): Place | undefined {
  let part = written
  let found: Place | undefined
  for (const key of [undefined, ...path]) {
    if (typeof part !== 'object' || part === null) break
    if (key !== undefined) part = Reflect.get(part, key)
    if (typeof part === 'object' && part !== null) found = placeOf(part) ?? found
  }
  return found
}

type PlaceOfPart = (path: readonly PropertyKey[]) => Place

function plain(value: unknown, path: readonly PropertyKey[], place: PlaceOfPart): unknown {
  if (path.length > deepest) {
    throw new KmsfleetError('playbook.invalid', 'expected data that ends, found more than 64 levels', {
      place: place(path.slice(0, 1)),
    })
  }
  if (isHostValue(value)) return isCondition(path) ? value.expression : value.toString()
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) return value.map((part, index) => plain(part, [...path, index], place))
  if (isDictionary(value)) return dictionary(value, path, place)
  const key = path.findLast((each) => typeof each === 'string')
  const subject = typeof key === 'string' ? ` for \`${key}\`` : ''
  throw new KmsfleetError(
    'playbook.invalid',
    `expected text, a number, true or false, a list or a dictionary${subject}, found ${found(value)}`,
    { place: place(path) },
  )
}

/** A condition of a task, not an argument of the same name: the way to it has no other words but those of blocks. */
function isCondition(path: readonly PropertyKey[]): boolean {
  const words = path.filter((key) => typeof key === 'string')
  const last = words.pop()
  return last !== undefined && conditions.has(last) && words.every((word) => blocks.has(word))
}

function dictionary(value: Dictionary, path: readonly PropertyKey[], place: PlaceOfPart): unknown {
  const made = emptyDictionary()
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined) continue
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
      throw new KmsfleetError('playbook.invalid', `expected another key, found \`${key}\``, {
        place: place(path),
      })
    }
    made[key] = plain(part, [...path, key], place)
  }
  return made
}

function found(value: unknown): string {
  return typeof value === 'function' ? 'a function' : describeValue(value)
}
