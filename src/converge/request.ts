import type { Shard } from '../fleet/shard.ts'
import type { Inventory } from '../inventory/types.ts'
import type { EventSink } from '../model/event.ts'
import type { Plan } from '../model/plan.ts'
import type { Secret } from '../model/secret.ts'
import type { Playbook } from '../playbook/types.ts'
import type { SourceOptions } from '../sources/types.ts'
import type { Connect } from '../transport/channel.ts'

/** One run of a playbook over an inventory, as the command line asks for it. Everything in it was validated. */
export interface RunRequest {
  readonly command: 'plan' | 'converge'
  readonly playbook: Playbook
  readonly inventory: Inventory
  /** `--limit` pattern, applied to the hosts of every play. */
  readonly limit?: string
  /** `--shard`: only this part of the inventory's clusters. */
  readonly shard?: Shard
  /** Only tasks with one of these tags; empty: all. */
  readonly tags: readonly string[]
  /** No tasks with one of these tags. */
  readonly skipTags?: readonly string[]
  readonly extraVars: ReadonlyMap<string, unknown>
  readonly connect: Connect
  /** Names of hosts whose provider may, and then must, get another identity. */
  readonly acceptNewIdentity?: readonly string[]
  /** Hosts worked on at once. */
  readonly concurrency: number
  /** Read old texts of world-readable files, for `--diff`. */
  readonly diff: boolean
  /**
   * Shows the whole fleet's plans of a play and asks once. Undefined where the run was approved beforehand
   * (`--yes`): hosts then go from plan to change without waiting for each other. A run approved here may only
   * do what was shown.
   */
  readonly approve?: (plans: readonly Plan[]) => Promise<boolean>
  /**
   * Awaited once, after everything that can be known beforehand was checked and before the first connection: opens the
   * journal and refuses unknown host keys. What it throws ends the run.
   */
  readonly beforeContact?: () => Promise<void>
  /** Told of every secret that is opened, so that sinks can redact it by value. */
  readonly onSecret?: (secret: Secret) => void
  /** What the operator lends to secret sources; undefined: files are read, and nothing else. */
  readonly sources?: SourceOptions
  /**
   * Verify who can do what on the hosts that a converge changed, at its end. False: that it was not done is told.
   * Undefined: nothing of it is.
   */
  readonly verify?: boolean
  readonly emit: EventSink
  /** First SIGINT: finish the change in hand, start nothing new. */
  readonly stop: AbortSignal
  /** Second SIGINT: drop everything. */
  readonly abort: AbortSignal
  /** Who runs it, from where, such as `alice@laptop`; shown to a second writer. */
  readonly operator: string
  /** Id of the run, as its journal has it. */
  readonly run: string
}

export interface RunResult {
  /** Sum of exitCode bits. */
  readonly exitCode: number
}
