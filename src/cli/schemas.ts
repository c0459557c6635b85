import * as z from 'zod'
import { isDictionary } from '../document/dictionary.ts'
import { InventoryDocument } from '../inventory/written.ts'
import { AccessKeywords } from '../playbook/access-keywords.ts'
import {
  BlockKeywords,
  HandlerKeywords,
  ImportRoleKeywords,
  ImportTasksKeywords,
  MetaKeywords,
  PlayKeywords,
  TaskKeywords,
} from '../playbook/keywords.ts'
import type { ModuleDoc } from '../project/code.ts'

/* JSON Schema of what operators write, for editors. The schemas that the program checks with are the only source. */

export const schemaNames = ['playbook', 'tasks', 'inventory', 'access'] as const
export type SchemaName = (typeof schemaNames)[number]

type Json = z.core.util.JSONType
type JsonObject = Readonly<Record<string, Json>>

const JsonObject = z.record(z.string(), z.json())

/** The oldest draft that says it all: editors know it best. */
const draft = 'http://json-schema.org/draft-07/schema#'

/** The schema of a kind of file; `modules` are those that tasks may use. */
export function fileSchema(name: SchemaName, modules: readonly ModuleDoc[]): JsonObject {
  switch (name) {
    case 'playbook':
      return {
        $schema: draft,
        title: 'Playbook of kmsfleet',
        type: 'array',
        items: withLists(schemaOf(PlayKeywords)),
        definitions: definitions(modules),
      }
    case 'tasks':
      return {
        $schema: draft,
        title: 'Tasks of a role of kmsfleet',
        anyOf: [{ $ref: '#/definitions/tasks' }, { $ref: '#/definitions/handlers' }],
        definitions: definitions(modules),
      }
    case 'inventory':
      return { title: 'Inventory of kmsfleet', ...schemaOf(InventoryDocument), $schema: draft }
    case 'access':
      return { title: 'Access matrix of a role of kmsfleet', ...schemaOf(AccessKeywords), $schema: draft }
  }
}

/** The schema of a module's arguments as they stand in a task. */
export function argumentsSchema(module: ModuleDoc): JsonObject {
  return { $schema: draft, title: module.name, ...writtenArguments(module) }
}

function schemaOf(schema: z.ZodType): JsonObject {
  return JsonObject.parse(
    z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', target: 'draft-7', reused: 'inline' }),
  )
}

function definitions(modules: readonly ModuleDoc[]): JsonObject {
  return {
    ...Object.fromEntries(modules.map((module) => [`module.${module.name}`, writtenArguments(module)])),
    tasks: { type: ['array', 'null'], items: { $ref: '#/definitions/task' } },
    handlers: { type: ['array', 'null'], items: { $ref: '#/definitions/handler' } },
    task: {
      anyOf: [
        task(TaskKeywords, modules),
        withLists(schemaOf(BlockKeywords)),
        schemaOf(ImportTasksKeywords),
        schemaOf(ImportRoleKeywords),
        schemaOf(MetaKeywords),
      ],
    },
    handler: { anyOf: [task(HandlerKeywords, modules), schemaOf(ImportTasksKeywords)] },
  }
}

/** A task has its keywords and exactly one module. */
function task(keywords: z.ZodType, modules: readonly ModuleDoc[]): JsonObject {
  const schema = schemaOf(keywords)
  const own = modules.map(({ name, summary }): [string, Json] => [
    name,
    { description: summary, $ref: `#/definitions/module.${name}` },
  ])
  return {
    ...schema,
    properties: { ...objectAt(schema, 'properties'), ...Object.fromEntries(own) },
    oneOf: modules.map(({ name }): JsonObject => ({
      type: 'object',
      properties: { [name]: { type: 'object' } },
      required: [name],
    })),
  }
}

const lists: Readonly<Record<string, string>> = {
  pre_tasks: 'tasks',
  tasks: 'tasks',
  post_tasks: 'tasks',
  block: 'tasks',
  handlers: 'handlers',
}

/** The program looks at each task of a list by itself; a schema says in one what may stand there. */
function withLists(schema: JsonObject): JsonObject {
  const properties = Object.entries(objectAt(schema, 'properties')).map(([name, value]): [string, Json] => {
    const list = lists[name]
    return [name, list === undefined ? value : { $ref: `#/definitions/${list}` }]
  })
  return { ...schema, properties: Object.fromEntries(properties) }
}

function writtenArguments(module: ModuleDoc): JsonObject {
  const schema = { description: module.summary, ...JsonObject.parse(templated(module.schema)) }
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema'))
}

const template: JsonObject = { type: 'string', pattern: '\\{\\{' }

/** Every value may be a template instead; what a template gives is checked once it is rendered. */
function templated(schema: unknown): unknown {
  if (!isDictionary(schema)) return schema
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'properties' && isDictionary(value)) {
        return [
          key,
          Object.fromEntries(Object.entries(value).map(([name, each]) => [name, orTemplate(each)])),
        ]
      }
      if (key === 'items') return [key, orTemplate(value)]
      if (key === 'anyOf' && Array.isArray(value)) return [key, value.map(templated)]
      return [key, value]
    }),
  )
  return inner
}

function orTemplate(schema: unknown): unknown {
  const description = isDictionary(schema) ? schema['description'] : undefined
  return { ...(description === undefined ? {} : { description }), anyOf: [templated(schema), template] }
}

function objectAt(schema: JsonObject, key: string): JsonObject {
  return JsonObject.parse(schema[key] ?? {})
}
