import { createHash } from 'node:crypto'
import type { Planned, Resource, World } from '../../model/resource.ts'
import { known, type Value } from '../../model/value.ts'
import type { ReadAtom, Readiness, WriteOp } from '../../model/wire.ts'
import { checkHealth, planCheck } from '../check/check.ts'
import { failure, problem, refused, success, type Result } from '../common/result.ts'
import type { FileContent } from '../file/content.ts'
import { fileResource } from '../file/file.ts'
import { readinessTest } from '../unit/desired.ts'

/** A pod that kubelet runs from a manifest. */
export interface StaticPodDesired {
  /** Of the manifest, in the folder that kubelet watches. */
  readonly path: string
  readonly mode: number
  /** The manifest; the mark changes where what the pod reads when it starts does. Undefined where nothing is read. */
  readonly manifest: (mark: string | undefined) => FileContent
  /** Equal for equal {@link StaticPodDesired.manifest}. */
  readonly sameness: string
  /** Files that the pod reads when it starts: other content means a restart. */
  readonly restartOn: readonly string[]
  readonly ready: Readiness
  /** Socket that the pod makes anew whenever it starts: an answer of the old pod is not taken for one of the new. */
  readonly socket?: string | undefined
  /** Seconds that a start and readiness may take each. */
  readonly within: number
}

/** Files larger than this are not what a pod is configured with. */
const largestConfiguration = 4_194_304

/**
 * The manifest is staged outside of what kubelet reads and put in place by one rename; kubelet then starts the pod, or
 * starts it anew, since any other byte makes another pod of it.
 */
export function staticPodResource(desired: StaticPodDesired): Resource {
  const { path, restartOn, ready, socket } = desired
  const test = readinessTest(ready)
  return {
    id: `static-pod:${path}`,
    subject: `path:${path}`,
    sameness: JSON.stringify([desired.sameness, desired.mode, restartOn, ready, socket, desired.within]),
    atoms: [
      ...manifestFile(desired, desired.manifest('')).atoms,
      ...restartOn.map((file): ReadAtom => ({ atom: 'path', path: file, digestUpTo: largestConfiguration })),
      ...(socket === undefined ? [] : [{ atom: 'path', path: socket } as const]),
      ...(test === undefined ? [] : [test]),
    ],
    plan: (world) => plan(desired, world),
    health: (world) => {
      if (world.path(path).is === 'absent') return 'not-here'
      return test === undefined ? [] : checkHealth('ready', test, world)
    },
  }
}

function manifestFile({ path, mode }: StaticPodDesired, content: FileContent): Resource {
  return fileResource({ path, owner: 'root', group: 'root', mode, content })
}

function plan(desired: StaticPodDesired, world: World): Planned {
  const { path, restartOn, ready, within } = desired
  const mark = restartMark(restartOn, world)
  if (!mark.ok) return refused(mark.problem)
  const content: FileContent = mark.value.known
    ? desired.manifest(mark.value.value)
    : { is: 'unknown', origins: [mark.value] }
  const planned = manifestFile(desired, content).plan(world)
  const test = readinessTest(ready)
  if (planned.is === 'same') return test === undefined ? planned : planCheck('ready', test, within, world)
  if (planned.is !== 'change') return planned
  // A pod that runs is replaced: until the new one answers the API server cannot decrypt.
  const disruptive = world.path(path).is === 'present'
  const ops = planned.ops.some(({ op }) => op === 'file-put')
    ? [...planned.ops, ...awaits(desired, world)]
    : planned.ops
  return { ...planned, ops, disruptive }
}

/** Waits until kubelet has started the pod of this manifest, and it is ready. */
function awaits({ path, socket, ready, within }: StaticPodDesired, world: World): readonly WriteOp[] {
  const running = world.path(path).is === 'present'
  const before = socket === undefined ? undefined : world.path(socket)
  const token = before?.is === 'present' ? before.token : undefined
  const test = readinessTest(ready)
  return [
    ...(socket === undefined || token === undefined || !running
      ? []
      : [
          {
            op: 'await',
            test: { atom: 'renewed', key: `renewed:${socket}`, path: socket, token },
            within,
          } as const,
        ]),
    ...(test === undefined ? [] : [{ op: 'await', test, within } as const]),
  ]
}

/** One digest over those of all files, undefined where there are none. */
function restartMark(paths: readonly string[], world: World): Result<Value<string | undefined>> {
  if (paths.length === 0) return success(known(undefined))
  const hash = createHash('sha256')
  for (const path of paths) {
    const fact = world.path(path)
    if (fact.is === 'unreadable') return failure(fact.problem)
    const content = fact.is === 'present' ? fact.state.content : undefined
    if (fact.is === 'present' && content?.known !== true) {
      if (content !== undefined && 'after' in content) return success(content)
      const found = content === undefined ? 'no content' : content.unreadable
      return failure(problem('resource.unreadable', path, `expected to hash ${path}, found ${found}`))
    }
    if (content?.known === true && content.value.sealed) {
      return failure(
        problem(
          'resource.unreadable',
          path,
          `expected no secret among the files that a restart hangs on, found ${path}`,
          'What is derived from a secret would stand in the manifest; the provider reads its credentials anew.',
        ),
      )
    }
    hash.update(`${path} ${content?.known === true ? content.value.reveal() : 'absent'}\n`)
  }
  return success(known(hash.digest('hex')))
}
