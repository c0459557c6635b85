import type { Inventory } from '../inventory/types.ts'
import type { ReachOptions } from './options.ts'
import { readPasswords } from './passwords.ts'
import { loadReachedInventory } from './reach.ts'
import { createRedaction, type Redaction } from './redaction.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** What a command that reaches hosts begins with. */
export interface Start {
  /** Takes the passwords, and every secret that is added, out of what the terminal prints. */
  readonly redaction: Redaction
  readonly terminal: Terminal
  readonly inventory: Inventory
  readonly extraVars: ReadonlyMap<string, unknown>
}

/** Opens the terminal, asks for passwords and loads the inventory; contacts nothing. */
export async function startCommand(options: ReachOptions): Promise<Start> {
  const redaction = createRedaction()
  const terminal = openTerminal(options, redaction.redact)
  const passwords = await readPasswords(options)
  for (const secret of [passwords.login, passwords.become]) if (secret !== undefined) redaction.add(secret)
  return { redaction, terminal, ...loadReachedInventory(options, passwords) }
}
