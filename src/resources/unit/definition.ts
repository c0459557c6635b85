import type { UnitState } from '../../model/facts.ts'
import type { World } from '../../model/resource.ts'
import { replacedHere } from '../common/guard.ts'

/** Folders that systemd reads units from; `/lib` is a link on hosts with a merged /usr. */
const folders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
] as const

/** Paths of the unit's files, drop-ins included, that earlier changes of this plan put there or took away. */
export function definitionChangedHere(unit: string, world: World): readonly string[] {
  return folders.flatMap((folder) =>
    fileNames(unit).flatMap((name) =>
      [
        ...(world.changed(`path:${folder}/${name}`) ? [`${folder}/${name}`] : []),
        ...world.changedBelow(`${folder}/${name}.d`).filter((path) => path.endsWith('.conf')),
      ].filter((path) => replacedHere(path, world)),
    ),
  )
}

/** Does systemd know the unit, or will it once it has read what this run puts there? */
export function isDefined(unit: string, state: UnitState | undefined, world: World): boolean {
  if (state?.load === 'loaded') return true
  return definitionChangedHere(unit, world).some(
    (path) => !path.endsWith('.conf') && world.path(path).is === 'present',
  )
}

/** `a@b.service` is defined by `a@.service` where it has no file of its own. */
function fileNames(unit: string): readonly string[] {
  const template = unit.replace(/@[^@]+(?=\.[a-z]+$)/, '@')
  return template === unit ? [unit] : [unit, template]
}
