import { createJudge } from '../../project/trust.ts'
import { loadPlaybook, type PlaybookOptions } from '../load.ts'
import type { Playbook } from '../types.ts'
import type { RanCode, UnreadCode } from './reader.ts'
import { runProjectCode } from './run.ts'

/**
 * Loads a playbook, and runs the TypeScript that its tasks and modules stand in: once, before any contact, and only
 * where the project is trusted. A playbook without code is loaded as {@link loadPlaybook} does.
 */
export function loadPlaybookAndCode(file: string, options: PlaybookOptions): Promise<Playbook> {
  return loadAndRun(file, options, () => true)
}

/** The same, but of all code only that which is shipped runs; what is left stays in `unread`. */
export function loadPlaybookAndProgram(file: string, options: PlaybookOptions): Promise<Playbook> {
  const judge = createJudge()
  return loadAndRun(file, options, (code) => judge(code.file).is === 'program')
}

async function loadAndRun(
  file: string,
  options: PlaybookOptions,
  mayRun: (code: UnreadCode) => boolean,
): Promise<Playbook> {
  let code: RanCode = { lists: new Map(), modules: new Map() }
  // Tasks that code wrote may ask for modules that no other task asked for.
  for (;;) {
    const playbook = loadPlaybook(file, { ...options, code })
    const needed = playbook.unread.filter(mayRun)
    if (needed.length === 0) return playbook
    code = await runProjectCode(needed, code)
  }
}
