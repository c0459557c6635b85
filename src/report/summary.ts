import type { AccessSummary } from '../model/access.ts'
import type { HostCost, RunEvent } from '../model/event.ts'
import type { Due } from '../model/plan.ts'
import type { HostOutcome } from '../model/outcome.ts'
import type { Problem } from '../model/problem.ts'
import { viewOfPlan, type PlanView } from './view.ts'

/** Everything the stream said about one host. */
export interface HostSummary {
  readonly host: string
  outcome: HostOutcome
  changed: number
  differing: number
  due: readonly Due[]
  unchanged: number
  cost: HostCost | undefined
  /** Of a host that a converge changed. */
  access: AccessSummary | undefined
  /** One for each play; the first that was made, since that is the one that was shown. */
  readonly plans: { readonly play: string; readonly plan: PlanView }[]
  /** Keys of changes in the order they were made. */
  readonly done: string[]
  /** Keys of changes that began and of which no end was told. */
  readonly acting: Set<string>
  /** Keys of changes that the stop file kept from being made. */
  readonly stopped: string[]
  /** Each once, with the change it belongs to where it belongs to one. */
  readonly problems: { readonly change?: string; readonly problem: Problem }[]
  /** Keys of changes that were not in the plan shown. */
  readonly widened: string[]
}

/** Everything the stream said about a run. */
export interface RunSummary {
  run: string
  command: string
  playbook: string | undefined
  version: string
  started: string
  milliseconds: number
  exitCode: number | undefined
  /** In inventory order. */
  readonly hosts: Map<string, HostSummary>
  /** Problems of the run as a whole. */
  readonly rails: Problem[]
}

/** The reducer that text, JSON and recap share; give it every event in order. */
export interface Summarizer {
  readonly summary: RunSummary
  readonly take: (event: RunEvent) => void
}

export function createSummarizer(): Summarizer {
  const summary: RunSummary = {
    run: '',
    command: '',
    playbook: undefined,
    version: '',
    started: '',
    milliseconds: 0,
    exitCode: undefined,
    hosts: new Map(),
    rails: [],
  }
  let play = ''
  const hostOf = (name: string): HostSummary => {
    const found = summary.hosts.get(name) ?? emptyHost(name)
    summary.hosts.set(name, found)
    return found
  }
  return {
    summary,
    take(event) {
      switch (event.type) {
        case 'run-started':
          summary.run = event.run
          summary.command = event.command
          summary.playbook = event.playbook
          summary.version = event.version
          summary.started = event.at
          event.hosts.forEach(hostOf)
          break
        case 'play-started':
          play = event.play
          event.hosts.forEach(hostOf)
          break
        case 'planned': {
          const { plans } = hostOf(event.host)
          if (!plans.some((known) => known.play === play)) plans.push({ play, plan: viewOfPlan(event.plan) })
          break
        }
        case 'acting':
          hostOf(event.host).acting.add(event.change)
          break
        case 'done': {
          const host = hostOf(event.host)
          host.acting.delete(event.change)
          host.done.push(event.change)
          break
        }
        case 'stopped':
          hostOf(event.host).stopped.push(event.change)
          break
        case 'conflict':
        case 'failed':
          addProblem(hostOf(event.host), event.problem, event.change)
          break
        case 'widened':
          hostOf(event.host).widened.push(...event.changes)
          break
        case 'host-ended':
          endHost(hostOf(event.host), event)
          break
        case 'access':
          hostOf(event.host).access = event.access
          break
        case 'rail':
          summary.rails.push(event.problem)
          break
        case 'run-ended':
          summary.exitCode = event.exitCode
          summary.milliseconds = event.milliseconds
          break
        case 'batch-started':
        case 'connecting':
        case 'connected':
        case 'waiting':
        case 'paused':
        case 'proved':
          break
      }
    },
  }
}

/** Hosts whose turn never came; they are as they were. */
export function notReached(summary: RunSummary): readonly string[] {
  return [...summary.hosts.values()].filter(({ outcome }) => outcome === 'not-run').map(({ host }) => host)
}

/** Of a host that was dropped, the changes that it was at. */
export function inHand({ outcome, acting }: HostSummary): readonly string[] {
  return outcome === 'stopped' ? [...acting] : []
}

function emptyHost(host: string): HostSummary {
  return {
    host,
    outcome: 'not-run',
    changed: 0,
    differing: 0,
    due: [],
    unchanged: 0,
    cost: undefined,
    access: undefined,
    plans: [],
    done: [],
    acting: new Set(),
    stopped: [],
    problems: [],
    widened: [],
  }
}

function endHost(host: HostSummary, event: Extract<RunEvent, { readonly type: 'host-ended' }>): void {
  host.outcome = event.outcome
  host.changed = event.changed
  host.differing = event.differing
  host.due = event.due
  host.unchanged = event.unchanged
  host.cost = event.cost
  if (event.problem !== undefined) addProblem(host, event.problem, undefined)
}

/** The last word of a host repeats the problem that ended it: kept once. */
function addProblem(host: HostSummary, problem: Problem, change: string | undefined): void {
  const same = host.problems.some(
    (known) => known.problem.code === problem.code && known.problem.message === problem.message,
  )
  if (!same) host.problems.push({ ...(change === undefined ? {} : { change }), problem })
}
