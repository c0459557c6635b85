import { checkValue } from '../document/parse.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { Place } from '../errors/place.ts'
import type { Host } from '../inventory/types.ts'
import type { Undecided } from '../model/plan.ts'
import type { Resource, TaskRef } from '../model/resource.ts'
import type { Peer } from '../model/seed.ts'
import { verbatim } from '../model/host-text.ts'
import { type Rendered, UnknownText } from '../model/text.ts'
import { Secret } from '../model/secret.ts'
import type { Origin } from '../model/value.ts'
import type { Module, ModuleContext } from '../modules/define.ts'
import type { Handler, Play, Task } from '../playbook/types.ts'
import type { HostLookups, Scope, TemplateEngine } from '../template/engine.ts'

/** What planning needs besides the world; the same for all stages of one host's run. */
export interface PlanContext {
  readonly host: Host
  readonly play: Play
  readonly tasks: readonly Task[]
  readonly engine: TemplateEngine
  readonly modules: ReadonlyMap<string, Module>
  /** Ids of the handlers that any play of the playbook has for the host. */
  readonly answered: ReadonlySet<string>
  /** Variables of one task, before `item` and registered results are laid over them. */
  readonly variables: (task: Task, over: ReadonlyMap<string, unknown>) => ReadonlyMap<string, unknown>
  /** Where the value of a variable stands that a task sees, where that is a file. */
  readonly origin: (task: Task, name: string) => Place | undefined
  /** Gives the host what only a peer has. */
  readonly peer?: Peer
  /** What a module is offered for this task. `template` renders with the scope given. */
  readonly moduleContext: (task: Task, ref: TaskRef, scope: Scope) => ModuleContext
}

/** A task with its loop unrolled once: one element, its condition judged and its arguments rendered. */
export type Instance =
  | { readonly is: 'skipped'; readonly task: Task; readonly ref: TaskRef }
  | {
      readonly is: 'undecided'
      readonly task: Task
      readonly ref: TaskRef
      readonly what: Undecided['what']
      readonly after: readonly Origin[]
    }
  | {
      readonly is: 'ready'
      readonly task: Task
      readonly ref: TaskRef
      readonly resources: readonly Resource[]
      /** What does the task's changes in place of this play; undefined where the play does them. */
      readonly due?: string
    }

/**
 * Registered results by name, as tasks may read them; an UnknownText where only a change of this run will give it,
 * so that all that touches it, through whatever variable or template, waits.
 */
export type Registered = ReadonlyMap<string, unknown>

/** What tasks became that asked the host nothing, by host and task: each stage would only make the same again. */
const settled = new WeakMap<PlanContext, Map<Task, readonly Instance[]>>()

/**
 * Unrolls one task for one host. Errors in the operator's files are thrown with their place. What asked nothing
 * of the host, before any result was there to be read, comes out the same each time and is made once.
 */
export function* expandTask(
  context: PlanContext,
  task: Task | Handler,
  lookups: HostLookups,
  registered: Registered,
): Generator<Instance> {
  const keepable = registered.size === 0
  const kept = keepable ? settled.get(context)?.get(task) : undefined
  if (kept !== undefined) {
    yield* kept
    return
  }
  const watched = watch(lookups)
  const made: Instance[] = []
  for (const instance of unroll(context, task, watched.lookups, registered)) {
    made.push(instance)
    yield instance
  }
  if (!keepable || watched.asked()) return
  const ofHost = settled.get(context) ?? new Map<Task, readonly Instance[]>()
  settled.set(context, ofHost.set(task, made))
}

/** The same lookups, and whether any was made. */
function watch(lookups: HostLookups): { readonly lookups: HostLookups; readonly asked: () => boolean } {
  let asked = false
  return {
    lookups: {
      groupId: (name) => {
        asked = true
        return lookups.groupId(name)
      },
      userId: (name) => {
        asked = true
        return lookups.userId(name)
      },
    },
    asked: () => asked,
  }
}

function* unroll(
  context: PlanContext,
  task: Task | Handler,
  lookups: HostLookups,
  registered: Registered,
): Generator<Instance> {
  const items = loopItems(context, task, lookups, registered)
  if (items instanceof UnknownText) {
    yield { is: 'undecided', task, ref: reference(task), what: 'loop', after: items.origins }
    return
  }
  for (const item of items) yield expandItem(context, task, lookups, item)
}

