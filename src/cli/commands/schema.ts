import { join } from 'node:path'
import { suggestion } from '../../document/suggest.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { exitCode } from '../../model/outcome.ts'
import { modules } from '../../modules/registry.ts'
import { roleNames } from '../../playbook/roles.ts'
import { docOf, ownModules, refuseUntrusted, untrustedLine } from '../own-module-docs.ts'
import type { DocOptions } from '../options.ts'
import { roleInterface } from '../role-doc.ts'
import { argumentsSchema, fileSchema, isSchemaName, roleSchema, schemaNames } from '../schemas.ts'
import { openTerminal } from '../terminal.ts'

/**
 * `kmsfleet schema`: JSON Schema of a kind of file, a module or a role, with what a project has of its own. Runs no code
 * of a project: of its modules it knows what they said when the project was trusted.
 */
export function schema(name: string, options: DocOptions): number {
  const { result, conversation } = openTerminal(options)
  const playbook = join(options.playbookDir, 'playbook.yml')
  const own = ownModules(options.playbookDir)
  const unseen = own.find((module) => module.is === 'untrusted' && module.name === name)
  if (unseen?.is === 'untrusted') refuseUntrusted(unseen)
  const docs = [
    ...[...modules.values()].map(docOf),
    ...own.flatMap((module) => (module.is === 'documented' ? [module.doc] : [])),
  ]
  const roles = roleNames(playbook)
  const module = docs.find((each) => each.name === name)
  const found = isSchemaName(name)
    ? fileSchema(
        name,
        docs,
        roles.map((role) => roleInterface(playbook, role)),
      )
    : module !== undefined
      ? argumentsSchema(module)
      : roles.includes(name)
        ? roleSchema(roleInterface(playbook, name))
        : undefined
  if (found === undefined) {
    const known = [...schemaNames, ...docs.map((each) => each.name), ...roles]
    const hint = suggestion(name, known) ?? `Of files there are ${schemaNames.join(', ')}.`
    throw new KmsfleetError('run.usage', `expected a kind of file, a module or a role, found "${name}"`, {
      hint,
    })
  }
  const untrusted = own.flatMap((each) => (each.is === 'untrusted' ? [each] : []))
  if (isSchemaName(name)) conversation.print(...untrusted.map(untrustedLine))
  result.print(
    ...JSON.stringify(found, undefined, 2)
      .split('\n')
      .map((line) => [line]),
  )
  return exitCode.ok
}
