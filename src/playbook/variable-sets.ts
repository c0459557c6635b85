import { collect } from '../document/collect.ts'
import type { KeyLocated } from '../document/issues.ts'
import { dictionaryEntries } from '../document/dictionary.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import type { Variable } from '../inventory/types.ts'
import { checkVariableName } from '../inventory/names.ts'
import type { Variables } from './types.ts'

/** The variables of a dictionary in a playbook or role; names are checked, values kept as they are. */
export function readVariables(part: KeyLocated, errors: KmsfleetError[]): Variables {
  const variables = new Map<string, Variable>()
  for (const [name, value] of dictionaryEntries(part.value)) {
    collect(errors, () => {
      checkPlaybookVariable(name, part.keyPlace([name]))
    })
    variables.set(name, { value, origin: part.place([name]) })
  }
  return variables
}

/** The outer variables with the inner ones over them; the outer Map itself where there are no inner ones. */
export function overlay(outer: Variables, inner: Variables): Variables {
  return inner.size === 0 ? outer : new Map([...outer, ...inner])
}

/** Names that a playbook may set: not those of connections, nor the one that says where a host belongs. */
export function checkPlaybookVariable(name: string, place: Place): void {
  checkVariableName(name, place)
  if (name.startsWith('ansible_')) {
    throw new KmsfleetError(
      'variable.name',
      `expected a variable of your own, found the connection variable \`${name}\``,
      {
        place,
        hint: 'set it in the inventory',
      },
    )
  }
  if (name === 'cluster') {
    throw new KmsfleetError(
      'variable.name',
      'expected a variable of your own, found `cluster`, which hosts have',
      {
        place,
        hint: 'set it in the inventory',
      },
    )
  }
}
