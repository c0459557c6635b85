import { batchesOf } from '../fleet/run.ts'
import type { Secret } from '../model/secret.ts'
import type { Host } from '../inventory/types.ts'
import type { TaskRef } from '../model/resource.ts'
import type { Peer, Seeding } from '../model/seed.ts'
import type { ModuleContext } from '../modules/define.ts'
import { modules } from '../modules/registry.ts'
import type { PlanContext } from '../plan/expand.ts'
import { localFile, openFolder } from '../playbook/contents.ts'
import { inOrder } from '../playbook/order.ts'
import { chosenTasks } from '../playbook/tags.ts'
import type { Play, Task } from '../playbook/types.ts'
import { taskVariables, variableOrigin } from '../playbook/variables.ts'
import { verifySignature } from '../sources/cosign.ts'
import type { Scope } from '../template/engine.ts'
import { type ContextRequest, type RunMemory, tagChoice } from './memory.ts'
import { mayWrite, playSecrets } from './secrets.ts'
import { seedPeers } from './seed-peers.ts'
import { hostsOfPlay } from './selection.ts'

/** What planning needs, for every host of a play. Secrets are those that `openSecrets` read before. */
export function createContexts(
  request: ContextRequest,
  play: Play,
  memory: RunMemory,
): readonly PlanContext[] {
  // In the order of their turns: who is first in a batch decides who does what is done once.
  const hosts = inOrder(hostsOfPlay(request, play), play.order)
  const tasks = chosenTasks(play.tasks, tagChoice(request))
  const leaders = new Set(batchesOf(hosts, play.serial).map(([first]) => first))
  const others = tasks.filter((task) => !task.runOnce)
  const peers = seedPeers(request, play, hosts, memory)
  return contextsOf(request, play, hosts, memory, {
    tasksOf: (host) => (leaders.has(host) ? tasks : others),
    peerOf: (host) => peers.get(host.name),
  })
}

/**
 * For hosts that are only looked at: all that each of them has, whatever the tags, and no secret source is opened.
 *
 * @param seeding what they give to new hosts
 */
export function createLookers(
  request: ContextRequest,
  play: Play,
  hosts: readonly Host[],
  memory: RunMemory,
  seeding?: Seeding,
): readonly PlanContext[] {
  const tasks = play.tasks.filter((task) => !task.runOnce)
  return contextsOf({ ...request, command: 'plan' }, play, hosts, memory, { tasksOf: () => tasks, seeding })
}

/** In what the contexts of hosts differ. */
interface Differing {
  readonly tasksOf: (host: Host) => readonly Task[]
  /** Who gives the host something. */
  readonly peerOf?: (host: Host) => Peer | undefined
  readonly seeding?: Seeding | undefined
}

function contextsOf(
  request: ContextRequest,
  play: Play,
  hosts: readonly Host[],
  memory: RunMemory,
  { tasksOf, peerOf, seeding }: Differing,
): readonly PlanContext[] {
  const secrets = playSecrets(request, play, hosts, memory)
  const secretsOpened = mayWrite(request)
  const available = new Map([...modules, ...request.playbook.modules])
  const answered = handlersByHost(request)
  return hosts.map((host) => {
    const own = secrets.get(host.name) ?? new Map<string, Secret>()
    const peer = peerOf?.(host)
    const acceptsNewIdentity = request.acceptNewIdentity?.includes(host.name) === true
    return {
      host,
      play,
      tasks: tasksOf(host),
      engine: memory.engine,
      modules: available,
      answered: answered.get(host.name) ?? new Set(),
      variables: (task, over) =>
        taskVariables({ play, task, host, extraVars: request.extraVars, secrets: own, registers: over }),
      origin: (task, name) => variableOrigin({ play, task, host, extraVars: request.extraVars }, name),
      moduleContext: (task, ref, scope) =>
        moduleContext(
          {
            memory,
            secretsOpened,
            acceptsNewIdentity,
            seeding: peer === undefined ? seeding : { is: 'taker', peer },
          },
          task,
          ref,
          scope,
        ),
      ...(peer === undefined ? {} : { peer }),
    }
  })
}

function handlersByHost(request: ContextRequest): ReadonlyMap<string, ReadonlySet<string>> {
  const byHost = new Map<string, Set<string>>()
  for (const play of request.playbook.plays) {
    for (const { name } of hostsOfPlay(request, play)) {
      const ids = byHost.get(name) ?? new Set()
      for (const { handlerId } of play.handlers) ids.add(handlerId)
      byHost.set(name, ids)
    }
  }
  return byHost
}

/** What is the same for all tasks of a host. */
interface HostContext {
  readonly memory: RunMemory
  readonly secretsOpened: boolean
  readonly acceptsNewIdentity: boolean
  readonly seeding: Seeding | undefined
}

function moduleContext(
  { memory, secretsOpened, acceptsNewIdentity, seeding }: HostContext,
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
    seeding,
  }
}

function remember<T>(remembered: Map<string, unknown>, key: string, make: () => T): T {
  if (!remembered.has(key)) remembered.set(key, make())
  // Keys are made by the modules, each of one type: the type of a key's value is its maker's affair.
  return remembered.get(key) as T
}
