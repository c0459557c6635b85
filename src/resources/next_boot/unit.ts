import type { Fact, FolderState } from '../../model/facts.ts'
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
    atoms: [
      ...unitFolders.map((path) => atom(path, unit)),
      ...dropInFolders(unit).map((path) => atom(path, '.conf')),
    ],
    plan: (world) => plan(desired, world),
  }
}

function atom(path: string, ending: string): ReadAtom {
  return { atom: 'folder', path, ending }
}

function plan({ unit, settings }: BootUnit, world: World): Planned {
  const units = unitFolders.map((path) => [path, world.folder(path, unit)] as const)
  const dropIns = dropInFolders(unit).map((path) => [path, world.folder(path, '.conf')] as const)
  for (const [, fact] of [...units, ...dropIns]) if (fact.is === 'unreadable') return refused(fact.problem)
  const fragment = units.flatMap(([path, fact]) => fileOf(path, unit, fact))[0]
  if (fragment === undefined) return unmet([difference('unit file', 'absent', 'present')])
  const files = [fragment, ...filesInOrder(dropIns.map(([path, fact]) => [path, stateOf(fact)]))]
  const open = files.find(({ text }) => text === undefined)
  if (open !== undefined)
    return { is: 'pending', ops: [], after: [{ after: `file:${open.path}`, field: 'content' }] }
  const found = serviceSettings(files.map(({ path, text }) => ({ path, text: text ?? '' })))
  const differences = [...settings].flatMap(([key, wanted]) =>
    settingDifference(key, wanted, found.get(key) ?? []),
  )
  return differences.length === 0 ? { is: 'same' } : unmet(differences)
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
