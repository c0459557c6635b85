import type { Actor, Check, Matrix } from '../../model/access.ts'
import type { Snapshot } from '../../model/facts.ts'
import type { Accounts } from '../actors/accounts.ts'

/** What is known of a host when it is checked for what no rule of the matrix says. */
export interface Looked {
  readonly matrix: Matrix
  readonly snapshot: Snapshot
  readonly accounts: Accounts
}

/** Names of objects that the shipped roles use, and that these checks go by. */
export const objects = {
  authMaterial: 'auth material',
  configuration: 'configuration',
  encryption: 'encryption configuration',
  program: 'provider program',
  registry: 'key registry',
  runtime: 'runtime directory',
  socket: 'socket',
  state: 'provider state',
  strays: 'stray copies',
  trust: 'trust anchors',
} as const

/** Paths that the matrix has under this name. */
export function pathsOf({ rules }: Matrix, objectClass: string): readonly string[] {
  return unique(
    rules.flatMap((rule) =>
      rule.objectClass === objectClass && rule.target.is === 'path' ? [rule.target.path] : [],
    ),
  )
}

/** Directories of which the matrix has under this name all that it does not name. */
export function foldersOf({ rules }: Matrix, objectClass: string): readonly string[] {
  return unique(
    rules.flatMap((rule) =>
      rule.objectClass === objectClass && rule.target.is === 'others' ? [rule.target.folder] : [],
    ),
  )
}

/** The actor that logs in with the auth material: all that is said of the provider is said of it. */
export function providerOf({ actors, rules }: Matrix): Actor | undefined {
  const rule = rules.find(
    ({ objectClass, must, action }) => objectClass === objects.authMaterial && must && action === 'read',
  )
  return rule === undefined ? undefined : actors.get(rule.actor)
}

/** Groups that the provider has beside its own: those that others reach its socket by. */
export function socketGroupsOf({ group, groups = [] }: Actor): readonly string[] {
  return groups.filter((each) => each !== group)
}

/** A check that is violated by each of the findings, and passes where there is none. */
export function checked(
  source: string,
  subject: string,
  expected: string,
  findings: readonly string[],
): Check {
  return {
    ...{ subject, expected, source, finding: findings.join('; ') },
    verdict: findings.length === 0 ? 'pass' : 'violated',
  }
}

export function doubted(source: string, subject: string, expected: string, finding: string): Check {
  return { subject, expected, verdict: 'unknown', finding, source }
}

/** A check that is violated by findings, and passes where there are none and nothing is in doubt. */
export function weighed(
  source: string,
  subject: string,
  expected: string,
  { findings, doubts }: { readonly findings: readonly string[]; readonly doubts: readonly string[] },
): Check {
  return findings.length === 0 && doubts.length > 0
    ? doubted(source, subject, expected, doubts.join('; '))
    : checked(source, subject, expected, findings)
}

/** Why it is not known what stands at a path; undefined where it is. */
export function doubtOf({ paths }: Snapshot, path: string): string | undefined {
  const fact = paths.get(path)
  if (fact === undefined) return `${path} was not looked at`
  return fact.is === 'unreadable' ? fact.problem.message : undefined
}

/** Is `path` the directory itself, or below it? */
export function isIn(path: string, directory: string): boolean {
  return path === directory || directory === '/' || path.startsWith(`${directory}/`)
}

export function isNumber(account: string): boolean {
  return /^[0-9]{1,10}$/.test(account)
}

export function unique<T>(list: readonly T[]): readonly T[] {
  return [...new Set(list)]
}
