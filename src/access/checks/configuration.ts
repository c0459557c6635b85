import type { Check } from '../../model/access.ts'
import { hostDocument, valueAt } from '../host-document.ts'
import {
  checked,
  doubted,
  isNumber,
  type Looked,
  objects,
  pathsOf,
  providerOf,
  socketGroupsOf,
} from './common.ts'

/** What the provider's configuration on the host says of the host: groups and addresses. */
export function configurationChecks(looked: Looked): readonly Check[] {
  return pathsOf(looked.matrix, objects.configuration).flatMap((file) => {
    const document = hostDocument(file, looked.snapshot)
    if (document.is === 'unknown') {
      return [
        doubted(
          'Permissions, config.yaml',
          file,
          'it is the configuration of the provider',
          document.because,
        ),
      ]
    }
    return [socketGroupCheck(looked, file, document.value), addressCheck(file, document.value)]
  })
}

/** In a static pod nothing resolves names as the host does: both sides need the number. */
function socketGroupCheck({ matrix, accounts }: Looked, file: string, value: unknown): Check {
  const source = 'Static Pod Linux IDs, numeric group id in both places'
  const expected = 'its server.socketGroup is the group of the socket on this host'
  const provider = providerOf(matrix)
  const wanted = provider === undefined ? [] : socketGroupsOf(provider)
  const found = valueAt(value, 'server.socketGroup')
  if (typeof found !== 'string') return checked(source, file, expected, ['it has no text there'])
  if (provider?.running?.by === 'pod' && !isNumber(found)) {
    return checked(source, file, expected, [
      `it is the name ${found}, which the pod's own files do not have: it must be the gid`,
    ])
  }
  const gid = accounts.gid(found)
  const gids = wanted.map((name) => accounts.gid(name))
  if (gid !== undefined && gids.includes(gid)) return checked(source, file, expected, [])
  const host = wanted.map((name, index) => `${name} with gid ${String(gids[index] ?? 'unknown')}`)
  return checked(source, file, expected, [`it is ${found}, the host has ${host.join(', ')}`])
}

const everywhere = ['0.0.0.0', '[::]', '::', '']

function addressCheck(file: string, value: unknown): Check {
  const open = ['metricsAddress', 'healthAddress'].flatMap((key) => {
    const address = valueAt(value, `server.${key}`)
    if (typeof address !== 'string') return []
    const host = address.slice(0, Math.max(0, address.lastIndexOf(':')))
    return everywhere.includes(host) ? [`server.${key} is ${address}`] : []
  })
  return checked(
    'Metrics and health are for this host',
    file,
    'it opens no port on every address of the host',
    open,
  )
}
