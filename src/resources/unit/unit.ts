import type { UnitState } from '../../model/facts.ts'
import type { Difference, Planned, Resource, World } from '../../model/resource.ts'
import type { WriteOp } from '../../model/wire.ts'
import { problem, refused } from '../common/result.ts'
import { difference } from '../common/show.ts'
import { isDefined } from './definition.ts'
import { readinessTest, unitAtoms, type UnitDesired } from './desired.ts'
import { enabling } from './enabling.ts'
import { definitionReason, predictedDefinition } from './reasons.ts'
import { unitHealth } from './health.ts'
import { running, type Step } from './running.ts'

export type { UnitDesired } from './desired.ts'

/**
 * A systemd unit: running or not, enabled or not. The need for a daemon-reload and for a restart is derived
 * from what differs, so that no handler has to be remembered for it.
 */
export function unitResource(desired: UnitDesired): Resource {
  const { unit, state } = desired
  const act = state === 'restarted' || state === 'reloaded'
  return {
    id: act ? `unit-${state}:${unit}` : `unit:${unit}`,
    subject: `unit:${unit}`,
    sameness: JSON.stringify({ ...desired, restartOn: desired.restartOn.toSorted() }),
    atoms: unitAtoms(desired),
    ...(act ? { transient: true as const } : {}),
    plan: (world) => plan(desired, world),
    ...(state === 'started' ? { health: (world: World) => unitHealth(desired, world) } : {}),
  }
}

function plan(desired: UnitDesired, world: World): Planned {
  const { unit } = desired
  if (!world.host.systemd) {
    return refused(
      problem('resource.unit', unit, `expected systemd to run on the host for ${unit}, found another init`),
    )
  }
  const fact = world.unit(unit)
  if (fact.is === 'unreadable') return refused(fact.problem)
  const state = fact.is === 'present' ? fact.state : undefined
  const obstacle = obstacleTo(desired, state, world)
  if (obstacle !== undefined) return refused(obstacle)

  const reload = definitionReason(unit, state, world)
  const enable = enabling(desired, state, reload !== undefined)
  if (!enable.ok) return refused(enable.problem)
  const run = running(desired, state, world)
  const steps = [reloading(unit, reload, world), enable.value, run].filter((step) => step !== undefined)
  if (steps.length === 0)
    return desired.state === 'started' ? readiness(desired, state, world) : { is: 'same' }
  return {
    is: 'change',
    differences: steps.flatMap((step) => step.differences),
    ops: steps.flatMap((step) => step.ops),
    effects: [
      {
        set: 'unit',
        key: unit,
        fact: {
          is: 'present',
          state: steps.reduce((before, step) => step.predict(before), state ?? unseen),
        },
      },
    ],
    disruptive: run?.disruptive === true,
    provisional: false,
  }
}

function reloading(unit: string, reason: string | undefined, world: World): Step | undefined {
  if (reason === undefined) return undefined
  const differences: readonly Difference[] = [difference('definition', `out of date: ${reason}`, 'loaded')]
  const ops: readonly WriteOp[] = [{ op: 'daemon-reload' }]
  return {
    differences,
    ops,
    disruptive: false,
    predict: (state) => ({
      ...state,
      load: 'loaded',
      needReload: false,
      reloadedWith: predictedDefinition(unit, world),
    }),
  }
}

function obstacleTo(
  { unit, state: wanted, enabled }: UnitDesired,
  state: UnitState | undefined,
  world: World,
): ReturnType<typeof problem> | undefined {
  // What shall neither run nor be enabled need not exist.
  const unwanted = (wanted === undefined || wanted === 'stopped') && enabled !== true
  if (unwanted || isDefined(unit, state, world)) return undefined
  const load = state?.load ?? 'not-found'
  return problem(
    'resource.unit',
    unit,
    `expected the unit ${unit} to be loadable, found it ${load}`,
    load === 'masked'
      ? `Somebody masked it on purpose; \`systemctl unmask ${unit}\` lifts that.`
      : load === 'not-found'
        ? 'Put its file in place with a task before this one.'
        : `\`systemctl status ${unit}\` on the host says what is wrong with its file.`,
  )
}

/** Started means ready: a unit that runs and does not answer is waited for, then failed. */
function readiness(
  { unit, ready, within }: UnitDesired,
  state: UnitState | undefined,
  world: World,
): Planned {
  const test = readinessTest(ready, unit)
  if (test === undefined || state?.pendingStart === true) return { is: 'same' }
  const answer = world.test(test.key)
  if (answer === undefined || answer.answer === 'yes') return { is: 'same' }
  return {
    is: 'unmet',
    differences: [difference('ready', `${answer.answer}: ${answer.detail}`, 'yes')],
    ops: [{ op: 'await', test, within }],
  }
}

/** A unit whose file this run puts in place. */
const unseen: UnitState = {
  load: 'not-found',
  active: 'inactive',
  sub: 'dead',
  result: 'success',
  enabled: 'disabled',
  needReload: false,
  conditionMet: true,
  mainPid: 0,
  restarts: 0,
  fragment: '',
  dropIns: [],
  invocation: '',
  since: 0,
}
