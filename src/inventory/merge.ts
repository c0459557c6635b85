import { KmsfleetError } from '../errors/error.ts'
import { showPlace } from '../errors/place.ts'
import type { Ancestry } from './ancestry.ts'
import type { Variable } from './types.ts'
import { sameValue } from './written.ts'

/** What a set of groups gives to a host that is in all of them. */
export interface GroupVariables {
  readonly variables: ReadonlyMap<string, Variable>
  /** Variables that equally near groups set differently; an error unless the host sets them itself. */
  readonly conflicts: ReadonlyMap<string, KmsfleetError>
}

interface Definition {
  readonly group: string
  readonly variable: Variable
}

/**
 * Merges the variables of `groups` (outer before inner, without `all`) over those of `all`. A group
 * contained in another one is nearer; of groups that are not, neither is.
 */
export function mergeGroups(
  groups: readonly string[],
  variablesOf: (group: string) => ReadonlyMap<string, Variable>,
  ancestry: Ancestry,
): GroupVariables {
  const nearest = new Map<string, Definition[]>()
  for (const [name, variable] of variablesOf('all')) nearest.set(name, [{ group: 'all', variable }])
  for (const group of groups) {
    const outer = ancestry.ancestors(group)
    for (const [name, variable] of variablesOf(group)) {
      const rest = (nearest.get(name) ?? []).filter(
        (other) => other.group !== 'all' && !outer.has(other.group),
      )
      nearest.set(name, [...rest, { group, variable }])
    }
  }
  const variables = new Map<string, Variable>()
  const conflicts = new Map<string, KmsfleetError>()
  for (const [name, [first, ...others]] of nearest) {
    if (first === undefined) continue
    variables.set(name, first.variable)
    const other = others.find((one) => !sameValue(one.variable.value, first.variable.value))
    if (other !== undefined) conflicts.set(name, conflict(name, first, other))
  }
  return { variables, conflicts }
}

function conflict(name: string, first: Definition, other: Definition): KmsfleetError {
  return new KmsfleetError(
    'inventory.conflict',
    `expected one value of \`${name}\` for hosts in both groups \`${first.group}\` and \`${other.group}\`, ` +
      `found another one at ${showPlace(first.variable.origin)}`,
    {
      place: other.variable.origin,
      hint: 'set it for the hosts, or make one group a child of the other',
    },
  )
}
