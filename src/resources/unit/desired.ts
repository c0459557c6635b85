import type { ReadAtom, Readiness, TestAtom } from '../../model/wire.ts'
import { httpTest } from '../common/http-test.ts'

/** What is asked of a systemd unit. At least one of `state` and `enabled`. */
export interface UnitDesired {
  /** Full name, such as `bao-kms-provider.service`. */
  readonly unit: string
  /**
   * `started` and `stopped` are states. `restarted` and `reloaded` are acts, for handlers: they are done
   * whenever they are asked for.
   */
  readonly state?: 'started' | 'stopped' | 'restarted' | 'reloaded' | undefined
  readonly enabled?: boolean | undefined
  readonly ready: Readiness
  /** Seconds that readiness may take. */
  readonly within: number
  /** Files that the unit reads when it starts: other content than then means a restart. */
  readonly restartOn: readonly string[]
  /** Groups that its process must have: one that was made a member after the start has them only after a restart. */
  readonly groups?: readonly string[] | undefined
  /** The unit's program: another inode than the one that runs means a restart. */
  readonly exe?: string | undefined
}

/** Configuration files larger than this are judged by their time of modification. */
const largestConfiguration = 4_194_304

export function unitAtoms(desired: UnitDesired): readonly ReadAtom[] {
  const { unit, state, ready, restartOn, exe, groups = [] } = desired
  const test = state === 'started' ? readinessTest(ready, unit) : undefined
  return [
    { atom: 'unit', unit },
    ...restartOn.map((path) => ({ atom: 'path', path, digestUpTo: largestConfiguration }) as const),
    ...groups.map((name) => ({ atom: 'group', name }) as const),
    ...(exe === undefined ? [] : [{ atom: 'path', path: exe } as const]),
    ...(test === undefined ? [] : [test]),
  ]
}

/**
 * The question that tells whether something is ready; undefined where running is all there is to it.
 *
 * @param unit whose process has to be the one that answers
 */
export function readinessTest(ready: Readiness, unit?: string): TestAtom | undefined {
  switch (ready.kind) {
    case 'active':
      return undefined
    case 'http':
      return httpTest(ready.url, unit)
    case 'socket': {
      const { path } = ready
      return unit === undefined
        ? { atom: 'exists', key: `exists:${path}`, path, present: true }
        : { atom: 'listens', key: `listens:${unit}:${path}`, path, unit }
    }
  }
}
