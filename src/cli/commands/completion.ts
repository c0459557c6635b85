import type { Command } from 'commander'
import { exitCode } from '../../model/outcome.ts'
import { completionScript, type Shell } from '../completion.ts'

/** `kmsfleet completion`: a script for the operator's shell. It is read by a program, so nothing paints or wraps it. */
export function completion(shell: Shell, program: Command): number {
  process.stdout.write(completionScript(shell, program))
  return exitCode.ok
}
