import { checkValue } from '../../document/parse.ts'
import type { KeyLocated } from '../../document/issues.ts'
import type { Host } from '../../inventory/types.ts'
import { AccessKeywords } from '../../playbook/access-keywords.ts'

/** The variable of a host that adds to the matrix of its roles, in the form of their `access.yml`. */
export const matrixVariable = 'access_matrix'

/** What the inventory adds to the matrix of a host. Throws KmsfleetErrors at the place of the variable. */
export function inventoryMatrix(host: Host): KeyLocated<AccessKeywords> | undefined {
  const variable = host.variables.get(matrixVariable)
  if (variable === undefined) return undefined
  const { value, origin } = variable
  const located: KeyLocated = {
    value,
    place: () => origin,
    keyPlace: () => origin,
    source: () => undefined,
  }
  return { ...located, value: checkValue(AccessKeywords, value, located, { code: 'access.matrix' }) }
}
