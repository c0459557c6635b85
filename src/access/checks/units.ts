import type { Check } from '../../model/access.ts'
import { folderKey } from '../../model/facts.ts'
import { unitFolders } from '../../resources/next_boot/unit-settings.ts'
import { type Looked, objects, pathsOf, providerOf, weighed } from './common.ts'

/** Is the unit that is started the one that the model has, and none that was put before it? */
export function unitChecks({ matrix, snapshot }: Looked): readonly Check[] {
  const provider = providerOf(matrix)
  if (provider?.running?.by !== 'unit') return []
  const { unit } = provider.running
  const [meant] = pathsOf(matrix, objects.program).filter((path) => path.endsWith(`/${unit}`))
  const files = unitFolders.flatMap((folder) => {
    const fact = snapshot.folders.get(folderKey(folder, unit))
    return fact?.is === 'present' && fact.state.has(unit) ? [`${folder}/${unit}`] : []
  })
  const [first] = files
  const shadow =
    first === undefined || first === meant || (meant === undefined && first.startsWith('/usr/'))
      ? []
      : [
          `${first} goes before ${meant ?? files.find((file) => file.startsWith('/usr/')) ?? 'that of the package'}`,
        ]
  const doubts = unitFolders.flatMap((folder) => {
    const fact = snapshot.folders.get(folderKey(folder, unit))
    return fact?.is === 'unreadable' ? [fact.problem.message] : []
  })
  return [
    weighed('Systemd unit, its integrity', unit, 'it is the unit that was installed', {
      findings: shadow,
      doubts,
    }),
  ]
}
