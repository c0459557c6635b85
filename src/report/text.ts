import type { Output } from './output.ts'
import { styled, type Line } from './paint.ts'
import { fleetPlanLines, planRecap, type HostPlan, type PlanTextOptions } from './plan-text.ts'
import {
  accessLines,
  dueRecapLines,
  failureLines,
  inHandLines,
  notDoneLines,
  notReachedLines,
  recapLines,
} from './recap.ts'
import type { Report } from './report.ts'
import { createSummarizer, type HostSummary, type RunSummary } from './summary.ts'
import { duration } from './words.ts'

export interface TextOptions extends PlanTextOptions {
  /** The plan was already shown, to be approved: it is not repeated. */
  readonly planShown: () => boolean
}

/** The result as text, when the run is over: what differs (or was changed), what failed, the recap. */
export function createText(output: Output, options: TextOptions): Report {
  const { summary, take } = createSummarizer()
  return {
    take,
    close() {
      if (!options.planShown()) output.print(...resultPlans(summary, options))
      output.print(
        ...notDoneLines(summary),
        ...inHandLines(summary),
        ...(summary.command === 'plan' ? [] : dueRecapLines(summary)),
        ...accessLines(summary),
        ...failureLines(summary),
        ...notReachedLines(summary),
        ...(isPlanWithoutTrouble(summary) ? [] : recapLines(summary)),
      )
    },
  }
}

/** Then the plan's own recap has said everything. */
function isPlanWithoutTrouble(summary: RunSummary): boolean {
  const planned = [...summary.hosts.values()].every(
    ({ outcome }) => outcome === 'ok' || outcome === 'differs',
  )
  return summary.command === 'plan' && planned
}

/** The plans of each play, with a heading where there are several plays. */
function resultPlans(summary: RunSummary, options: PlanTextOptions): readonly Line[] {
  const hosts = [...summary.hosts.values()]
  const plays = [...new Set(hosts.flatMap((host) => host.plans.map(({ play }) => play)))]
  const everything = plays.flatMap((play) => plansOf(hosts, play))
  if (everything.length === 0) return []
  const only = (host: HostPlan): HostPlan => (summary.command === 'converge' ? doneOnly(host, summary) : host)
  return [
    ...plays.flatMap((play): readonly Line[] => [
      ...(plays.length > 1 ? [[styled('strong', `play ${play}`)], []] : []),
      ...fleetPlanLines(plansOf(hosts, play).map(only), options),
    ]),
    ...(summary.command === 'plan'
      ? [[...planRecap(everything), ` (${duration(summary.milliseconds)})`]]
      : []),
  ]
}

function plansOf(hosts: readonly HostSummary[], play: string): readonly HostPlan[] {
  return hosts.flatMap((host) =>
    host.plans.filter((entry) => entry.play === play).map(({ plan }) => ({ host: host.host, plan })),
  )
}

/** Of a converge's plan, what was really done. */
function doneOnly({ host, plan }: HostPlan, summary: RunSummary): HostPlan {
  const done = new Set(summary.hosts.get(host)?.done)
  return {
    host,
    plan: {
      ...plan,
      stages: plan.stages
        .map((stage) => ({ ...stage, items: stage.items.filter((item) => done.has(item.key)) }))
        .filter((stage) => stage.items.length > 0),
    },
  }
}