interface LoopItem {
  readonly index: number | undefined
  readonly over: ReadonlyMap<string, unknown>
}

function loopItems(
  context: PlanContext,
  task: Task,
  lookups: HostLookups,
  registered: Registered,
): readonly LoopItem[] | UnknownText {
  if (task.loop === undefined) return [{ index: undefined, over: registered }]
  const scope = { variables: context.variables(task, registered), host: lookups }
  const list = context.engine.value(task.loop, scope, (path) => task.placeOf(['loop', ...path]))
  if (list instanceof UnknownText) return list
  if (!Array.isArray(list)) {
    throw new KmsfleetError(
      'module.arguments',
      `loop of task '${task.name}': expected a list, found ${kindOf(list)}`,
      {
        place: task.place,
      },
    )
  }
  const elements: readonly unknown[] = list
  return elements.map((item, index) => ({
    index,
    over: new Map([...registered, ['item', verbatim(item)]]),
  }))
}

function expandItem(context: PlanContext, task: Task, lookups: HostLookups, item: LoopItem): Instance {
  const scope: Scope = { variables: context.variables(task, item.over), host: lookups }
  const base = reference(task, item.index)
  const origins: Origin[] = []
  for (const { expression, place } of task.when) {
    const holds = context.engine.condition(expression, scope, place)
    if (holds instanceof UnknownText) origins.push(...holds.origins)
    else if (!holds) return { is: 'skipped', task, ref: base }
  }
  if (origins.length > 0) return { is: 'undecided', task, ref: base, what: 'condition', after: origins }
  const name = task.name.includes('{{')
    ? shownName(context.engine.text(task.name, scope, task.placeOf(['name'])), task)
    : task.name
  const ref: TaskRef = { ...base, name }
  const module = context.modules.get(task.module)
  if (module === undefined) {
    throw new KmsfleetError('module.arguments', `expected a known module, found '${task.module}'`, {
      place: task.place,
    })
  }
  const rendered = context.engine.value(task.args.value, scope, (path) => task.args.place(path))
  const unknown = unknownArguments(rendered, module.mayBeUnknown)
  if (unknown.length > 0) return { is: 'undecided', task, ref, what: 'arguments', after: unknown }
  const args = checkValue(module.args, rendered, task.args, { code: 'module.arguments' })
  const resources = module.resources(args, context.moduleContext(task, ref, scope))
  const due = task.due === undefined ? '' : dueText(context, task, task.due, scope)
  return { is: 'ready', task, ref, resources, ...(due === '' ? {} : { due }) }
}

function dueText(context: PlanContext, task: Task, written: string, scope: Scope): string {
  const place = task.placeOf(['due'])
  const text = context.engine.text(written, scope, place)
  if (typeof text === 'string') return text.trim()
  throw new KmsfleetError(
    'playbook.invalid',
    'expected text that is known before the run, found another value',
    {
      place,
    },
  )
}

function reference(task: Task, index?: number): TaskRef {
  return {
    id: index === undefined ? task.id : `${task.id}[${String(index)}]`,
    name: task.name,
    place: task.place,
  }
}

function shownName(name: ReturnType<TemplateEngine['text']>, task: Task): string {
  return typeof name === 'string' ? name : task.name
}

/** Origins of every unknown text in the tree that stands outside the arguments that may be unknown. */
function unknownArguments(tree: Rendered, mayBeUnknown: readonly string[]): readonly Origin[] {
  if (!isDictionary(tree)) return collectUnknown(tree)
  return Object.entries(tree).flatMap(([key, value]) =>
    mayBeUnknown.includes(key) ? [] : collectUnknown(value),
  )
}

function collectUnknown(tree: Rendered): readonly Origin[] {
  if (tree instanceof UnknownText) return tree.origins
  if (isList(tree)) return tree.flatMap(collectUnknown)
  if (isDictionary(tree)) return Object.values(tree).flatMap(collectUnknown)
  return []
}

function isList(tree: Rendered): tree is readonly Rendered[] {
  return Array.isArray(tree)
}

function isDictionary(tree: Rendered): tree is Readonly<Record<string, Rendered>> {
  return (
    typeof tree === 'object' &&
    tree !== null &&
    !Array.isArray(tree) &&
    !(tree instanceof UnknownText) &&
    !(tree instanceof Secret)
  )
}

function kindOf(value: unknown): string {
  return value === null ? 'nothing' : typeof value === 'object' ? 'a dictionary' : `a ${typeof value}`
}
