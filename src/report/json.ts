import type { AccessSummary } from '../model/access.ts'
import type { HostCost } from '../model/event.ts'
import type { Due } from '../model/plan.ts'
import type { HostOutcome } from '../model/outcome.ts'
import type { Problem } from '../model/problem.ts'
import type { Output } from './output.ts'
import type { Report } from './report.ts'
import { createSummarizer, inHand, notReached, type RunSummary } from './summary.ts'
import type { PlanView } from './view.ts'

/**
 * The one document of a run. Within `kmsfleet-run/1` keys are only ever added; a reader must pass over keys that it
 * does not know.
 */
export interface RunDocument {
  readonly format: 'kmsfleet-run/1'
  readonly run: string
  readonly command: string
  readonly playbook?: string
  /** Version of kmsfleet. */
  readonly version: string
  /** ISO 8601, UTC. */
  readonly started: string
  readonly milliseconds: number
  /** Null where the run broke off. */
  readonly exitCode: number | null
  readonly hosts: readonly HostDocument[]
  /** What stopped the run as a whole. */
  readonly problems: readonly Problem[]
  /** Hosts that were not run: a rail or an interruption came before them. */
  readonly notReached: readonly string[]
}

export interface HostDocument {
  readonly host: string
  readonly outcome: HostOutcome
  readonly changed: number
  readonly differing: number
  readonly due: readonly Due[]
  readonly unchanged: number
  readonly plans: readonly { readonly play: string; readonly plan: PlanView }[]
  /** Keys (`resource@task`) of changes that were made, in order. */
  readonly done: readonly string[]
  /** Changes that had begun when everything was dropped: they may be half done. */
  readonly inHand: readonly string[]
  readonly stopped: readonly string[]
  readonly widened: readonly string[]
  readonly problems: readonly { readonly change?: string; readonly problem: Problem }[]
  readonly cost?: HostCost
  readonly access?: AccessSummary
}

export function runDocument(summary: RunSummary): RunDocument {
  const { run, command, playbook, version, started, milliseconds, exitCode, hosts, rails } = summary
  return {
    format: 'kmsfleet-run/1',
    run,
    command,
    ...(playbook === undefined ? {} : { playbook }),
    version,
    started,
    milliseconds,
    exitCode: exitCode ?? null,
    hosts: [...hosts.values()].map((host) => {
      const { host: name, outcome, changed, differing, due, unchanged, plans } = host
      const { done, stopped, widened, problems, cost, access } = host
      return {
        host: name,
        outcome,
        changed,
        differing,
        due,
        unchanged,
        plans,
        done,
        stopped,
        inHand: inHand(host),
        widened,
        problems,
        ...(cost === undefined ? {} : { cost }),
        ...(access === undefined ? {} : { access }),
      }
    }),
    problems: rails,
    notReached: notReached(summary),
  }
}

/** Prints the document when the run is over. */
export function createJson(output: Output): Report {
  const { summary, take } = createSummarizer()
  return {
    take,
    close() {
      output.data(runDocument(summary), 2)
    },
  }
}
