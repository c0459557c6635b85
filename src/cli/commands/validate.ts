import { expandMatrices } from '../../access/fleet.ts'
import { prepareRun } from '../../converge/run.ts'
import { loadInventory } from '../../inventory/load.ts'
import { exitCode } from '../../model/outcome.ts'
import { modules } from '../../modules/registry.ts'
import { parseExtraVars } from '../../playbook/extra-vars.ts'
import { loadPlaybookAndProgram } from '../../playbook/code/load.ts'
import { refuseStrayVariables } from '../../playbook/stray-variables.ts'
import { styled } from '../../report/paint.ts'
import { count } from '../../report/words.ts'

import type { ValidateOptions } from '../options.ts'
import { openTerminal } from '../terminal.ts'

/** `kmsfleet validate`: everything that a run checks before its first connection. Opens no secret source, runs no code of a project. */
export async function validate(file: string, options: ValidateOptions): Promise<number> {
  const extraVars = parseExtraVars(options.extraVars ?? [])
  const inventory = loadInventory(options.inventory, { extraVars })
  const playbook = await loadPlaybookAndProgram(file, { modules: new Set(modules.keys()) })
  refuseStrayVariables(playbook, inventory)
  const { limit } = options
  const plays = prepareRun({
    command: 'plan',
    playbook,
    inventory,
    ...(limit === undefined ? {} : { limit }),
    tags: [],
    extraVars,
    diff: false,
  })
  const hosts = new Set(plays.flatMap((play) => play.hosts.map(({ host }) => host)))
  expandMatrices({ playbook, inventory, extraVars }, [...hosts])
  const { result, conversation } = openTerminal(options)
  conversation.print(
    ...playbook.unread.map(({ file: code, holds }) => [
      styled('warn', 'not looked into'),
      ` ${code} (${holds === 'tasks' ? 'its tasks' : 'tasks of this module'}): code runs only in plan and converge`,
    ]),
  )
  result.print(
    ...plays.map(({ play, hosts }) => [
      styled('good', 'valid'),
      ` play ${play.name}: ${count(play.tasks.length, 'task')} on ${count(hosts.length, 'host')}`,
    ]),
  )
  return exitCode.ok
}
