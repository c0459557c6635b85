import type { RunEvent } from '../model/event.ts'
import type { Plan } from '../model/plan.ts'
import { createJson } from '../report/json.ts'
import { createJsonl } from '../report/jsonl.ts'
import { createLines } from '../report/lines.ts'
import { fleetPlanLines, planRecap } from '../report/plan-text.ts'
import type { Conversation, Report } from '../report/report.ts'
import { createText } from '../report/text.ts'
import { viewOfPlan } from '../report/view.ts'
import type { RunOptions } from './options.ts'
import type { Terminal } from './terminal.ts'

/** The consumers of one run's events. */
export interface Reports {
  readonly conversation: Conversation
  readonly take: (event: RunEvent) => void
  /** Shows the plans that are to be approved, in the conversation. */
  showPlans(plans: readonly Plan[]): void
  close(): Promise<void>
}

/**
 * Chooses by options and streams: a live view where a person watches, plain lines elsewhere. In a pipe to `less` the
 * view would fight over the terminal, so both streams have to be one.
 */
export async function openReports(terminal: Terminal, options: RunOptions): Promise<Reports> {
  const { result, conversation: output } = terminal
  const verbose = options.verbose === true
  const live = result.terminal && output.terminal && !verbose && options.format === 'text'
  const conversation = live
    ? (await import('../report/live.ts')).createLive(output)
    : createLines(output, { verbose })
  const planText = { diff: options.diff === true, verbose }
  let planShown = false
  const results: Readonly<Record<RunOptions['format'], () => Report>> = {
    text: () => createText(result, { ...planText, planShown: () => planShown }),
    json: () => createJson(result),
    jsonl: () => createJsonl(result),
  }
  const report = results[options.format]()
  return {
    conversation,
    take(event) {
      conversation.take(event)
      report.take(event)
    },
    showPlans(plans) {
      const views = plans.map((plan) => ({ host: plan.host, plan: viewOfPlan(plan) }))
      output.print(...fleetPlanLines(views, planText), planRecap(views))
      planShown = true
    },
    async close() {
      await conversation.close()
      await report.close()
    },
  }
}
