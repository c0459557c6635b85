import { loadPlaybook, type PlaybookOptions } from '../load.ts'
import type { Playbook } from '../types.ts'
import type { RanCode } from './reader.ts'
import { runProjectCode } from './run.ts'

/**
 * Loads a playbook, and runs the TypeScript that its tasks and modules stand in: once, before any contact, and only
 * where the project is trusted. A playbook without code is loaded as {@link loadPlaybook} does.
 */
export async function loadPlaybookAndCode(file: string, options: PlaybookOptions): Promise<Playbook> {
  let code: RanCode = { lists: new Map(), modules: new Map() }
  // Tasks that code wrote may ask for modules that no other task asked for.
  for (;;) {
    const playbook = loadPlaybook(file, { ...options, code })
    if (playbook.unread.length === 0) return playbook
    code = await runProjectCode(playbook.unread, code)
  }
}
