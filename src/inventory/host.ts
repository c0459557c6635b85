import { collect } from '../document/collect.ts'
import { describeValue } from '../document/describe.ts'
import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { commandLinePlace, hostConnection } from './connection.ts'
import type { SshDefaults } from './connection.ts'
import type { Host, Variable } from './types.ts'
import type { WrittenHost } from './written.ts'

export interface InventoryOptions {
  /** `--extra-vars`; connection variables and `cluster` among them win over the inventory's. */
  readonly extraVars?: ReadonlyMap<string, unknown>
  readonly ssh?: SshDefaults
}

/** One host from its merged variables. Throws KmsfleetErrors where `cluster` or the connection is wrong. */
export function makeHost(
  host: WrittenHost,
  groups: readonly string[],
  variables: ReadonlyMap<string, Variable>,
  options: InventoryOptions,
): Host {
  const extraVars = options.extraVars ?? new Map<string, unknown>()
  const errors: KmsfleetError[] = []
  const cluster = collect(errors, () => clusterOf(host, variables, extraVars))
  const connection = collect(errors, () => hostConnection(host.name, variables, extraVars, options.ssh ?? {}))
  if (cluster === undefined || connection === undefined) throw new KmsfleetErrors(errors)
  return { name: host.name, cluster, groups, variables, ...connection }
}

const clusterName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

function clusterOf(
  host: WrittenHost,
  variables: ReadonlyMap<string, Variable>,
  extraVars: ReadonlyMap<string, unknown>,
): string {
  const own = variables.get('cluster')
  const variable = extraVars.has('cluster')
    ? { value: extraVars.get('cluster'), origin: commandLinePlace }
    : own
  if (variable === undefined) {
    throw new KmsfleetError(
      'inventory.cluster',
      `expected the variable \`cluster\` for host \`${host.name}\`, found none`,
      {
        place: host.place,
        hint: 'set it for the host or its group: restarts are serialised within a cluster',
      },
    )
  }
  if (typeof variable.value === 'string' && clusterName.test(variable.value)) return variable.value
  throw new KmsfleetError(
    'inventory.cluster',
    `expected a plain name for \`cluster\` of host \`${host.name}\`, found ${describeValue(variable.value)}`,
    { place: variable.origin },
  )
}
