import { throwCollected } from '../../document/collect.ts'
import { isDirectory } from '../../document/read.ts'
import { KmsfleetError } from '../../errors/error.ts'
import { exitCode } from '../../model/outcome.ts'
import { isDependency, readProjectCode, type ProjectCode } from '../../project/code.ts'
import { changesSince, readTrust, writeTrust } from '../../project/trust.ts'
import { styled, type Line } from '../../report/paint.ts'
import { count } from '../../report/words.ts'
import type { TrustProjectOptions } from '../options.ts'
import { loadModuleDocs, moduleFiles } from '../own-module-docs.ts'
import { askLine } from '../prompt.ts'
import { watchSignals } from '../signals.ts'
import { openTerminal } from '../terminal.ts'

/**
 * `kmsfleet trust-project`: shows what a project would run on the workstation, and lets it run once a person agrees
 * or the digest is the one that was given. Only then are its modules loaded, for what `doc` says of them.
 */
export async function trustProject(folder: string, options: TrustProjectOptions): Promise<number> {
  if (!isDirectory(folder)) {
    throw new KmsfleetError('run.usage', `expected the folder of a project, found ${folder}`)
  }
  const { result, conversation } = openTerminal(options)
  const code = readProjectCode(folder)
  const before = readTrust(code.folder)
  result.print(...codeLines(code))
  if (before?.digest === code.digest) {
    result.print(['already trusted as it is'])
    const whole = moduleFiles(code).every((file) => before.modules[file] !== undefined)
    if (!whole) await lookIntoModules(code)
    return exitCode.ok
  }
  const changes = before === undefined ? [] : changesSince(before, code)
  if (changes.length > 0) {
    result.print(
      [`since it was trusted on ${before?.at ?? ''}:`],
      ...changes.map((change): Line => [`  ${change}`]),
    )
  }
  if (!(await agreed(code, options))) {
    conversation.print([styled('bad', 'not trusted'), ': nothing was recorded'])
    return exitCode.rail
  }
  writeTrust(code)
  result.print([styled('good', 'trusted'), ` ${code.folder}`])
  await lookIntoModules(code)
  return exitCode.ok
}

/** Keeps what the modules of a trusted project say of themselves; throws what is wrong with some once that is done. */
async function lookIntoModules(code: ProjectCode): Promise<void> {
  const { docs, errors } = await loadModuleDocs(code)
  writeTrust(code, docs)
  throwCollected(errors)
}

function codeLines(code: ProjectCode): readonly Line[] {
  const own = code.parts.filter(({ name }) => !isDependency(name))
  const rest = code.parts.length - own.length
  return [
    [styled('strong', code.folder)],
    ...own.map(({ name, digest }): Line => [`  ${digest}  ${name}`]),
    ...(rest === 0 ? [] : [[`  and ${count(rest, 'file')} in node_modules`]]),
    ...(code.parts.length === 0 ? [['  no code']] : []),
    [`digest of all: ${code.digest}`],
  ]
}

async function agreed(code: ProjectCode, { digest }: TrustProjectOptions): Promise<boolean> {
  if (digest !== undefined) {
    if (digest === code.digest) return true
    throw new KmsfleetError('run.rail', `expected code with the digest ${digest}, found ${code.digest}`, {
      hint: 'look at what changed; then give the new digest',
    })
  }
  using signals = watchSignals(() => undefined)
  const answer = await askLine(
    "This code runs on this machine, with your rights. Read it first.\nMay it run? Only 'yes' is accepted: ",
    'an answer about the project',
    'Give the digest that you expect: --digest SHA256.',
    signals.stop,
  )
  return answer === 'yes'
}
