import { KmsfleetErrors, KmsfleetError } from '../errors/error.ts'
import { createPermits } from '../fleet/permits.ts'
import type { ClusterGates } from '../fleet/clusters.ts'
import { type JobEnd, runFleet } from '../fleet/run.ts'
import type { Host } from '../inventory/types.ts'
import { type Plan, planItems } from '../model/plan.ts'
import type { Problem } from '../model/problem.ts'
import type { Effect } from '../model/resource.ts'
import type { ReadAtom } from '../model/wire.ts'
import { initialAtoms } from '../plan/atoms.ts'
import type { PlanContext } from '../plan/expand.ts'
import type { Play } from '../playbook/types.ts'
import { writesIdentity } from './new-identity.ts'
import { behindLeaders } from './run-once.ts'
import { createHostRun, type HostRun } from './host.ts'
import { createPeers } from './peers.ts'
import type { RunRequest } from './request.ts'

/** A play with everything that can be known before a host is contacted. */
export interface PreparedPlay {
  readonly play: Play
  readonly hosts: readonly PreparedHost[]
}

export interface PreparedHost {
  readonly host: Host
  readonly context: PlanContext
  readonly atoms: readonly ReadAtom[]
}

/**
 * What the plays so far would have made of each host, by its name, in a run that only plans: a later play is
 * planned as if the earlier ones had been converged. Empty in other runs, where hosts tell it themselves.
 */
export type Forecast = Map<string, readonly Effect[]>

/** What all plays of a run share while they run. */
export interface RunState {
  readonly gates: ClusterGates
  readonly forecast: Forecast
  /** Hosts that `--accept-new-identity` names and no play has judged yet. */
  readonly newIdentities: Set<string>
}

/** Connections are closed when a person has read for this long; approval then connects and asks again. */
const readingMs = 5 * 60_000

/** Expands every task for every host of the play; all errors in the operator's files are thrown at once. */
export function preparePlay(
  play: Play,
  contexts: readonly PlanContext[],
  options: { readonly diff: boolean },
): PreparedPlay {
  const errors = new Map<string, KmsfleetError>()
  const hosts = contexts.flatMap((context): readonly PreparedHost[] => {
    try {
      return [{ host: context.host, context, atoms: initialAtoms(context, options) }]
    } catch (error) {
      // The same mistake in a task is met once for each host: it is told once.
      for (const each of error instanceof KmsfleetErrors ? error.errors : [error]) {
        if (!(each instanceof KmsfleetError)) throw each
        errors.set(`${each.message} ${JSON.stringify(each.place)}`, each)
      }
      return []
    }
  })
  if (errors.size > 0) throw new KmsfleetErrors([...errors.values()])
  return { play, hosts }
}

/** Runs one play: plans only, or plans and converges, with or without asking in between. */
export async function runPlay(
  request: RunRequest,
  prepared: PreparedPlay,
  state: RunState,
): Promise<ReadonlyMap<string, JobEnd>> {
  const runs = startPlay(request, prepared, state)
  const ends = await endsOf(request, prepared, runs, state)
  for (const [name, end] of ends) {
    if (end.outcome === 'not-run') await runs.get(name)?.skip()
  }
  return ends
}

/** Says of every host of a play that it was not run. */
export async function skipPlay(
  request: RunRequest,
  prepared: PreparedPlay,
  state: RunState,
): Promise<ReadonlyMap<string, JobEnd>> {
  const ends = new Map<string, JobEnd>()
  for (const [name, run] of startPlay(request, prepared, state)) ends.set(name, await run.skip())
  return ends
}

function startPlay(
  request: RunRequest,
  prepared: PreparedPlay,
  state: RunState,
): ReadonlyMap<string, HostRun> {
  request.emit({
    type: 'play-started',
    play: prepared.play.name,
    hosts: prepared.hosts.map(({ host }) => host.name),
  })
  const permits = createPermits()
  return new Map(
    prepared.hosts.map(({ host, context, atoms }) => [
      host.name,
      createHostRun({
        request,
        context,
        atoms,
        permits,
        gates: state.gates,
        before: state.forecast.get(host.name) ?? [],
        newIdentity: writesIdentity(prepared.play) && state.newIdentities.delete(host.name),
      }),
    ]),
  )
}

