import { hostname, userInfo } from 'node:os'
import { dirname } from 'node:path'
import { runPlaybook } from '../converge/run.ts'
import { hostsOfPlay } from '../converge/selection.ts'
import { KmsfleetErrors } from '../errors/error.ts'
import type { Host, Inventory } from '../inventory/types.ts'
import { exitCode } from '../model/outcome.ts'
import type { Plan } from '../model/plan.ts'
import { createEventStream } from '../model/stream.ts'
import { modules } from '../modules/registry.ts'
import { loadPlaybookAndCode } from '../playbook/code/load.ts'
import { refuseStrayVariables } from '../playbook/stray-variables.ts'
import type { Playbook } from '../playbook/types.ts'
import { thrownLines } from '../report/problem.ts'
import { openJournal, runId, type Journal } from '../runs/journal.ts'
import { stateFolder } from '../runs/state-folder.ts'
import type { SourceOptions } from '../sources/types.ts'
import { commitOf } from './commit.ts'
import type { RunOptions } from './options.ts'
import { askLine } from './prompt.ts'
import { openReach, type AloneOnTerminal } from './reach.ts'
import { openReports, type Reports } from './reports.ts'
import { watchSignals } from './signals.ts'
import { startCommand } from './start.ts'
import type { Terminal } from './terminal.ts'
import { readVersion } from './version.ts'

/** A run of a playbook as one of the commands asks for it. */
export interface CommandRun {
  readonly command: 'plan' | 'converge'
  /** File. */
  readonly playbook: string
  readonly options: RunOptions
  /** Show the plan and ask before anything is changed. */
  readonly ask: boolean
  /** At the end of a converge, of the hosts that it changed. */
  readonly verify?: boolean
  /** Undefined in runs that open no secret source. */
  readonly sources?: SourceOptions
}

/** Loads, runs and reports; gives the exit code. What is wrong in the operator's files is thrown before any contact. */
export async function run({
  command,
  playbook: file,
  options,
  ask,
  verify,
  sources,
}: CommandRun): Promise<number> {
  const { redaction, terminal, inventory, extraVars } = await startCommand(options)
  const playbook = await loadPlaybookAndCode(file, { modules: new Set(modules.keys()) })
  refuseStrayVariables(playbook, inventory)
  const hosts = hostsOfRun(inventory, playbook, options)

  const reports = await openReports(terminal, options)
  const alone = aloneOnTerminal(reports)
  using signals = watchSignals((text) => {
    reports.conversation.notice(text)
  })
  await using reach = openReach(inventory, options.inventory, alone)
  let journal: Journal | undefined
  const { emit } = createEventStream([
    (event) => {
      journal?.record(event)
    },
    reports.take,
  ])
  const operator = operatorName()
  const names = hosts.map(({ name }) => name)
  const id = runId()
  const version = readVersion()
  let code: number = exitCode.error
  try {
    const result = await runPlaybook({
      run: id,
      command,
      playbook,
      inventory,
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      ...(options.shard === undefined ? {} : { shard: options.shard }),
      ...(options.acceptNewIdentity === undefined ? {} : { acceptNewIdentity: options.acceptNewIdentity }),
      tags: options.tags ?? [],
      skipTags: options.skipTags ?? [],
      extraVars,
      connect: reach.connect,
      concurrency: options.forks,
      diff: options.diff === true,
      ...(verify === undefined ? {} : { verify }),
      ...(ask ? { approve: (plans) => alone(() => approve(plans, reports, signals.stop)) } : {}),
      beforeContact: async () => {
        await reach.refuseUnknown(hosts, signals.stop)
        const commit = commitOf(dirname(file))
        journal = openJournal({
          stateFolder: stateFolder(),
          redact: redaction.redact,
          run: id,
          command,
          operator,
          ...(commit === undefined ? {} : { commit }),
          version,
          playbook: file,
          inventory: options.inventory.join(', '),
          hosts: names,
        })
        emit({ type: 'run-started', run: id, command, playbook: file, hosts: names, version })
      },
      onSecret: redaction.add,
      ...(sources === undefined ? {} : { sources }),
      emit,
      stop: signals.stop,
      abort: signals.abort,
      operator,
    })
    code = result.exitCode
  } catch (error) {
    // Dropping everything makes whatever was under way throw: the operator asked for that.
    if (!signals.abort.aborted && !wasInterrupted(error)) throw error
    code = exitCode.interrupted
  } finally {
    if (journal !== undefined) await reports.close()
    code = closeJournal(journal, code, terminal)
  }
  return code
}

/** Was it the operator who ended the reading of secrets? No host was contacted then. */
function wasInterrupted(error: unknown): boolean {
  return error instanceof KmsfleetErrors && error.errors.some(({ code }) => code === 'run.interrupted')
}

/** Hosts of all plays, in inventory order. A pattern that matches nothing is an error. */
function hostsOfRun(
  inventory: Inventory,
  playbook: Playbook,
  { limit, shard }: Pick<RunOptions, 'limit' | 'shard'>,
): readonly Host[] {
  const narrowed = {
    inventory,
    ...(limit === undefined ? {} : { limit }),
    ...(shard === undefined ? {} : { shard }),
  }
  const chosen = new Set(playbook.plays.flatMap((play) => hostsOfPlay(narrowed, play)))
  return inventory.hosts.filter((host) => chosen.has(host))
}

function aloneOnTerminal({ conversation }: Reports): AloneOnTerminal {
  return async (question) => {
    await conversation.pause()
    try {
      return await question()
    } finally {
      conversation.resume()
    }
  }
}

async function approve(plans: readonly Plan[], reports: Reports, stop: AbortSignal): Promise<boolean> {
  reports.showPlans(plans)
  const answer = await askLine(
    "\nDo you want to make these changes? Only 'yes' is accepted: ",
    'approval of the plan',
    'Say --yes beforehand.',
    stop,
  )
  return answer === 'yes'
}

/** A journal that could not be written whole does not undo what was done, but is never passed over either. */
function closeJournal(journal: Journal | undefined, code: number, terminal: Terminal): number {
  try {
    journal?.close(code)
    return code
  } catch (error) {
    terminal.conversation.print(...thrownLines(error, false))
    return code === exitCode.ok ? exitCode.error : code
  }
}

/** `user@workstation`, for journals and for a second writer. */
function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    // An account without a passwd entry, as in some containers.
    return `uid ${String(process.getuid?.())}@${hostname()}`
  }
}
