import type { RunEvent } from '../model/event.ts'
import { planItems } from '../model/plan.ts'
import type { HostOutcome } from '../model/outcome.ts'
import { resourceOfKey } from './view.ts'
import { count } from './words.ts'

/** What the live view shows of one host. */
export interface LiveHost {
  readonly host: string
  /** What it is at, in a few words. */
  phase: string
  /** Changes made so far, of how many. */
  done: number
  planned: number
  /** Started and not ended. */
  active: boolean
  outcome: HostOutcome | undefined
}

/** What the live view shows: a fold over the events, without any drawing. */
export interface LiveState {
  readonly hosts: Map<string, LiveHost>
  /** Last thing said to the operator that is no event. */
  notice: string | undefined
}

export function createLiveState(): LiveState {
  return { hosts: new Map(), notice: undefined }
}

export function liveTake(state: LiveState, event: RunEvent): void {
  switch (event.type) {
    case 'run-started':
      for (const host of event.hosts) hostIn(state, host)
      return
    case 'connecting':
      at(state, event.host, 'connecting')
      return
    case 'connected':
      at(state, event.host, 'reading its state')
      return
    case 'planned': {
      const host = hostIn(state, event.host)
      host.planned = host.done + planItems(event.plan).filter((item) => item.item === 'change').length
      at(state, event.host, `planned ${count(host.planned - host.done, 'change')}`)
      return
    }
    case 'waiting':
      at(state, event.host, `waits for ${event.for}`)
      return
    case 'acting':
      at(state, event.host, resourceOfKey(event.change))
      return
    case 'done':
      hostIn(state, event.host).done += 1
      return
    case 'stopped':
      at(state, event.host, `stopped before ${resourceOfKey(event.change)}`)
      return
    case 'conflict':
    case 'failed':
      at(state, event.host, event.problem.message)
      return
    case 'proved':
      at(state, event.host, event.left.length === 0 ? 'proved' : 'still differs')
      return
    case 'host-ended': {
      const host = hostIn(state, event.host)
      host.active = false
      host.outcome = event.outcome
      if (event.problem !== undefined) host.phase = event.problem.message
      return
    }
    case 'play-started':
    case 'batch-started':
    case 'paused':
    case 'widened':
    case 'access':
    case 'rail':
    case 'run-ended':
      return
  }
}

/** `h1  7/14  directory:/run/openbao-kms` */
export function liveHostLine(host: LiveHost): string {
  const progress = host.planned === 0 ? '' : `  ${String(host.done)}/${String(host.planned)}`
  return `${host.host}${progress}  ${host.outcome ?? ''}${host.outcome === undefined ? '' : '  '}${host.phase}`.trimEnd()
}

/** `12 of 60 hosts done, 40 active, 2 failed` */
export function liveSummaryLine(state: LiveState): string {
  const hosts = [...state.hosts.values()]
  const failed = hosts.filter(({ outcome }) => outcome === 'failed' || outcome === 'unreachable').length
  const parts = [
    `${String(hosts.filter(({ outcome }) => outcome !== undefined).length)} of ${count(hosts.length, 'host')} done`,
    `${String(hosts.filter(({ active }) => active).length)} active`,
    ...(failed === 0 ? [] : [`${String(failed)} failed`]),
  ]
  return `${parts.join(', ')}${state.notice === undefined ? '' : `: ${state.notice}`}`
}

function hostIn(state: LiveState, name: string): LiveHost {
  const found = state.hosts.get(name)
  if (found !== undefined) return found
  const host: LiveHost = { host: name, phase: '', done: 0, planned: 0, active: false, outcome: undefined }
  state.hosts.set(name, host)
  return host
}

function at(state: LiveState, name: string, phase: string): void {
  const host = hostIn(state, name)
  host.phase = phase
  host.active = true
}
