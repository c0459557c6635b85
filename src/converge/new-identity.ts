import { suggestion } from '../document/suggest.ts'
import { KmsfleetError } from '../errors/error.ts'
import { type Plan, planItems } from '../model/plan.ts'
import type { Problem } from '../model/problem.ts'
import type { Play } from '../playbook/types.ts'
import type { PreparedPlay } from './play.ts'

/** Does the play write the configuration that a provider's identity stands in? */
export function writesIdentity(play: Play): boolean {
  return play.tasks.some(({ module }) => module === 'provider_config')
}

/** Throws KmsfleetError `run.usage` where a name is no host of a play that writes identities. */
export function checkAccepted(names: readonly string[], plays: readonly PreparedPlay[]): void {
  const hosts = new Set(
    plays.flatMap(({ play, hosts }) => (writesIdentity(play) ? hosts.map(({ host }) => host.name) : [])),
  )
  const stranger = names.find((name) => !hosts.has(name))
  if (stranger === undefined) return
  const hint = suggestion(stranger, hosts)
  throw new KmsfleetError(
    'run.usage',
    `expected --accept-new-identity to name hosts whose provider this run configures, found ${stranger}`,
    hint === undefined ? {} : { hint },
  )
}

/** An acceptance that is not needed is a mistake: the operator thinks of another host, or of another change. */
export function unneededAcceptance(host: string, plan: Plan): Problem | undefined {
  const may = planItems(plan).some(
    (item) =>
      item.item === 'undecided' ||
      item.item === 'refused' ||
      (item.item === 'change' && item.differences.some(({ attribute }) => attribute === 'identity')),
  )
  if (may) return undefined
  return {
    code: 'resource.identity',
    message: `expected ${host} to get another identity, as --accept-new-identity says, found that it keeps the one it has`,
    hint: 'Leave the host out of --accept-new-identity, or look for what was meant to change.',
  }
}
