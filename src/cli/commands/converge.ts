import { KmsfleetError } from '../../errors/error.ts'
import type { ConvergeOptions } from '../options.ts'
import { run } from '../run.ts'
import { sourceOptions } from '../sources.ts'

/** `kmsfleet converge`: on a terminal it shows the plan and asks; elsewhere `--yes` has to say so beforehand. */
export function converge(playbook: string, options: ConvergeOptions): Promise<number> {
  const ask = options.yes !== true
  if (ask && !(process.stdin.isTTY && process.stderr.isTTY)) {
    throw new KmsfleetError('run.usage', 'expected a terminal to ask on, or --yes, found neither', {
      hint: 'Look at "kmsfleet plan" first, then run "kmsfleet converge --yes".',
    })
  }
  const { verify } = options
  return run({ command: 'converge', playbook, options, ask, verify, sources: sourceOptions(options) })
}
