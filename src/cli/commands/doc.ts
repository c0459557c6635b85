import { suggestion } from '../../document/suggest.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { exitCode } from '../../model/outcome.ts'
import type { Module } from '../../modules/define.ts'
import { modules } from '../../modules/registry.ts'
import { styled, type Line } from '../../report/paint.ts'
import { moduleArguments, type Argument } from '../module-doc.ts'
import type { ShowOptions } from '../options.ts'
import { openTerminal } from '../terminal.ts'

/** `kmsfleet doc`: all modules in a line each, or everything about one. */
export function doc(name: string | undefined, options: ShowOptions): number {
  const { result } = openTerminal(options)
  if (name === undefined) {
    const width = Math.max(...[...modules.keys()].map((each) => each.length))
    result.print(
      ...[...modules.values()].map((module): Line => [
        styled('strong', module.name.padEnd(width)),
        `  ${module.summary}`,
      ]),
    )
    return exitCode.ok
  }
  const module = modules.get(name)
  if (module === undefined) {
    const hint = suggestion(name, modules.keys()) ?? 'Run "kmsfleet doc" for all modules.'
    throw new KmsfleetError('run.usage', `expected the name of a module, found "${name}"`, { hint })
  }
  result.print(...moduleLines(module))
  return exitCode.ok
}

function moduleLines(module: Module): readonly Line[] {
  const text = (block: string): readonly Line[] => block.split('\n').map((line): Line => [line])
  return [
    [styled('strong', module.name), `: ${module.summary}`],
    [],
    ...text(module.description),
    [],
    [styled('strong', 'Arguments')],
    ...moduleArguments(module).flatMap(argumentLines),
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
