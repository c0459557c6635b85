import type { Fact, FolderState } from '../../model/facts.ts'
import type { Problem } from '../../model/problem.ts'
import type { Difference, Planned, Resource, World } from '../../model/resource.ts'
import type { ReadAtom } from '../../model/wire.ts'
import { refused } from '../common/result.ts'
import { difference } from '../common/show.ts'
import { filesInOrder, type ConfigFile } from './tmpfiles.ts'
import { dropInFolders, serviceSettings, unitFolders, type Setting } from './unit-settings.ts'

/** Settings that a unit shall have when it is next started, with all drop-ins. */
export interface BootUnit {
  readonly unit: string
  /** A text is the value that holds; a list all values, in order. An empty one: the key is not set. */
  readonly settings: ReadonlyMap<string, string | readonly string[]>
}

export function bootUnitResource(desired: BootUnit): Resource {
  const { unit, settings } = desired
  return {
    id: `next-boot:${unit}`,
    sameness: JSON.stringify({ unit, settings: [...settings] }),
    atoms: bootUnitAtoms(unit),
    plan: (world) => plan(desired, world),
  }
}

/** What the settings of a unit at its next start are read from. */
export function bootUnitAtoms(unit: string): readonly ReadAtom[] {
  return [
    ...unitFolders.map((path): ReadAtom => ({ atom: 'folder', path, ending: unit })),
    ...dropInFolders(unit).map((path): ReadAtom => ({ atom: 'folder', path, ending: '.conf' })),
  ]
}

/** The service settings of a unit at its next start, its drop-ins included. */
export type BootSettings =
  | { readonly is: 'found'; readonly settings: ReadonlyMap<string, readonly Setting[]> }
  /** There is no file of the unit. */
  | { readonly is: 'absent' }
  | { readonly is: 'unreadable'; readonly problem: Problem }
  /** An earlier change decides the text of this file. */
  | { readonly is: 'open'; readonly path: string }

/** @param folder answers {@link bootUnitAtoms} */
export function bootSettings(
  unit: string,
  folder: (path: string, ending: string) => Fact<FolderState>,
): BootSettings {
  const units = unitFolders.map((path) => [path, folder(path, unit)] as const)
  const dropIns = dropInFolders(unit).map((path) => [path, folder(path, '.conf')] as const)
  for (const [, fact] of [...units, ...dropIns]) {
    if (fact.is === 'unreadable') return { is: 'unreadable', problem: fact.problem }
  }
  const fragment = units.flatMap(([path, fact]) => fileOf(path, unit, fact))[0]
  if (fragment === undefined) return { is: 'absent' }
  const files = [fragment, ...filesInOrder(dropIns.map(([path, fact]) => [path, stateOf(fact)]))]
  const open = files.find(({ text }) => text === undefined)
  if (open !== undefined) return { is: 'open', path: open.path }
  return {
    is: 'found',
    settings: serviceSettings(files.map(({ path, text }) => ({ path, text: text ?? '' }))),
  }
}

function plan({ unit, settings }: BootUnit, world: World): Planned {
  const found = bootSettings(unit, (path, ending) => world.folder(path, ending))
  switch (found.is) {
    case 'unreadable':
      return refused(found.problem)
    case 'absent':
      return unmet([difference('unit file', 'absent', 'present')])
    case 'open':
      return { is: 'pending', ops: [], after: [{ after: `file:${found.path}`, field: 'content' }] }
    case 'found': {
      const differences = [...settings].flatMap(([key, wanted]) =>
        settingDifference(key, wanted, found.settings.get(key) ?? []),
      )
      return differences.length === 0 ? { is: 'same' } : unmet(differences)
    }
  }
}

/** Nothing that could be waited for meets it. */
function unmet(differences: readonly Difference[]): Planned {
  return { is: 'unmet', differences, ops: [] }
}

function fileOf(folder: string, name: string, fact: Fact<FolderState>): readonly ConfigFile[] {
  const files = stateOf(fact)
  return files.has(name) ? [{ path: `${folder}/${name}`, text: files.get(name) }] : []
}

function stateOf(fact: Fact<FolderState>): FolderState {
  return fact.is === 'present' ? fact.state : new Map()
}

function settingDifference(
  key: string,
  wanted: string | readonly string[],
  found: readonly Setting[],
): readonly Difference[] {
  const held = typeof wanted === 'string' ? found.slice(-1) : found
  const goal = (typeof wanted === 'string' ? [wanted] : wanted).filter((value) => value !== '')
  if (held.length === goal.length && held.every(({ value }, index) => value === goal[index])) return []
  const from = held.map(({ value, place }) => `${value} (${place})`).join(', ')
  return [difference(key, from === '' ? 'not set' : from, goal.length === 0 ? 'not set' : goal.join(', '))]
}
