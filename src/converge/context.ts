import { KmsfleetError } from '../errors/error.ts'
import { shardOf } from '../fleet/shard.ts'
import type { Host, Inventory } from '../inventory/types.ts'
import { selectHosts } from '../inventory/select.ts'
import type { Secret } from '../model/secret.ts'
import type { TaskRef } from '../model/resource.ts'
import type { ModuleContext } from '../modules/define.ts'
import { modules } from '../modules/registry.ts'
import type { PlanContext } from '../plan/expand.ts'
import { localFile, openFolder } from '../playbook/contents.ts'
import { chosenTasks } from '../playbook/tags.ts'
import type { Play, Task } from '../playbook/types.ts'
import { taskVariables } from '../playbook/variables.ts'
import { verifySignature } from '../sources/cosign.ts'
import type { Scope } from '../template/engine.ts'
import { type ContextRequest, type RunMemory, tagChoice } from './memory.ts'
import { mayWrite, playSecrets } from './secrets.ts'

/**
 * What planning needs, for every host of a play. Secret sources are read here, once each and before any
 * contact, and only where the run may write.
 */
export function createContexts(
  request: ContextRequest,
  play: Play,
  memory: RunMemory,
): readonly PlanContext[] {
  const hosts = hostsOfPlay(request, play)
  const secrets = playSecrets(request, play, hosts, memory)
  const secretsOpened = mayWrite(request)
  const tasks = chosenTasks(play.tasks, tagChoice(request))
  const available = new Map([...modules, ...request.playbook.modules])
  return hosts.map((host) => {
    const own = secrets.get(host.name) ?? new Map<string, Secret>()
    const acceptsNewIdentity = request.acceptNewIdentity?.includes(host.name) === true
    return {
      host,
      play,
      tasks,
      engine: memory.engine,
      modules: available,
      variables: (task, over) =>
        taskVariables({ play, task, host, extraVars: request.extraVars, secrets: own, registers: over }),
      moduleContext: (task, ref, scope) =>
        moduleContext({ memory, secretsOpened, acceptsNewIdentity }, task, ref, scope),
    }
  })
}

/** The hosts that a play is for: its pattern within `--limit` (at least one), and of those the shard's. */
export function hostsOfPlay(
  { inventory, limit, shard }: Pick<ContextRequest, 'inventory' | 'limit' | 'shard'>,
  play: Play,
): readonly Host[] {
  const hosts = limited(inventory, play, limit)
  if (shard === undefined) return hosts
  const part = new Set(shardOf(inventory.hosts, shard))
  return hosts.filter((host) => part.has(host))
}

function limited(inventory: Inventory, play: Play, limit: string | undefined): readonly Host[] {
  const hosts = selectHosts(inventory, play.hosts, play.place)
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

/** What is the same for all tasks of a host. */
interface HostContext {
  readonly memory: RunMemory
  readonly secretsOpened: boolean
  readonly acceptsNewIdentity: boolean
}

function moduleContext(
  { memory, secretsOpened, acceptsNewIdentity }: HostContext,
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
    verifySignature,
    once: (key, make) => remember(memory.remembered, key, make),
    secretsOpened,
    acceptsNewIdentity,
  }
}

function remember<T>(remembered: Map<string, unknown>, key: string, make: () => T): T {
  if (!remembered.has(key)) remembered.set(key, make())
  // Keys are made by the modules, each of one type: the type of a key's value is its maker's affair.
  return remembered.get(key) as T
}
