import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { folderKey } from '../model/facts.ts'
import type { ReadAtom } from '../model/wire.ts'
import type { Role, Task, Variables } from '../playbook/types.ts'
import type { HostLookups } from '../template/engine.ts'
import { UnknownText } from '../model/text.ts'
import { unknown } from '../model/value.ts'
import { createClaims } from './claims.ts'
import { expandTask, type Instance, type PlanContext, type Registered } from './expand.ts'
import { checkArguments } from './check-arguments.ts'

/**
 * Everything that the first frame asks of a host: the atoms of every resource whose address is known before
 * the host was asked anything. Also finds every error in the operator's files that this host would meet.
 */
export function initialAtoms(context: PlanContext, options: { readonly diff: boolean }): readonly ReadAtom[] {
  const nothingKnown: HostLookups = {
    groupId: (name) => unknown({ after: `group:${name}`, field: 'gid' }),
    userId: (name) => unknown({ after: `user:${name}`, field: 'uid' }),
  }
  // Before the run no result is there; what reads one is expanded once it is.
  const registered = new Map(
    [...context.tasks, ...context.play.handlers].flatMap((task) =>
      task.register === undefined
        ? []
        : [[task.register, new UnknownText([{ after: `task:${task.id}`, field: 'result' }])] as const],
    ),
  )
  const atoms: ReadAtom[] = []
  /** Roles with what stands around their uses. */
  const checked = new Map<Role, Set<Variables | undefined>>()
  const claims = createClaims()
  for (const task of [...context.tasks, ...context.play.handlers]) {
    for (const { expression, place } of task.until?.conditions ?? []) {
      const scope = { variables: context.variables(task, registered), host: nothingKnown }
      context.engine.condition(expression, scope, place)
    }
    for (const instance of expandChecked(task)) {
      if (instance.is === 'undecided') atoms.push(...possibleAtoms(context, task, nothingKnown, registered))
      if (instance.is !== 'ready') continue
      for (const resource of instance.resources) {
        claims.repeats(resource, instance.ref)
        atoms.push(...resource.atoms)
      }
    }
  }
  /** What a role is given is checked where one of its tasks may run; its errors come before those that they lead to. */
  function* expandChecked(task: Task): Generator<Instance> {
    const check = (): void => {
      const { role, aroundRole } = task
      if (role === undefined) return
      const uses = checked.get(role) ?? new Set()
      if (aroundRole === undefined ? uses.size > 0 : uses.has(aroundRole)) return
      checked.set(role, uses.add(aroundRole))
      checkArguments(context, role, task, nothingKnown, registered)
    }
    try {
      for (const instance of expandTask(context, task, nothingKnown, registered)) {
        if (instance.is !== 'skipped') check()
        yield instance
      }
    } catch (error) {
      check()
      throw error
    }
  }

  return mergeAtoms(
    options.diff ? atoms : atoms.map((atom) => (atom.atom === 'path' ? withoutText(atom) : atom)),
  )
}

/** What a task that may or may not run would ask: asked early, it costs no round trip once the task is decided. */
function possibleAtoms(
  context: PlanContext,
  task: Task,
  lookups: HostLookups,
  registered: Registered,
): readonly ReadAtom[] {
  try {
    const certain: Task = { ...task, when: [] }
    const instances = [...expandTask(context, certain, lookups, registered)]
    return instances.flatMap((instance) =>
      instance.is === 'ready' ? instance.resources.flatMap((resource) => resource.atoms) : [],
    )
  } catch (error) {
    // Its condition may be what keeps the error away; if not, it is met when the task is planned.
    if (error instanceof KmsfleetError || error instanceof KmsfleetErrors) return []
    throw error
  }
}

/** Old texts are read only for `--diff`. */
function withoutText(atom: PathAtom): PathAtom {
  return pathAtom({ ...atom, textUpTo: undefined })
}

