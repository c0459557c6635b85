import { prepareMatrices, type HostEnd } from '../../access/fleet.ts'
import { exitOf, reasonOf } from '../../access/outcome.ts'
import { exitCode } from '../../model/outcome.ts'
import { modules } from '../../modules/registry.ts'
import { loadPlaybookAndProgram } from '../../playbook/code/load.ts'
import { refuseStrayVariables } from '../../playbook/stray-variables.ts'
import { hostList } from '../../report/names.ts'
import { styled } from '../../report/paint.ts'
import { thrownLines } from '../../report/problem.ts'
import { proofDocument, proofJunit } from '../../report/proof-data.ts'
import { proofLines, proofRecap } from '../../report/proof-text.ts'
import type { VerifyOptions } from '../options.ts'
import { proveHosts } from '../prove.ts'
import { startCommand } from '../start.ts'
import type { Terminal } from '../terminal.ts'

/** `kmsfleet verify`: proves the access matrix on every host; reads, and changes nothing. */
export async function verify(file: string, options: VerifyOptions): Promise<number> {
  const start = performance.now()
  const begun = await startCommand(options)
  const { terminal, inventory, extraVars } = begun
  const playbook = await loadPlaybookAndProgram(file, { modules: new Set(modules.keys()) })
  refuseStrayVariables(playbook, inventory)
  const { limit } = options
  const hosts = prepareMatrices({ playbook, inventory, extraVars, ...(limit === undefined ? {} : { limit }) })
  const { ends, interrupted } = await proveHosts(hosts, begun, options)
  show(terminal, ends, options, performance.now() - start)
  return interrupted ? exitCode.interrupted : ends.reduce((code, end) => code | exitOf(end), 0)
}

function show(
  terminal: Terminal,
  ends: readonly HostEnd[],
  options: VerifyOptions,
  milliseconds: number,
): void {
  const { result, conversation } = terminal
  const proofs = ends.flatMap((end) => (end.is === 'proved' ? [end.proof] : []))
  const failed = ends.flatMap((end) => (end.is === 'proved' ? [] : [end]))
  const notAsked = new Map(failed.map(({ host, error }) => [host, reasonOf(error)]))
  if (options.format === 'json') result.data(proofDocument(proofs, notAsked), 2)
  else if (options.format === 'junit') result.text(proofJunit(proofs, notAsked))
  else {
    result.print(
      ...proofLines(proofs, { verbose: options.verbose === true }),
      proofRecap(proofs, milliseconds),
    )
  }
  for (const { host, error } of failed) {
    conversation.print(
      [styled('bad', 'NOT PROVED'), ' ', styled('strong', hostList([host]))],
      ...thrownLines(error, options.verbose === true),
    )
  }
}
