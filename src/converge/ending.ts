import type { ClusterGates } from '../fleet/clusters.ts'
import type { JobEnd } from '../fleet/run.ts'
import type { Host } from '../inventory/types.ts'
import type { Problem } from '../model/problem.ts'
import { problemOf } from './problem.ts'
import type { RunRequest } from './request.ts'

/** How one host's run ends. The first ending stays: what comes after it is only the way out. */
export interface Ending {
  /** Undefined as long as nothing ended it. */
  readonly reached: JobEnd | undefined
  /** Ends quietly. */
  finish(outcome: JobEnd['outcome']): void
  /** Ends by a problem, which is told. */
  failWith(problem: Problem): void
  /** The same where several problems were told already. */
  failed(problem: Problem): void
  /**
   * Ends by what was thrown; a bug is thrown again.
   *
   * @param contacted false where no connection stands, so that losing it means that the host was not reached
   */
  fail(error: unknown, contacted: boolean): void
}

export function createEnding(
  { emit, abort }: Pick<RunRequest, 'emit' | 'abort'>,
  host: Host,
  gates: ClusterGates,
): Ending {
  let reached: JobEnd | undefined
  const end = (outcome: JobEnd['outcome'], problem?: Problem): void => {
    reached ??= problem === undefined ? { outcome } : { outcome, problem }
  }
  const tell = (problem: Problem): void => {
    emit({ type: problem.code === 'host.conflict' ? 'conflict' : 'failed', host: host.name, problem })
  }
  const failWith = (problem: Problem): void => {
    tell(problem)
    end('failed', problem)
  }
  return {
    get reached() {
      return reached
    },
    finish: (outcome) => {
      end(outcome)
    },
    failWith,
    failed: (problem) => {
      end('failed', problem)
    },
    fail: (error, contacted) => {
      // Everything was dropped on request: what is thrown then is only the way out.
      if (abort.aborted) {
        end('stopped')
        return
      }
      const { problem, unreachable } = problemOf(error)
      if (!unreachable || contacted) {
        failWith(problem)
        return
      }
      tell(problem)
      end('unreachable', problem)
      // It may be down: its peers are the more precious.
      gates.trip(host.cluster, host.name, problem)
    },
  }
}
