import { KmsfleetError } from '../errors/error.ts'
import type { Host, Inventory } from '../inventory/types.ts'
import { selectHosts } from '../inventory/select.ts'
import { Secret } from '../model/secret.ts'
import type { TaskRef } from '../model/resource.ts'
import type { ModuleContext } from '../modules/define.ts'
import { modules } from '../modules/registry.ts'
import type { PlanContext } from '../plan/expand.ts'
import { localFile, openFolder } from '../playbook/contents.ts'
import type { Play, SecretReference, Task } from '../playbook/types.ts'
import { taskVariables } from '../playbook/variables.ts'
import { readSecrets, secretPath, type SecretFile } from '../sources/read.ts'
import type { HostLookups, Scope, TemplateEngine } from '../template/engine.ts'
import type { RunRequest } from './request.ts'

/** What the plays of a run share: the engine, and what modules remember over all hosts. */
export interface RunMemory {
  readonly engine: TemplateEngine
  readonly remembered: Map<string, unknown>
}

type ContextRequest = Pick<
  RunRequest,
  'command' | 'playbook' | 'inventory' | 'limit' | 'tags' | 'extraVars' | 'onSecret'
>

/**
 * What planning needs, for every host of a play. Secret sources are read here, once each and before any
 * contact, and only where the run may write.
 */
export function createContexts(
  request: ContextRequest,
  play: Play,
  memory: RunMemory,
): readonly PlanContext[] {
  const hosts = limited(request.inventory, play, request.limit)
  const secrets = secretsOf(request, play, hosts, memory.engine)
  const secretsOpened = request.command === 'converge'
  const tasks = tagged(play.tasks, request.tags)
  return hosts.map((host) => {
    const own = secrets.get(host.name) ?? new Map<string, Secret>()
    return {
      host,
      play,
      tasks,
      engine: memory.engine,
      modules,
      variables: (task, over) =>
        taskVariables({ play, task, host, extraVars: request.extraVars, secrets: own, registers: over }),
      moduleContext: (task, ref, scope) => moduleContext(memory, secretsOpened, task, ref, scope),
    }
  })
}

function limited(inventory: Inventory, play: Play, limit: string | undefined): readonly Host[] {
  const hosts = selectHosts(inventory, play.hosts)
  if (limit === undefined) return hosts
  const allowed = new Set(selectHosts(inventory, limit).map((host) => host.name))
  const left = hosts.filter((host) => allowed.has(host.name))
  if (left.length > 0) return left
  throw new KmsfleetError(
    'run.usage',
    `expected --limit ${limit} to leave hosts of the play '${play.name}', found none`,
    {
      place: play.place,
    },
  )
}

function tagged(tasks: readonly Task[], tags: readonly string[]): readonly Task[] {
  if (tags.length === 0) return tasks
  const known = new Set(tasks.flatMap((task) => task.tags))
  const unknown = tags.filter((tag) => !known.has(tag))
  if (unknown.length > 0) {
    throw new KmsfleetError('run.usage', `expected tags that tasks have, found '${unknown.join("', '")}'`, {
      hint: known.size === 0 ? 'No task has a tag.' : `Tags here: ${[...known].sort().join(', ')}`,
    })
  }
  return tasks.filter((task) => task.tags.some((tag) => tags.includes(tag)))
}

/** Secrets by host and name. A reference whose path is empty for a host is not there for that host. */
function secretsOf(
  request: ContextRequest,
  play: Play,
  hosts: readonly Host[],
  engine: TemplateEngine,
): ReadonlyMap<string, ReadonlyMap<string, Secret>> {
  const files = new Map(
    hosts.map((host) => [
      host.name,
      play.secrets
        .map((reference) => secretFile(request, play, host, reference, engine))
        .filter((file) => file !== undefined),
    ]),
  )
  const read = request.command === 'converge' ? readSecrets([...files.values()].flat()) : undefined
  for (const secret of new Set(read?.values())) request.onSecret?.(secret)
  const secretAt = ({ name, path }: SecretFile): Secret =>
    read?.get(path) ?? new Secret(name, new Uint8Array(0))
  return new Map(
    [...files].map(([host, own]) => [host, new Map(own.map((file) => [file.name, secretAt(file)]))]),
  )
}

function secretFile(
  request: ContextRequest,
  play: Play,
  host: Host,
  reference: SecretReference,
  engine: TemplateEngine,
): SecretFile | undefined {
  const variables = new Map<string, unknown>()
  for (const [name, variable] of host.variables) variables.set(name, variable.value)
  for (const [name, value] of [...play.vars, ...request.extraVars]) variables.set(name, value)
  variables.set('inventory_hostname', host.name)
  const path = engine.text(reference.path, { variables, host: noHostYet }, reference.place)
  if (typeof path !== 'string') {
    throw new KmsfleetError(
      'playbook.source',
      `expected a path for the secret ${reference.name}, found a value of a host`,
      {
        place: reference.place,
      },
    )
  }
  if (path === '') return undefined
  return { name: reference.name, path: secretPath(path, request.playbook.file), place: reference.place }
}

/** A host must not choose which secret it gets: references see the operator's own variables only. */
const noHostYet: HostLookups = { groupId: refuseHost, userId: refuseHost }

function refuseHost(name: string): never {
  throw new KmsfleetError(
    'playbook.source',
    `expected a secret's path of the operator's own variables, found it asks the host for ${name}`,
  )
}

function moduleContext(
  memory: RunMemory,
  secretsOpened: boolean,
  task: Task,
  ref: TaskRef,
  scope: Scope,
): ModuleContext {
  const folder = openFolder(task.folder)
  return {
    task: ref,
    file: (src) => folder.file(src),
    template: (src) => {
      const { text, file } = folder.templateText(src)
      return memory.engine.text(text, scope, { file, line: 1, column: 1 })
    },
    condition: (expression) => memory.engine.condition(expression, scope, task.place),
    localFile,
    once: (key, make) => remember(memory.remembered, key, make),
    secretsOpened,
  }
}

function remember<T>(remembered: Map<string, unknown>, key: string, make: () => T): T {
  if (!remembered.has(key)) remembered.set(key, make())
  // Keys are made by the modules, each of one type: the type of a key's value is its maker's affair.
  return remembered.get(key) as T
}
