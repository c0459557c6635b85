import { join } from 'node:path'
import { prepareMatrices, type HostMatrix } from '../../access/fleet.ts'
import { narrowMatrix, questionOf, rulesAbout, whyLines } from '../../access/why.ts'
import { exitOf } from '../../access/outcome.ts'
import { exitCode } from '../../model/outcome.ts'
import { modules } from '../../modules/registry.ts'
import { loadPlaybookAndProgram } from '../../playbook/code/load.ts'
import { styled } from '../../report/paint.ts'
import { thrownLines } from '../../report/problem.ts'
import type { WhyOptions } from '../options.ts'
import { proveHosts } from '../prove.ts'
import { startCommand } from '../start.ts'

/** `kmsfleet why`: explains one access on each host, step by step. */
export async function why(
  actor: string,
  action: string,
  object: string,
  options: WhyOptions,
): Promise<number> {
  const question = questionOf(actor, action, object)
  const begun = await startCommand(options)
  const { terminal, inventory, extraVars } = begun
  const file = options.playbook ?? join(import.meta.dirname, '../../../playbooks/rollout.yml')
  const playbook = await loadPlaybookAndProgram(file, { modules: new Set(modules.keys()) })
  const { limit } = options
  const whole = prepareMatrices({ playbook, inventory, extraVars, ...(limit === undefined ? {} : { limit }) })
  const hosts = whole.map(({ host, matrix }): HostMatrix => ({
    host,
    matrix: narrowMatrix(matrix, question),
  }))
  const { ends, interrupted } = await proveHosts(hosts, begun, options)
  if (interrupted) return exitCode.interrupted
  for (const [index, end] of ends.entries()) {
    const matrix = whole[index]?.matrix
    if (end.is === 'proved') {
      terminal.result.print(
        ...whyLines(end.proof, question, matrix === undefined ? [] : rulesAbout(matrix, question)),
      )
    } else {
      terminal.conversation.print(
        [styled('bad', 'NOT ASKED'), ` ${end.host}`],
        ...thrownLines(end.error, options.verbose === true),
      )
    }
  }
  // What is explained is no verdict: only hosts that did not answer count.
  return ends.reduce((code, end) => code | (end.is === 'proved' ? exitCode.ok : exitOf(end)), 0)
}
