import { dirname, resolve } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import type { Host } from '../inventory/types.ts'
import type { Secret } from '../model/secret.ts'
import type { Play, Role, Task } from './types.ts'

export interface VariablesRequest {
  readonly play: Play
  readonly task: Task
  readonly host: Host
  readonly extraVars: ReadonlyMap<string, unknown>
  /** The play's secrets, read for this host. */
  readonly secrets?: ReadonlyMap<string, Secret>
  /** Registered results of earlier tasks. */
  readonly registers?: ReadonlyMap<string, unknown>
  /** Element of the task's loop. */
  readonly item?: unknown
}

interface Layer {
  readonly play: Play
  readonly role: Role | undefined
  readonly extraVars: ReadonlyMap<string, unknown>
  readonly secrets: ReadonlyMap<string, Secret> | undefined
  readonly variables: ReadonlyMap<string, unknown>
}

/** What is the same for all tasks of a role on a host; a host has few of these, so a list is searched. */
const layers = new WeakMap<Host, Layer[]>()

/**
 * The variables that a task's templates see. Low to high: role defaults, inventory, play vars, role vars
 * (those of the play's entry above the role's own), secrets, registers and `item`, extra vars, built-ins.
 * Without registers and item the same Map is returned for all tasks of a role on a host.
 */
export function taskVariables(request: VariablesRequest): ReadonlyMap<string, unknown> {
  const base = baseVariables(request)
  const { registers, item, extraVars } = request
  if ((registers === undefined || registers.size === 0) && item === undefined) return base
  const variables = new Map(base)
  for (const [name, value] of registers ?? []) if (!extraVars.has(name)) variables.set(name, value)
  if (item !== undefined) variables.set('item', item)
  return variables
}

function baseVariables({
  play,
  task,
  host,
  extraVars,
  secrets,
}: VariablesRequest): ReadonlyMap<string, unknown> {
  const own = layers.get(host) ?? []
  if (own.length === 0) layers.set(host, own)
  const known = own.find(
    (layer) =>
      layer.role === task.role &&
      layer.play === play &&
      layer.extraVars === extraVars &&
      layer.secrets === secrets,
  )
  if (known !== undefined) return known.variables
  for (const name of secrets?.keys() ?? []) {
    if (!extraVars.has(name)) continue
    throw new KmsfleetError('variable.extra', `expected no secret among --extra-vars, found \`${name}\``, {
      place: play.place,
      hint: 'arguments are seen by every account of the workstation; keep secrets in files',
    })
  }
  const variables = new Map<string, unknown>(task.role?.defaults)
  for (const [name, variable] of host.variables) variables.set(name, variable.value)
  for (const layer of [play.vars, task.role?.vars, secrets, extraVars]) {
    for (const [name, value] of layer ?? []) variables.set(name, value)
  }
  variables.set('inventory_hostname', host.name)
  variables.set('group_names', host.groups)
  variables.set('cluster', host.cluster)
  variables.set('playbook_dir', dirname(resolve(play.place.file)))
  if (task.role !== undefined) variables.set('role_path', task.role.folder)
  own.push({ play, role: task.role, extraVars, secrets, variables })
  return variables
}
