import type { Check, Matrix, MatrixRule, Rule } from '../model/access.ts'
import type { Snapshot } from '../model/facts.ts'
import { isPlainPath } from '../resources/common/paths.ts'
import { hostDocument, valueAt } from './host-document.ts'

/** The rules of a host once it is known what its directories and its configuration hold. */
export interface Resolved {
  readonly rules: readonly Rule[]
  /** What could not be resolved: it is not proved. */
  readonly checks: readonly Check[]
}

const source = 'Auth material is what the configuration names, and every copy beside it'

/** Puts paths in the place of what the matrix says in general. */
export function resolveRules(matrix: Matrix, snapshot: Snapshot): Resolved {
  const checks = new Map<string, Check>()
  const doubt = (subject: string, expected: string, finding: string): readonly [] => {
    checks.set(subject, { subject, expected, verdict: 'unknown', finding, source })
    return []
  }
  const named = new Map<string, readonly string[]>()
  for (const { target } of matrix.rules) {
    if (target.is !== 'named') continue
    const key = namedKey(target.file, target.keys)
    if (named.has(key)) continue
    const { paths, doubts } = namedIn(target.file, target.keys, snapshot)
    named.set(key, paths)
    if (doubts.length > 0) doubt(target.file, 'it tells which files it names', doubts.join('; '))
  }
  const known = [
    ...matrix.rules.flatMap(({ target }) =>
      target.is === 'path'
        ? [target.path]
        : target.is === 'others'
          ? [target.folder]
          : target.is === 'named'
            ? [target.file]
            : [],
    ),
    ...[...named.values()].flat(),
  ]
  const strays = new Map<string, readonly string[]>()
  for (const { target } of matrix.rules) {
    if (target.is !== 'others' || strays.has(target.folder)) continue
    const found = othersIn(target.folder, known, snapshot)
    strays.set(
      target.folder,
      typeof found === 'string' ? doubt(target.folder, 'all that stands in it is known', found) : found,
    )
  }
  const objectsOf = ({ target }: MatrixRule): readonly string[] => {
    switch (target.is) {
      case 'path':
        return [target.path]
      case 'actor':
        return [target.name]
      case 'named':
        return named.get(namedKey(target.file, target.keys)) ?? []
      case 'others':
        return strays.get(target.folder) ?? []
    }
  }
  const rules = matrix.rules.flatMap((rule) => {
    const { actor, action, objectClass, must, because, source, place, notEnforceable } = rule
    return objectsOf(rule).map((object): Rule => ({
      ...{ actor, action, object, must, because, source, place },
      ...(objectClass === undefined ? {} : { objectClass }),
      ...(notEnforceable === undefined ? {} : { notEnforceable }),
    }))
  })
  return { rules: withoutRepeats(rules), checks: [...checks.values()] }
}

/**
 * The same access asked for by two rules, such as of a path that the configuration names too, is one. One that excuses the
 * host gives way: the other holds there.
 */
function withoutRepeats(rules: readonly Rule[]): readonly Rule[] {
  const kept = new Map<string, Rule>()
  for (const rule of rules) {
    const key = JSON.stringify([rule.actor, rule.action, rule.object, rule.must])
    const before = kept.get(key)
    if (before === undefined || (before.notEnforceable !== undefined && rule.notEnforceable === undefined)) {
      kept.set(key, rule)
    }
  }
  return [...kept.values()]
}

const namedKey = (file: string, keys: readonly string[]): string => JSON.stringify([file, keys])

/** The paths that files on the host name for the objects of this name. */
export function namedPaths({ rules }: Matrix, objectClass: string, snapshot: Snapshot): readonly string[] {
  const found = rules.flatMap((rule) =>
    rule.objectClass === objectClass && rule.target.is === 'named'
      ? namedIn(rule.target.file, rule.target.keys, snapshot).paths
      : [],
  )
  return [...new Set(found)]
}

interface Named {
  readonly paths: readonly string[]
  /** What it names and is no path, or why it is not known. */
  readonly doubts: readonly string[]
}

/** The paths that stand at these keys of a YAML file on the host. */
function namedIn(file: string, keys: readonly string[], snapshot: Snapshot): Named {
  const document = hostDocument(file, snapshot)
  if (document.is === 'unknown') return { paths: [], doubts: [document.because] }
  const values = keys.map((key) => [key, valueAt(document.value, key)] as const)
  const isPath = (value: unknown): value is string => typeof value === 'string' && isPlainPath(value)
  return {
    paths: values.flatMap(([, value]) => (isPath(value) ? [value] : [])),
    // The value is not told: somebody may have put there what belongs into the file.
    doubts: values.flatMap(([key, value]) =>
      isPath(value) || value === undefined || value === null || value === ''
        ? []
        : [`${key} is no absolute path in its shortest form`],
    ),
  }
}

/** What stands in a folder beside what is known, or leads to what is known. */
function othersIn(
  folder: string,
  known: readonly string[],
  { entries }: Snapshot,
): readonly string[] | string {
  const fact = entries.get(folder)
  if (fact === undefined || fact.is === 'absent') return []
  if (fact.is === 'unreadable') return fact.problem.message
  // A path is asked about on a line of its own.
  if (fact.state.names.some((name) => /[\n\ufffd]/.test(name)))
    return 'a name in it cannot be written on a line'
  if (fact.state.more) return `more than ${String(fact.state.names.length)} things stand in it`
  const below = folder === '/' ? '/' : `${folder}/`
  const expected = new Set(
    known.filter((path) => path.startsWith(below)).map((path) => path.slice(below.length).split('/')[0]),
  )
  return fact.state.names.filter((name) => !expected.has(name)).map((name) => `${below}${name}`)
}
