import { verifyFleet, type HostEnd, type HostMatrix } from '../access/fleet.ts'
import { styled } from '../report/paint.ts'
import type { ReachOptions } from './options.ts'
import { openReach } from './reach.ts'
import { watchSignals } from './signals.ts'
import type { Start } from './start.ts'

/** How each host ended, and whether the operator broke it off. */
export interface Proved {
  readonly ends: readonly HostEnd[]
  readonly interrupted: boolean
}

/** Reaches the hosts of a command and proves them. Throws where a host key is not known, before any contact. */
export async function proveHosts(
  hosts: readonly HostMatrix[],
  { terminal, inventory }: Start,
  options: ReachOptions,
): Promise<Proved> {
  using signals = watchSignals((text) => {
    terminal.conversation.print([styled('warn', text)])
  })
  await using reach = openReach(inventory, options.inventory, (ask) => ask())
  await reach.refuseUnknown(
    hosts.map(({ host }) => host),
    signals.stop,
  )
  const ends = await verifyFleet(hosts, reach.connect, options.forks, signals.stop)
  return { ends, interrupted: signals.stop.aborted }
}
