import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import type { Environment } from 'minijinja-js'
import { filters } from './filters.ts'
import { dictionaryOf, isRecord } from './tree.ts'

/** Names and functions that a template sees beside its own. A function that throws fails the template with what it threw. */
export interface Functions {
  readonly use: (index: number) => unknown
  readonly group: (name: unknown) => { readonly gid: number }
  readonly user: (name: unknown) => { readonly uid: number }
  /** Further variables, as they are. */
  readonly variables: readonly (readonly [string, unknown])[]
}

/** The engine itself refused or failed: `line` counts from 1 inside the template. */
export class EngineFailure extends Error {
  readonly line: number
  /** `trap`: the engine broke and was replaced. */
  readonly kind: 'syntax' | 'undefined' | 'fuel' | 'trap' | 'other'

  constructor(kind: EngineFailure['kind'], message: string, line: number) {
    super(message)
    this.name = 'EngineFailure'
    this.kind = kind
    this.line = line
  }
}

/** Name of the function that stands for a use of a variable, and a name that nothing is bound to. */
export const useFunction = '__kmsfleet_use'
export const undefinedName = '__kmsfleet_undefined'

/** Steps of the engine's machine per template; a loop of 100,000 turns is beyond any configuration file. */
const fuel = 1_000_000

/**
 * Pages of 64 KiB that an instance may grow to: the module itself names no limit, and a text that doubles itself
 * would take 4 GiB with a handful of steps.
 */
const maxPages = 2048

/** A WebAssembly memory never shrinks, so that an instance grown beyond this is thrown away. */
const memoryLimit = 64 * 1024 * 1024

interface Binding {
  readonly Environment: new () => Environment
  readonly __wasm: { readonly memory: { readonly buffer: ArrayBufferLike } }
}

function isBinding(value: unknown): value is Binding {
  return isRecord(value) && typeof value['Environment'] === 'function' && isRecord(value['__wasm'])
}

/** Instantiates the WebAssembly module anew: after a panic the old instance is corrupt. */
function loadBinding(): Binding {
  // Holds for all WebAssembly of this process; nothing else here comes near it.
  setFlagsFromString(`--wasm-max-mem-pages=${String(maxPages)}`)
  const load = createRequire(import.meta.url)
  const path = load.resolve('minijinja-js')
  Reflect.deleteProperty(load.cache, path)
  const loaded: unknown = load(path)
  if (!isBinding(loaded)) throw new Error('minijinja-js has another form than expected')
  return loaded
}

export interface Engine {
  /** Renders a template to text. Throws {@link EngineFailure}, or what a function threw. */
  render(source: string, functions: Functions): string
  /** Evaluates an expression; dictionaries come as Maps, none as undefined. */
  evaluate(source: string, functions: Functions): unknown
}

/** An environment and what its functions threw while it rendered. */
interface Slot {
  readonly environment: Environment
  thrown: unknown[]
}

/** A function must not throw through the engine: that is a panic. What it threw is kept instead. */
function guard<Args extends unknown[], R>(
  slot: Slot,
  call: (...args: Args) => R,
  instead: R,
): (...args: Args) => R {
  return (...args) => {
    try {
      return call(...args)
    } catch (error) {
      slot.thrown.push(error)
      return instead
    }
  }
}

function makeSlot(binding: Binding): Slot {
  const environment = new binding.Environment()
  environment.undefinedBehavior = 'strict'
  environment.trimBlocks = true
  environment.keepTrailingNewline = true
  environment.fuel = fuel
  environment.debug = false
  environment.enablePyCompat()
  // Prints everything that a template sees.
  environment.removeGlobal('debug')
  const slot: Slot = { environment, thrown: [] }
  for (const [name, filter] of filters)
    environment.addFilter(name, guard<unknown[], unknown>(slot, filter, ''))
  return slot
}

/**
 * An engine that may be used again from within one of its own functions: an environment is borrowed while it
 * renders, so that each depth has one of its own.
 */
export function createEngine(): Engine {
  let binding: Binding | undefined
  let slots: Slot[] = []
  let depth = 0

  function discard(): void {
    binding = undefined
    slots = []
  }

  function run<T>(functions: Functions, work: (environment: Environment, context: unknown) => T): T {
    binding ??= loadBinding()
    const { memory } = binding.__wasm
    const slot = (slots[depth] ??= makeSlot(binding))
    slot.thrown = []
    const context = {
      ...dictionaryOf(functions.variables),
      [useFunction]: guard<[number], unknown>(slot, functions.use, ''),
      host: {
        group: guard(slot, functions.group, { gid: 1 }),
        user: guard(slot, functions.user, { uid: 1 }),
      },
    }
    depth += 1
    try {
      const result = quietly(() => work(slot.environment, context))
      if (slot.thrown.length > 0) throw slot.thrown[0]
      return result
    } catch (error) {
      if (slot.thrown.length > 0) throw slot.thrown[0]
      const failure = engineFailure(error)
      if (failure.kind === 'trap') discard()
      throw failure
    } finally {
      depth -= 1
      if (memory.buffer.byteLength > memoryLimit) discard()
    }
  }

  return {
    render: (source, functions) =>
      run(functions, (environment, context) => environment.renderStr(source, context)),
    evaluate: (source, functions) =>
      run(functions, (environment, context): unknown => environment.evalExpr(source, context)),
  }
}

/** The engine's panic hook prints to standard error, which belongs to the reports. */
function quietly<T>(work: () => T): T {
  const shown: unknown = Reflect.get(console, 'error')
  Reflect.set(console, 'error', () => undefined)
  try {
    return work()
  } finally {
    Reflect.set(console, 'error', shown)
  }
}

function engineFailure(error: unknown): EngineFailure {
  const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  const { text = message, line = '1' } = /^(?<text>.*) \(in <\w+>:(?<line>\d+)\)$/.exec(message)?.groups ?? {}
  const at = Number(line)
  // Every error of the engine is a plain Error; a RangeError is an exhausted stack, the rest a panic.
  const broken =
    !(error instanceof Error) || error.name !== 'Error' || message.startsWith('recursive use of an object')
  if (broken) return new EngineFailure('trap', 'the template engine ran out of memory or broke', 1)
  if (text.startsWith('syntax error: '))
    return new EngineFailure('syntax', text.slice('syntax error: '.length), at)
  if (text.startsWith('undefined value')) return new EngineFailure('undefined', text, at)
  if (text.startsWith('engine ran out of fuel')) return new EngineFailure('fuel', text, at)
  return new EngineFailure('other', text, at)
}
