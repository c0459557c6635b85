import { join } from 'node:path'
import { suggestion } from '../../document/suggest.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { exitCode } from '../../model/outcome.ts'
import { modules } from '../../modules/registry.ts'
import type { ModuleDoc } from '../../project/code.ts'
import { styled, type Line } from '../../report/paint.ts'
import { moduleArguments, type Argument } from '../module-doc.ts'
import type { DocOptions } from '../options.ts'
import { roleNames } from '../../playbook/roles.ts'
import { roleDoc, type RoleDoc } from '../role-doc.ts'
import { docOf, ownModules, refuseUntrusted, untrustedLine } from '../own-module-docs.ts'
import { openTerminal } from '../terminal.ts'

/** `kmsfleet doc`: all modules in a line each, or everything about one, or about a role. Runs no code of a project. */
export function doc(name: string | undefined, options: DocOptions): number {
  const { result, conversation } = openTerminal(options)
  const own = ownModules(options.playbookDir)
  const docs = [
    ...[...modules.values()].map(docOf),
    ...own.flatMap((module) => (module.is === 'documented' ? [module.doc] : [])),
  ]
  const untrusted = own.flatMap((module) => (module.is === 'untrusted' ? [module] : []))
  if (name === undefined) {
    const width = Math.max(...docs.map((each) => each.name.length))
    result.print(
      ...docs.map((module): Line => [styled('strong', module.name.padEnd(width)), `  ${module.summary}`]),
    )
    conversation.print(...untrusted.map(untrustedLine))
    return exitCode.ok
  }
  const unseen = untrusted.find((module) => module.name === name)
  if (unseen !== undefined) refuseUntrusted(unseen)
  const module = docs.find((each) => each.name === name)
  if (module === undefined) {
    const playbook = join(options.playbookDir, 'playbook.yml')
    const roles = roleNames(playbook)
    if (roles.includes(name)) {
      result.print(...roleLines(roleDoc(playbook, name)))
      return exitCode.ok
    }
    const known = [...docs.map((each) => each.name), ...roles]
    const hint = suggestion(name, known) ?? 'Run "kmsfleet doc" for all modules and roles.'
    throw new KmsfleetError('run.usage', `expected the name of a module or role, found "${name}"`, { hint })
  }
  result.print(...moduleLines(module))
  return exitCode.ok
}

function roleLines({ name, summary, description, arguments: list }: RoleDoc): readonly Line[] {
  return [
    [styled('strong', name), `: ${summary === '' ? 'a role' : summary}`],
    ...(description === ''
      ? []
      : [
          [],
          ...description
            .trimEnd()
            .split('\n')
            .map((line): Line => [line]),
        ]),
    ...(list.length === 0 ? [] : [[], [styled('strong', 'Arguments')], ...list.flatMap(argumentLines)]),
  ]
}

function moduleLines(module: ModuleDoc): readonly Line[] {
  const text = (block: string): readonly Line[] => block.split('\n').map((line): Line => [line])
  return [
    [styled('strong', module.name), `: ${module.summary}`],
    [],
    ...text(module.description),
    [],
    [styled('strong', 'Arguments')],
    ...moduleArguments(module.schema).flatMap(argumentLines),
    [],
    [styled('strong', module.examples.length === 1 ? 'Example' : 'Examples')],
    ...module.examples.flatMap((example) => [[], ...text(example)]),
  ]
}

function argumentLines({ name, type, required, byDefault, description }: Argument): readonly Line[] {
  const rest = [
    type.replaceAll('`', ''),
    ...(required ? ['required'] : []),
    ...(byDefault === undefined ? [] : [`default ${byDefault}`]),
  ].join(', ')
  const what: readonly Line[] = description === '' ? [] : [[`      ${description}`]]
  return [['  ', styled('strong', name), styled('dim', `  ${rest}`)], ...what]
}
