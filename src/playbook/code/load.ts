import { loadPlaybook, type PlaybookOptions } from '../load.ts'
import type { Playbook } from '../types.ts'
import { runTaskCode } from './run.ts'

/**
 * Loads a playbook, and runs the TypeScript that its tasks stand in: once, before any contact, and only where the
 * project is trusted. A playbook without code is loaded as {@link loadPlaybook} does.
 */
export async function loadPlaybookAndCode(file: string, options: PlaybookOptions): Promise<Playbook> {
  const read = loadPlaybook(file, options)
  if (read.unread.length === 0) return read
  return loadPlaybook(file, { ...options, written: await runTaskCode(read.unread) })
}
