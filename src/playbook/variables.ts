import { dirname, resolve } from 'node:path'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import { commandLinePlace } from '../inventory/connection.ts'
import type { Host } from '../inventory/types.ts'
import type { Secret } from '../model/secret.ts'
import type { Play, Role, Task, Variables } from './types.ts'

export interface VariablesRequest {
  readonly play: Play
  readonly task: Pick<Task, 'role' | 'vars'>
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
  /** Of the task and what stands around it. */
  readonly vars: Variables
  readonly extraVars: ReadonlyMap<string, unknown>
  readonly secrets: ReadonlyMap<string, Secret> | undefined
  readonly variables: ReadonlyMap<string, unknown>
}

/** What is the same for all tasks of a role on a host; a host has few of these, so a list is searched. */
const layers = new WeakMap<Host, Layer[]>()

/**
 * The variables that a task's templates see. Low to high: role defaults, inventory, play vars, role vars, vars of
 * blocks and of the task, role parameters, secrets, registers and `item`, extra vars, built-ins. Without registers
 * and item the same Map is returned for all tasks that have these levels in common.
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
      layer.vars === task.vars &&
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
  const variables = new Map<string, unknown>()
  for (const level of levels(play, task, host)) {
    for (const [name, variable] of level ?? []) variables.set(name, variable.value)
  }
  for (const level of [secrets, extraVars]) {
    for (const [name, value] of level ?? []) variables.set(name, value)
  }
  variables.set('inventory_hostname', host.name)
  variables.set('group_names', host.groups)
  variables.set('cluster', host.cluster)
  variables.set('playbook_dir', dirname(resolve(play.place.file)))
  if (task.role !== undefined) variables.set('role_path', task.role.folder)
  own.push({ play, role: task.role, vars: task.vars, extraVars, secrets, variables })
  return variables
}

/** Levels of variables that stand in files, low to high. */
function levels(play: Play, task: VariablesRequest['task'], host: Host): readonly (Variables | undefined)[] {
  const { role } = task
  return [role?.defaults, host.variables, play.vars, role?.vars, task.vars, role?.params]
}

/** Where the value of a variable stands that a task sees; undefined where it stands in no file of variables. */
export function variableOrigin(
  { play, task, host, extraVars }: VariablesRequest,
  name: string,
): Place | undefined {
  if (extraVars.has(name)) return commandLinePlace
  return levels(play, task, host)
    .findLast((level) => level?.has(name) === true)
    ?.get(name)?.origin
}
