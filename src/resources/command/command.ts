import type { Identity } from '../../model/identity.ts'
import type { Effect, Planned, Resource, World } from '../../model/resource.ts'
import type { ReadAtom, TestAtom } from '../../model/wire.ts'
import { identityAtoms, missingIdentity } from '../common/identity.ts'
import { refused } from '../common/result.ts'
import { difference, showArgv } from '../common/show.ts'

/** What says whether a command still has to run. */
export type CommandGuard =
  /** It makes this path. */
  | { readonly by: 'creates'; readonly path: string }
  /** It takes this path away. */
  | { readonly by: 'removes'; readonly path: string }
  /** This argument list exits with 0 once it has run. It must change nothing. */
  | { readonly by: 'unless'; readonly argv: readonly string[] }
  /** Nothing: it runs each time, outside proof and drift. */
  | { readonly by: 'always' }

export interface CommandDesired {
  /** Unique within the play and stable from run to run: the task's id. */
  readonly key: string
  readonly argv: readonly string[]
  readonly as?: Identity | undefined
  /** Seconds it may take. */
  readonly within: number
  readonly guard: CommandGuard
}

export function commandResource(desired: CommandDesired): Resource {
  const { key, guard } = desired
  return {
    id: `command:${key}`,
    sameness: JSON.stringify(desired),
    atoms: [...guardAtoms(guard), ...identityAtoms(desired.as)],
    ...(guard.by === 'always' ? { transient: true as const } : {}),
    plan: (world) => plan(desired, world),
  }
}

function plan(desired: CommandDesired, world: World): Planned {
  if (isDone(desired, world)) return { is: 'same' }
  const missing = missingIdentity(desired.as, world)
  return missing === undefined ? run(desired) : refused(missing)
}

function guardAtoms(guard: CommandGuard): readonly ReadAtom[] {
  const test = testOf(guard)
  return [
    ...(test === undefined ? [] : [test]),
    ...('path' in guard ? [{ atom: 'path', path: guard.path } as const] : []),
  ]
}

function testOf(guard: CommandGuard): TestAtom | undefined {
  switch (guard.by) {
    case 'creates':
      return { atom: 'exists', key: `exists:${guard.path}`, path: guard.path, present: true }
    case 'removes':
      return { atom: 'exists', key: `gone:${guard.path}`, path: guard.path, present: false }
    case 'unless':
      return { atom: 'run', key: `run:${JSON.stringify(guard.argv)}`, argv: guard.argv }
    case 'always':
      return undefined
  }
}

/** An earlier change of the plan may have run it, or may have made or removed the path. */
function isDone({ key, guard }: CommandDesired, world: World): boolean {
  const test = testOf(guard)
  if (test === undefined) return false
  if (world.test(doneKey(key))?.answer === 'yes') return true
  if ('path' in guard && world.changed(`path:${guard.path}`)) {
    return (world.path(guard.path).is === 'absent') === (guard.by === 'removes')
  }
  return world.test(test.key)?.answer === 'yes'
}

/** Never asked of a host: what a command leaves behind cannot be predicted, only that it has run. */
function doneKey(key: string): string {
  return `done:${key}`
}

function run({ key, argv, as, within, guard }: CommandDesired): Planned {
  const effects: readonly Effect[] = [
    ...(guard.by === 'always' ? [] : [{ set: 'test', key: doneKey(key), state: { answer: 'yes' } } as const]),
    // That it makes or removes a path says nothing of owner and mode: who manages the path waits for it.
    ...('path' in guard
      ? [
          {
            set: 'unsure',
            key: guard.path,
            origin: { after: `command:${key}`, field: 'result' },
          } as const,
        ]
      : []),
  ]
  return {
    is: 'change',
    differences: [difference('command', 'not run', showArgv(argv))],
    ops: [{ op: 'command', argv, within, ...(as === undefined ? {} : { as }) }],
    effects,
    disruptive: false,
    provisional: false,
  }
}
