import type { RunOptions } from '../options.ts'
import { run } from '../run.ts'

/** `kmsfleet plan`: shows what would be changed. */
export function plan(playbook: string, options: RunOptions): Promise<number> {
  return run({ command: 'plan', playbook, options, ask: false })
}
