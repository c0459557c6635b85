import type { Fact, PathState, UnitState } from '../../model/facts.ts'
import type { World } from '../../model/resource.ts'
import { replacedHere } from '../common/guard.ts'
import { resolveGroup } from '../common/owner.ts'
import { definitionChangedHere } from './definition.ts'
import type { UnitDesired } from './desired.ts'

/**
 * Why a running unit must be restarted; undefined where it need not. What only mends an owner or a mode
 * changes neither bytes nor inode, and so is never a reason.
 */
export function restartReason(desired: UnitDesired, state: UnitState, world: World): string | undefined {
  return (
    definitionReason(desired.unit, state, world) ??
    keptReason(state) ??
    exeReason(desired.exe, state, world) ??
    groupReason(desired.groups ?? [], state, world) ??
    desired.restartOn
      .map((path) => configurationReason(path, state, world))
      .find((reason) => reason !== undefined)
  )
}

/** A run that died between a file and the gate of its restart: only a restart tells whether the unit runs with it. */
function keptReason({ kept, pendingStart }: UnitState): string | undefined {
  return pendingStart === true || kept?.[0] === undefined
    ? undefined
    : `an earlier run put ${kept[0]} there and never saw the unit ready with it`
}

/** Why systemd must read its files again. */
export function definitionReason(
  unit: string,
  state: UnitState | undefined,
  world: World,
): string | undefined {
  const changed = definitionChangedHere(unit, world).find(
    (path) => state?.reloadedWith?.get(path) !== contentMark(path, world),
  )
  if (changed !== undefined) return `${changed} changes`
  return state?.needReload === true ? 'its files changed since systemd read them' : undefined
}

function exeReason(exe: string | undefined, state: UnitState, world: World): string | undefined {
  if (exe === undefined || state.pendingStart === true) return undefined
  const reason = `${exe} is another file than the one running`
  if (replacedHere(exe, world)) return reason
  const fact = world.path(exe)
  if (state.runningExe === undefined || fact.is !== 'present' || fact.state.type !== 'file') return undefined
  const { device, inode } = fact.state
  if (device === undefined || inode === undefined) return undefined
  return `${device}:${inode}` === state.runningExe ? undefined : reason
}

function groupReason(groups: readonly string[], state: UnitState, world: World): string | undefined {
  if (state.pendingStart === true || state.groups === undefined) return undefined
  const has = state.groups
  const lacking = groups.find((name) => {
    const gid = resolveGroup(name, world)
    return !gid.ok || !gid.value.known || !has.includes(gid.value.value)
  })
  return lacking === undefined ? undefined : `its process lacks the group ${lacking}`
}

function configurationReason(path: string, state: UnitState, world: World): string | undefined {
  const fact = world.path(path)
  const recorded = state.startedWith?.get(path)
  const now = digestOf(fact)
  if (recorded !== undefined) {
    if (fact.is === 'absent') return `${path} is gone since the start`
    if (now !== undefined) {
      return now === recorded ? undefined : `${path} differs from what it was started with`
    }
  }
  if (state.pendingStart === true) return undefined
  // The content is equal to what a service was started with only if something says so.
  if (replacedHere(path, world)) return `${path} changes`
  const modified = fact.is === 'present' ? fact.state.modified : undefined
  return modified !== undefined && modified > state.since ? `${path} is newer than the start` : undefined
}

function digestOf(fact: Fact<PathState>): string | undefined {
  const content = fact.is === 'present' ? fact.state.content : undefined
  return content?.known === true ? content.value.reveal() : undefined
}

/** The unit files of this run as a daemon-reload made now would read them, for the prediction. */
export function predictedDefinition(unit: string, world: World): ReadonlyMap<string, string> {
  return new Map(definitionChangedHere(unit, world).map((path) => [path, contentMark(path, world)]))
}

function contentMark(path: string, world: World): string {
  const fact = world.path(path)
  return digestOf(fact) ?? (fact.is === 'absent' ? 'absent' : 'unknown')
}

/** What a start made now would be recorded with, for the prediction. */
export function predictedRecord(paths: readonly string[], world: World): ReadonlyMap<string, string> {
  return new Map(
    paths.flatMap((path) => {
      const digest = digestOf(world.path(path))
      return digest === undefined ? [] : [[path, digest] as const]
    }),
  )
}
