import type * as z from 'zod'
import type { Place } from '../../errors/place.ts'
import type { Module } from '../../modules/define.ts'
import { shipped } from '../../modules/registry.ts'
import { callerPlace } from '../../project/stack.ts'
import type { TaskKeywords } from '../keywords.ts'
import type { Written } from './host-value.ts'

const placeOfTask = Symbol.for('kmsfleet.task-place')

/** One task as code wrote it: the dictionary that it would be in YAML, and where it was written. */
export interface WrittenTask {
  readonly [placeOfTask]: Place
  readonly [key: string]: unknown
}

/** Keywords beside a task's name and module, as in YAML; a condition is a text or a value of the host. */
export type Keywords = {
  readonly [Key in Exclude<keyof z.input<typeof TaskKeywords>, 'name'>]?: Written<
    z.input<typeof TaskKeywords>[Key]
  >
}

/** Writes one task of a module. */
export type TaskWriter<Input> = (name: string, args: Written<Input>, keywords?: Keywords) => WrittenTask

const nowhere: Place = { file: '(code)', line: 1, column: 1 }

/** How tasks of a module are written in TypeScript; for modules of a project's own. */
export function task<Args, Input>(module: Pick<Module<Args, Input>, 'name' | 'args'>): TaskWriter<Input> {
  return (name, args, keywords = {}) => ({
    ...keywords,
    name,
    [module.name]: args,
    [placeOfTask]: callerPlace(nowhere),
  })
}

export function placeOf(written: object): Place | undefined {
  const place: unknown = placeOfTask in written ? written[placeOfTask] : undefined
  return isPlace(place) ? place : undefined
}

function isPlace(value: unknown): value is Place {
  return typeof value === 'object' && value !== null && 'file' in value && 'line' in value
}

type Shipped = typeof shipped
type InputOf<M> = M extends { readonly args: z.ZodType<unknown, infer Input> } ? Input : never

/** How tasks of the shipped modules are written, by the modules' names. */
export const tasks: { readonly [Name in keyof Shipped]: TaskWriter<InputOf<Shipped[Name]>> } = writers()

function writers(): typeof tasks {
  return Object.fromEntries(
    Object.values(shipped).map((module: Module) => [module.name, task(module)]),
  ) as typeof tasks
}
