import type { Check, LeftBehind } from '../model/access.ts'
import type { Snapshot } from '../model/facts.ts'

/** How all that kmsfleet puts somewhere on its way is named; what it keeps for a failed restart has a name of its own. */
const staged = '.kmsfleet.'

/** Is anything left of what a rollout put on a host on its way? */
export function leftBehindChecks(lists: readonly LeftBehind[], { entries }: Snapshot): readonly Check[] {
  return lists.flatMap(({ actor, folders, because, source }) =>
    folders.map((folder): Check => {
      const check = (verdict: Check['verdict'], finding: string): Check => ({
        ...{
          subject: actor,
          expected: `nothing of a rollout is left in ${folder}`,
          verdict,
          finding,
          source,
        },
      })
      const fact = entries.get(folder)
      if (fact === undefined || fact.is === 'absent') return check('pass', '')
      if (fact.is === 'unreadable') return check('unknown', fact.problem.message)
      const found = fact.state.names.filter((name) => name.startsWith(staged))
      if (found.length > 0)
        return check('violated', `${found.join(', ')} ${found.length === 1 ? 'is' : 'are'} left: ${because}`)
      return fact.state.more
        ? check('unknown', `only the first ${String(fact.state.names.length)} names were looked at`)
        : check('pass', '')
    }),
  )
}