function endsOf(
  request: RunRequest,
  prepared: PreparedPlay,
  runs: ReadonlyMap<string, HostRun>,
  { forecast }: RunState,
): Promise<ReadonlyMap<string, JobEnd>> {
  if (request.command === 'plan') return overAll(request, prepared, runs, (run) => planOnly(run, forecast))
  if (request.approve === undefined) return inBatches(request, prepared, runs)
  return afterApproval(request, request.approve, prepared, runs)
}

async function planOnly(run: HostRun, forecast: Forecast): Promise<JobEnd> {
  const plan = await run.plan()
  if (plan !== undefined) foresee(forecast, plan)
  return run.end()
}

function foresee(forecast: Forecast, plan: Plan): void {
  const effects = planItems(plan).flatMap((item) => (item.item === 'change' ? item.effects : []))
  forecast.set(plan.host, [...(forecast.get(plan.host) ?? []), ...effects])
}

/** Plans touch nothing: all hosts, whatever the batches say. */
function overAll(
  request: RunRequest,
  prepared: PreparedPlay,
  runs: ReadonlyMap<string, HostRun>,
  job: (run: HostRun) => Promise<JobEnd>,
): Promise<ReadonlyMap<string, JobEnd>> {
  const options = { concurrency: request.concurrency, serial: [], anyErrorsFatal: false, stop: request.stop }
  return runFleet(hostsOf(prepared), options, (host) => job(runOf(runs, host)), request.emit)
}

function inBatches(
  request: RunRequest,
  prepared: PreparedPlay,
  runs: ReadonlyMap<string, HostRun>,
): Promise<ReadonlyMap<string, JobEnd>> {
  const { serial, maxFailPercentage, anyErrorsFatal, pause } = prepared.play
  const options = {
    concurrency: request.concurrency,
    serial,
    anyErrorsFatal,
    stop: request.stop,
    pause,
    gate: (changed: readonly Host[]) => stillProved(changed.map((host) => runOf(runs, host))),
    ...(maxFailPercentage === undefined ? {} : { maxFailPercentage }),
  }
  const inTurn = behindLeaders(prepared, request.emit)
  const peers = createPeers(request, prepared.play)
  return runFleet(
    hostsOf(prepared),
    options,
    (host, batch) =>
      inTurn(host, async () => {
        const run = runOf(runs, host)
        return peers.takeTurn(host, batch, run, async (turn) => {
          await run.plan()
          turn.probed()
          await run.converge(turn)
          return run.end()
        })
      }),
    request.emit,
  )
}

/** Before the next batch: what the last one changed was proved then; it must be so still. */
async function stillProved(runs: readonly HostRun[]): Promise<Problem | undefined> {
  const problems = await Promise.all(runs.map((run) => run.recheck()))
  return problems.find((problem) => problem !== undefined)
}

/** All plans first, one question, then the batches. Hosts that could not be planned take part only by their failure. */
async function afterApproval(
  request: RunRequest,
  approve: (plans: readonly Plan[]) => Promise<boolean>,
  prepared: PreparedPlay,
  runs: ReadonlyMap<string, HostRun>,
): Promise<ReadonlyMap<string, JobEnd>> {
  const plans: Plan[] = []
  await overAll(request, prepared, runs, async (run) => {
    const plan = await run.plan()
    if (plan !== undefined) plans.push(plan)
    return { outcome: 'ok' }
  })
  const nothingToDo = plans.every((plan) => plan.stages.length === 0)
  // Once the operator stopped the run there is nothing left to ask: no batch begins.
  const approved = nothingToDo || request.stop.aborted || (await whileReading(runs, () => approve(plans)))
  if (approved) return inBatches(request, prepared, runs)
  const ends = [...runs].map(async ([name, run]): Promise<[string, JobEnd]> => [name, await run.decline()])
  return new Map(await Promise.all(ends))
}

/** A person reads: the hosts' connections are closed when it takes long. */
async function whileReading<T>(runs: ReadonlyMap<string, HostRun>, question: () => Promise<T>): Promise<T> {
  const patience = setTimeout(() => {
    for (const run of runs.values()) void run.release()
  }, readingMs)
  try {
    return await question()
  } finally {
    clearTimeout(patience)
  }
}

function hostsOf(prepared: PreparedPlay): readonly Host[] {
  return prepared.hosts.map(({ host }) => host)
}

function runOf(runs: ReadonlyMap<string, HostRun>, host: Host): HostRun {
  const run = runs.get(host.name)
  if (run === undefined) throw new Error(`no run was prepared for ${host.name}`)
  return run
}
