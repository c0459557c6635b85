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
import type { ArgumentType, RoleArgument } from '../playbook/role-arguments.ts'
import type { ModuleDoc } from '../project/code.ts'
import type { RoleInterface } from './role-doc.ts'

/* JSON Schema of what operators write, for editors. The schemas that the program checks with are the only source. */

export const schemaNames = ['playbook', 'tasks', 'inventory', 'access'] as const
export type SchemaName = (typeof schemaNames)[number]

type Json = z.core.util.JSONType
type JsonObject = Readonly<Record<string, Json>>

const JsonObject = z.record(z.string(), z.json())

/** The oldest draft that says it all: editors know it best. */
const draft = 'http://json-schema.org/draft-07/schema#'

export function isSchemaName(name: string): name is SchemaName {
  return schemaNames.some((each) => each === name)
}

/** The schema of a kind of file; `modules` are those that tasks may use, `roles` those that plays may name. */
export function fileSchema(
  name: SchemaName,
  modules: readonly ModuleDoc[],
  roles: readonly RoleInterface[],
): JsonObject {
  switch (name) {
    case 'playbook':
      return {
        $schema: draft,
        title: 'Playbook of kmsfleet',
        type: 'array',
        items: withRoles(withLists(schemaOf(PlayKeywords)), roles),
        definitions: {
          ...definitions(modules),
          ...Object.fromEntries(roles.map((role) => [`role.${role.name}`, givenArguments(role)])),
        },
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

/** The schema of the `vars` that a play gives to a role by name. */
export function roleSchema(role: RoleInterface): JsonObject {
  return { $schema: draft, title: role.name, ...givenArguments(role) }
}

/** Nothing is required here: what is not given by name may stand in the inventory. */
function givenArguments({ summary, declared }: RoleInterface): JsonObject {
  const description = summary === '' ? {} : { description: summary }
  if (declared === undefined) return { ...description, type: 'object' }
  return { ...description, ...dictionaryOf(declared) }
}

function dictionaryOf(options: readonly RoleArgument[]): JsonObject {
  const properties = options.map((option): [string, Json] => [option.name, argumentSchema(option)])
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false }
}

function argumentSchema(argument: RoleArgument): JsonObject {
  const { description, required, type } = argument
  const own = { anyOf: [typeSchema(argument, type), template, ...(required ? [] : [{ type: 'null' }])] }
  return { ...(description === '' ? {} : { description }), ...own }
}

/** Of a list or dictionary with what is inside; a secret is named by a template. */
function typeSchema(argument: RoleArgument, type: ArgumentType): JsonObject {
  const { choices, elements, options } = argument
  if (choices !== undefined && type !== 'list') return { enum: [...choices] }
  switch (type) {
    case 'str':
      return { type: 'string' }
    case 'path':
      return { type: 'string', pattern: '^/' }
    case 'int':
      return { type: 'integer' }
    case 'bool':
      return { type: 'boolean' }
    case 'dict':
      return options === undefined ? { type: 'object' } : withRequired(dictionaryOf(options), options)
    case 'list':
      return elements === undefined
        ? { type: 'array' }
        : { type: 'array', items: { anyOf: [typeSchema(argument, elements), template] } }
    case 'secret':
      return template
    case 'raw':
      return {}
  }
}

function withRequired(schema: JsonObject, options: readonly RoleArgument[]): JsonObject {
  return { ...schema, required: options.filter(({ required }) => required).map(({ name }) => name) }
}

/** A play's entry that names a role has that role's arguments as its `vars`. */
function withRoles(play: JsonObject, roles: readonly RoleInterface[]): JsonObject {
  const properties = objectAt(play, 'properties')
  const given = roles.map(({ name }): JsonObject => ({
    if: { type: 'object', properties: { role: { const: name } }, required: ['role'] },
    then: { properties: { vars: { anyOf: [{ $ref: `#/definitions/role.${name}` }, { type: 'null' }] } } },
  }))
  if (given.length === 0) return play
  return {
    ...play,
    properties: { ...properties, roles: { ...objectAt(properties, 'roles'), items: { allOf: given } } },
  }
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
