import type { Host } from '../../inventory/types.ts'
import type { HostState } from '../../model/facts.ts'
import { exitCode } from '../../model/outcome.ts'
import { hostList } from '../../report/names.ts'
import { styled, type Line } from '../../report/paint.ts'
import { thrownLines } from '../../report/problem.ts'
import { rootShell } from '../../shell/bootstrap.ts'
import { compileRead } from '../../shell/read/compile.ts'
import { openSession } from '../../shell/session.ts'
import type { Connect } from '../../transport/channel.ts'
import { createLimiter } from '../../transport/limiter.ts'
import type { PingOptions } from '../options.ts'
import { readPasswords } from '../passwords.ts'
import { chooseHosts, loadReachedInventory, openReach } from '../reach.ts'
import { watchSignals } from '../signals.ts'
import { openTerminal } from '../terminal.ts'

/** What one host answered. */
type Answer =
  | {
      readonly host: string
      readonly milliseconds: { readonly connect: number; readonly answer: number }
      readonly state: HostState
    }
  | { readonly host: string; readonly error: unknown }

/** `kmsfleet ping`: connects, starts the root shell and asks one frame of nothing but the host itself. */
export async function ping(pattern: string | undefined, options: PingOptions): Promise<number> {
  const terminal = openTerminal(options)
  const { inventory } = loadReachedInventory(options, await readPasswords(options))
  const hosts = chooseHosts(inventory, pattern)
  using signals = watchSignals((text) => {
    terminal.conversation.print([styled('warn', text)])
  })
  await using reach = openReach(inventory, options.inventory, (ask) => ask())
  await reach.refuseUnknown(hosts, signals.stop)
  const limiter = createLimiter(options.forks)
  const answers = await Promise.all(
    hosts.map((host) =>
      limiter
        .run('ping', signals.stop, () => pingHost(host, reach.connect, signals.stop))
        .catch((error: unknown): Answer => ({ host: host.name, error })),
    ),
  )
  if (signals.stop.aborted) return exitCode.interrupted
  if (options.format === 'json') terminal.result.data(pingDocument(answers), 2)
  else
    terminal.result.print(
      ...answers.flatMap((answer) => ('error' in answer ? [] : [answerLine(answer, answers)])),
    )
  for (const [text, names] of sameErrors(answers)) {
    terminal.conversation.print(
      [styled('bad', 'UNREACHABLE'), ' ', styled('strong', hostList(names))],
      ...text,
    )
  }
  return answers.some((answer) => 'error' in answer) ? exitCode.unreachable : exitCode.ok
}

async function pingHost(host: Host, connect: Connect, signal: AbortSignal): Promise<Answer> {
  const start = performance.now()
  await using connection = await connect(host.name, host.connection, signal)
  const channel = await connection.execRoot(rootShell, signal)
  await using session = await openSession(channel, signal)
  const connected = performance.now()
  for await (const message of session.send(compileRead([]), signal)) {
    if (message.is !== 'snapshot') continue
    return {
      host: host.name,
      milliseconds: {
        connect: Math.round(connected - start),
        answer: Math.round(performance.now() - connected),
      },
      state: message.snapshot.host,
    }
  }
  throw new Error(`${host.name} answered without a snapshot`)
}

function answerLine(answer: Extract<Answer, { state: HostState }>, all: readonly Answer[]): Line {
  const width = Math.max(...all.map(({ host }) => host.length))
  const { state, milliseconds } = answer
  return [
    styled('good', answer.host.padEnd(width)),
    `  ${String(milliseconds.connect)} ms + ${String(milliseconds.answer)} ms`,
    `  ${state.distribution}`,
    `  ${state.kernel} ${state.machine}`,
    `  ${state.systemd ? 'systemd' : 'no systemd'}`,
    `  selinux ${state.selinux}`,
    `  uid ${String(state.uid)}`,
  ]
}

/** Errors told once for all hosts that have them, host names in the messages apart. */
function sameErrors(answers: readonly Answer[]): ReadonlyMap<readonly Line[], readonly string[]> {
  const groups = new Map<string, { readonly lines: readonly Line[]; readonly hosts: string[] }>()
  for (const answer of answers) {
    if (!('error' in answer)) continue
    const lines = thrownLines(answer.error, false)
    const key = JSON.stringify(lines)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { lines, hosts: [answer.host] })
    else group.hosts.push(answer.host)
  }
  return new Map([...groups.values()].map(({ lines, hosts }) => [lines, hosts]))
}

function pingDocument(answers: readonly Answer[]): unknown {
  return {
    format: 'kmsfleet-ping/1',
    hosts: answers.map((answer) => {
      if ('error' in answer) {
        const { error, host } = answer
        return { host, reachable: false, problem: error instanceof Error ? error.message : String(error) }
      }
      const { host, milliseconds, state } = answer
      return { host, reachable: true, milliseconds, state: { ...state, tools: [...state.tools].sort() } }
    }),
  }
}