/** The same questions, each asked once: path atoms of one path become one that asks for all that any of them asked. */
export function mergeAtoms(atoms: readonly ReadAtom[]): readonly ReadAtom[] {
  const merged = new Map<string, ReadAtom>()
  for (const atom of atoms) {
    const key = atomKey(atom)
    const before = merged.get(key)
    merged.set(key, before?.atom === 'path' && atom.atom === 'path' ? mergePath(before, atom) : atom)
  }
  return [...merged.values()]
}

/** Finds, of the atoms it is given, those that `answered` does not cover. */
export function createCoverage(
  answered: readonly ReadAtom[],
): (asked: readonly ReadAtom[]) => readonly ReadAtom[] {
  const known = new Map(answered.map((atom) => [atomKey(atom), atom]))
  const isMissing = (atom: ReadAtom): boolean => {
    const before = known.get(atomKey(atom))
    if (before === undefined) return true
    return before.atom === 'path' && atom.atom === 'path' && !covers(before, atom)
  }
  return (asked) => asked.filter(isMissing)
}

type PathAtom = Extract<ReadAtom, { atom: 'path' }>

/** Texts are for showing only: that one was not asked for is the run's choice. */
function covers(answered: PathAtom, asked: PathAtom): boolean {
  return (
    (asked.digestUpTo === undefined || asked.digestUpTo <= (answered.digestUpTo ?? -1)) &&
    (asked.bytesUpTo === undefined || asked.bytesUpTo <= (answered.bytesUpTo ?? -1)) &&
    (asked.sealed !== true || answered.sealed === true) &&
    (asked.package !== true || answered.package === true) &&
    (asked.publicPart === undefined || asked.publicPart === answered.publicPart) &&
    (asked.labelOf === undefined || asked.labelOf === answered.labelOf)
  )
}

function mergePath(left: PathAtom, right: PathAtom): PathAtom {
  return pathAtom({
    path: left.path,
    digestUpTo: largest(left.digestUpTo, right.digestUpTo),
    sealed: left.sealed === true || right.sealed === true,
    textUpTo: largest(left.textUpTo, right.textUpTo),
    bytesUpTo: largest(left.bytesUpTo, right.bytesUpTo),
    publicPart: left.publicPart ?? right.publicPart,
    package: left.package === true || right.package === true,
    labelOf: left.labelOf ?? right.labelOf,
  })
}

type Asked = Omit<PathAtom, 'atom' | 'path'>
type PathAsked = { readonly path: string } & { readonly [K in keyof Asked]: Asked[K] | undefined }

/** The atom without what is not asked. */
function pathAtom(asked: PathAsked): PathAtom {
  const { path, digestUpTo, sealed, textUpTo, bytesUpTo, publicPart, labelOf } = asked
  return {
    atom: 'path',
    path,
    ...(digestUpTo === undefined ? {} : { digestUpTo }),
    ...(sealed === true ? { sealed } : {}),
    ...(textUpTo === undefined ? {} : { textUpTo }),
    ...(bytesUpTo === undefined ? {} : { bytesUpTo }),
    ...(publicPart === undefined ? {} : { publicPart }),
    ...(asked.package === true ? { package: true } : {}),
    ...(labelOf === undefined ? {} : { labelOf }),
  }
}

function largest(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined ? right : right === undefined ? left : Math.max(left, right)
}

function atomKey(atom: ReadAtom): string {
  switch (atom.atom) {
    case 'path':
      return `path ${atom.path}`
    case 'user':
    case 'group':
      return `${atom.atom} ${atom.name}`
    case 'folder':
      return `folder ${folderKey(atom.path, atom.ending)}`
    case 'pair':
      return `pair ${atom.folder}/${atom.names[0]}`
    case 'unit':
      return `unit ${atom.unit}`
    case 'process':
    case 'attempts':
    case 'held':
    case 'says':
      return `${atom.atom} ${atom.key}`
    case 'entries':
      return `entries ${atom.path}`
    case 'run':
    case 'prints':
    case 'reach':
    case 'exists':
    case 'renewed':
    case 'started':
    case 'http':
    case 'listens':
      return `test ${atom.key}`
  }
}
