import { KmsfleetError, KmsfleetErrors } from '../errors/error.ts'
import { showPlace } from '../errors/place.ts'
import { argumentProblems } from '../playbook/argument-values.ts'
import type { RoleArgument } from '../playbook/role-arguments.ts'
import type { Role, Task } from '../playbook/types.ts'
import type { HostLookups, Scope } from '../template/engine.ts'
import type { PlanContext, Registered } from './expand.ts'

/**
 * Checks what a role is given on a host against what it declares, at the use of the role that this task is of: what the
 * task's own `vars` and those of blocks within the role say is no argument.
 * Throws KmsfleetErrors with the places of the values.
 */
export function checkArguments(
  context: PlanContext,
  role: Role,
  ofUse: Task,
  lookups: HostLookups,
  registered: Registered,
): void {
  const { declared } = role
  if (declared === undefined) return
  const task = { ...ofUse, vars: ofUse.aroundRole ?? ofUse.vars }
  const scope: Scope = { variables: context.variables(task, registered), host: lookups }
  const errors = declared.list.flatMap((argument) => argumentErrors(context, role, task, argument, scope))
  if (errors.length > 0) throw new KmsfleetErrors(errors)
}

function argumentErrors(
  context: PlanContext,
  { name: role }: Role,
  task: Task,
  argument: RoleArgument,
  scope: Scope,
): readonly KmsfleetError[] {
  const what = (path: string): string =>
    `the argument \`${path}\` of the role \`${role}\` (declared at ${showPlace(argument.place)})`
  const { name } = argument
  const required = isRequired(context, argument, scope)
  if (!scope.variables.has(name)) {
    if (!required) return []
    return [
      new KmsfleetError(
        'module.arguments',
        `expected a value for ${what(name)}, found none for ${context.host.name}`,
        { place: task.place, hint: hintFor(argument) },
      ),
    ]
  }
  const place = context.origin(task, name) ?? argument.place
  const value = context.engine.value(`{{ ${name} }}`, scope, place)
  return argumentProblems({ ...argument, required }, value).map(
    ({ path, expected, found }) =>
      new KmsfleetError('module.arguments', `expected ${expected} for ${what(path)}, found ${found}`, {
        place,
      }),
  )
}

/** Where only a change of the run will make the condition known, the tasks themselves meet what is missing. */
function isRequired(context: PlanContext, argument: RoleArgument, scope: Scope): boolean {
  const { required, requiredWhen, place } = argument
  return (
    required || (requiredWhen !== undefined && context.engine.condition(requiredWhen, scope, place) === true)
  )
}

function hintFor({ name, description }: RoleArgument): string {
  const set = `set \`${name}\` in the inventory, in the play, or pass it to the role`
  return description === '' ? set : `${set}: ${description}`
}
