import * as z from 'zod'
import type { Module } from '../../modules/define.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { attemptSync, importProjectFile } from '../../project/import.ts'
import { basename, dirname } from 'node:path'

const schema = z.custom<z.ZodType>(
  (value) => typeof value === 'object' && value !== null && '_zod' in value,
  'expected a schema made with `z` of kmsfleet',
)
const resources = z.custom<Module['resources']>(
  (value) => typeof value === 'function',
  'expected a function of arguments and context',
)

/** What `defineModule` was given, as far as it can be looked at. */
const ModuleShape = z.looseObject({
  name: z.string(),
  summary: z.string().min(1),
  description: z.string().min(1),
  args: schema,
  examples: z.array(z.string()),
  mayBeUnknown: z.array(z.string()),
  resources,
})

/**
 * Loads `modules/NAME/index.ts` of a trusted project: the export whose `name` is that of the folder. What its
 * functions throw later becomes an error with a place in the project's code.
 */
export async function loadModule(file: string): Promise<Module> {
  const name = basename(dirname(file))
  const place = { file, line: 1, column: 1 }
  const exported = Object.values(await importProjectFile(file))
  const found = exported.find(
    (value) => typeof value === 'object' && value !== null && 'name' in value && value.name === name,
  )
  const hint = `export const ${name} = defineModule({ name: '${name}', ... })`
  if (found === undefined) {
    throw new KmsfleetError('project.failed', `expected an exported module named \`${name}\`, found none`, {
      place,
      hint,
    })
  }
  const shape = ModuleShape.safeParse(found)
  if (!shape.success) {
    const [issue] = shape.error.issues
    throw new KmsfleetError(
      'project.failed',
      `expected a module, found a mistake in its \`${issue?.path.join('.') ?? ''}\`: ${issue?.message ?? ''}`,
      { place, hint },
    )
  }
  return guarded(shape.data, file)
}

function guarded(module: Module, file: string): Module {
  return {
    ...module,
    resources: (args, context) =>
      attemptSync(file, () =>
        module.resources(args, context).map((resource) => ({
          ...resource,
          plan: (world) => attemptSync(file, () => resource.plan(world)),
        })),
      ),
  }
}
