import type { UnitState } from '../../model/facts.ts'
import type { Difference, World } from '../../model/resource.ts'
import type { WriteOp } from '../../model/wire.ts'
import { difference } from '../common/show.ts'
import { definitionChangedHere } from './definition.ts'
import type { UnitDesired } from './desired.ts'
import { predictedRecord, restartReason } from './reasons.ts'

/** One part of a unit's change: what differs, what is done, and what the unit is like afterwards. */
export interface Step {
  readonly differences: readonly Difference[]
  readonly ops: readonly WriteOp[]
  /** Interrupts a running service. */
  readonly disruptive: boolean
  predict(before: UnitState): UnitState
}

/** The step that starts, stops, restarts or reloads the unit, if it needs one. */
export function running(desired: UnitDesired, state: UnitState | undefined, world: World): Step | undefined {
  const active = state?.active ?? 'inactive'
  const up = active === 'active' || active === 'reloading'
  switch (desired.state) {
    case undefined:
      return undefined
    case 'stopped':
      return stopped(desired, active)
    case 'reloaded':
      return up
        ? run(desired, world, 'reload', [difference('reload', 'not done', 'done')])
        : run(desired, world, 'start', [difference('active', active, 'active')])
    case 'restarted':
      return up
        ? run(desired, world, 'restart', [difference('restart', 'not done', 'done')])
        : run(desired, world, 'start', [difference('active', active, 'active')])
    case 'started': {
      if (!up || state === undefined) {
        return run(desired, world, 'start', [difference('active', showActive(active, state), 'active')])
      }
      const reason = restartReason(desired, state, world)
      return reason === undefined
        ? undefined
        : run(desired, world, 'restart', [difference('restart', 'not needed', `needed: ${reason}`)])
    }
  }
}

/** A condition that is not met leaves a unit inactive without failure; say so. */
function showActive(active: string, state: UnitState | undefined): string {
  if (state === undefined) return active
  if (!state.conditionMet && state.since === 0 && active === 'inactive') return 'inactive (condition not met)'
  return active === 'failed' ? `failed (${state.result})` : active
}

function stopped({ unit, ready, within }: UnitDesired, active: string): Step | undefined {
  if (active === 'inactive' || active === 'failed') return undefined
  return {
    differences: [difference('active', active, 'inactive')],
    ops: [{ op: 'unit-run', unit, verb: 'stop', ready, within, record: [], runsWith: [] }],
    disruptive: true,
    predict: (before) => ({ ...withoutProcess(before), active: 'inactive', sub: 'dead' }),
  }
}

function run(
  { unit, ready, within, restartOn, exe }: UnitDesired,
  world: World,
  verb: 'start' | 'restart' | 'reload',
  differences: readonly Difference[],
): Step {
  const runsWith = [...restartOn, ...(exe === undefined ? [] : [exe]), ...definitionChangedHere(unit, world)]
  const record = verb === 'reload' ? [] : restartOn
  return {
    differences,
    ops: [{ op: 'unit-run', unit, verb, ready, within, record, runsWith: verb === 'reload' ? [] : runsWith }],
    disruptive: verb === 'restart',
    predict: (before) => (verb === 'reload' ? before : startedAnew(before, restartOn, world)),
  }
}

function startedAnew(before: UnitState, restartOn: readonly string[], world: World): UnitState {
  return {
    ...withoutProcess(before),
    load: 'loaded',
    active: 'active',
    sub: 'running',
    result: 'success',
    needReload: false,
    conditionMet: true,
    startedWith: predictedRecord(restartOn, world),
    pendingStart: true,
  }
}

/** Nothing of the process that runs now holds for the next one. */
function withoutProcess(state: UnitState): UnitState {
  const { load, active, sub, result, enabled, needReload, conditionMet, fragment, dropIns } = state
  return {
    ...(state.reloadedWith === undefined ? {} : { reloadedWith: state.reloadedWith }),
    load,
    active,
    sub,
    result,
    enabled,
    needReload,
    conditionMet,
    fragment,
    dropIns,
    mainPid: 0,
    restarts: 0,
    invocation: '',
    since: 0,
  }
}
