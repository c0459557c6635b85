import * as z from 'zod'
import type { Module } from '../modules/define.ts'

/** One argument of a module as the reference lists it; nested ones are `members[].name` or `validate.argv`. */
export interface Argument {
  readonly name: string
  /** In words: `text`, `list of text`, `whole number`, ... */
  readonly type: string
  readonly required: boolean
  /** YAML, where it is not empty. */
  readonly byDefault?: string
  readonly description: string
}

/** The parts of JSON Schema that zod writes for the arguments of modules. */
const Node = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.json().optional(),
  const: z.json().optional(),
  enum: z.array(z.json()).optional(),
  get anyOf() {
    return z.array(Node).optional()
  },
  get items() {
    return Node.optional()
  },
  get properties() {
    return z.record(z.string(), Node).optional()
  },
  required: z.array(z.string()).default([]),
})
type Node = z.infer<typeof Node>

/** JSON Schema of what a task may say; the module's own schema is the only source. */
export function moduleSchema(module: Module): JsonSchema {
  // What a task may say, before defaults and transforms; secrets and unknown text have no JSON form.
  return JsonSchema.parse(z.toJSONSchema(module.args, { io: 'input', unrepresentable: 'any' }))
}

const JsonSchema = z.record(z.string(), z.json())
export type JsonSchema = z.infer<typeof JsonSchema>

/** All arguments of a module in the order of its schema. */
export function moduleArguments(schema: JsonSchema): readonly Argument[] {
  return argumentsOf(Node.parse(schema), '', true)
}

function argumentsOf(node: Node, prefix: string, needed: boolean): readonly Argument[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, part]): readonly Argument[] => {
    const full = `${prefix}${name}`
    const required = needed && node.required.includes(name)
    const { default: byDefault } = part
    const said = byDefault === undefined || byDefault === '' || isEmptyList(byDefault) ? undefined : byDefault
    const argument: Argument = {
      name: full,
      type: typeOf(part),
      required: node.required.includes(name),
      ...(said === undefined ? {} : { byDefault: JSON.stringify(said) }),
      description: part.description ?? '',
    }
    return [
      argument,
      ...argumentsOf(part, `${full}.`, required),
      ...(part.items === undefined ? [] : argumentsOf(part.items, `${full}[].`, required)),
    ]
  })
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

const words: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['integer', 'whole number'],
  ['number', 'number'],
  ['boolean', '`true` or `false`'],
  ['object', 'dictionary'],
])

function typeOf(node: Node): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``
  if (node.enum !== undefined) return node.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ')
  if (node.anyOf !== undefined)
    return [...new Set(node.anyOf.map(typeOf).filter((type) => type !== ''))].join(' or ')
  if (node.type === 'array')
    return `list of ${node.items === undefined ? 'anything' : plural(typeOf(node.items))}`
  return words.get(node.type ?? '') ?? ''
}

function plural(type: string): string {
  if (type === 'dictionary') return 'dictionaries'
  return type === 'whole number' ? 'whole numbers' : type
}
