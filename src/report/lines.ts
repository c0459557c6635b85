import type { RunEvent } from '../model/event.ts'
import { hostList } from './names.ts'
import type { Output } from './output.ts'
import { styled, type Line } from './paint.ts'
import { problemLines } from './problem.ts'
import type { Conversation } from './report.ts'
import { tally } from './plan-text.ts'
import { viewOfPlan, resourceOfKey } from './view.ts'
import { count, duration } from './words.ts'

/** The conversation as plain lines, for pipes and CI: one for each event of interest. */
export function createLines(output: Output, options: { readonly verbose: boolean }): Conversation {
  let play = 0
  return {
    take(event) {
      if (event.type === 'play-started') play = event.hosts.length
      // A batch of everything goes without saying.
      if (event.type === 'batch-started' && event.hosts.length === play) return
      output.print(...eventLines(event, options.verbose))
    },
    notice(text) {
      output.print([styled('warn', text)])
    },
    // Every line was printed when its event came: there is nothing to hide, and nothing left.
    pause: () => Promise.resolve(),
    resume: () => undefined,
    close: () => undefined,
  }
}

/** The lines of one event; none where only `verbose` shows it. */
export function eventLines(event: RunEvent, verbose: boolean): readonly Line[] {
  switch (event.type) {
    case 'run-started': {
      const what = event.playbook === undefined ? event.command : `${event.command} ${event.playbook}`
      return [[styled('dim', `run ${event.run}: ${what} on ${count(event.hosts.length, 'host')}`)]]
    }
    case 'play-started':
      return [['play ', styled('strong', event.play), ` on ${hostList(event.hosts)}`]]
    case 'batch-started':
      return [[`batch of ${count(event.hosts.length, 'host')}: ${hostList(event.hosts)}`]]
    case 'paused':
      return [[`pause of ${String(event.seconds)} s before the next batch`]]
    case 'connecting':
    case 'connected':
      return verbose ? [hostLine(event.host, event.type)] : []
    case 'planned': {
      const plan = viewOfPlan(event.plan)
      const { changes, checks, undecided, refused } = tally(plan)
      const rest = [
        ...(checks === 0 ? [] : [count(checks, 'check')]),
        ...(undecided === 0 ? [] : [`${String(undecided)} undecided`]),
        ...(refused === 0 ? [] : [`${String(refused)} refused`]),
        `${String(plan.unchanged)} unchanged`,
      ]
      return [hostLine(event.host, `planned ${[count(changes, 'change'), ...rest].join(', ')}`)]
    }
    case 'waiting':
      return [hostLine(event.host, `waits for ${event.for}`)]
    case 'acting':
      return verbose ? [hostLine(event.host, `begins ${resourceOfKey(event.change)}`)] : []
    case 'done':
      return [[`${event.host}: `, styled('good', 'done'), ` ${resourceOfKey(event.change)}`]]
    case 'stopped':
      return [[`${event.host}: `, styled('warn', 'stopped before'), ` ${resourceOfKey(event.change)}`]]
    case 'conflict':
    case 'failed': {
      const on = event.change === undefined ? '' : ` ${resourceOfKey(event.change)}`
      return [[`${event.host}: `, styled('bad', event.type), on], ...problemLines(event.problem, '  ')]
    }
    case 'proved':
      if (event.left.length === 0) {
        return verbose ? [hostLine(event.host, `stage ${String(event.stage)} is proved`)] : []
      }
      return [
        hostLine(
          event.host,
          `${count(event.left.length, 'difference')} left after stage ${String(event.stage)}`,
        ),
      ]
    case 'widened':
      return event.changes.map((key) => hostLine(event.host, `more than was planned: ${resourceOfKey(key)}`))
    case 'host-ended':
      return [hostLine(event.host, `${event.outcome} after ${duration(event.cost.milliseconds)}`)]
    case 'access':
      return []
    case 'rail':
      return problemLines(event.problem)
    case 'run-ended':
      return []
  }
}

function hostLine(host: string, text: string): Line {
  return [`${host}: ${text}`]
}
