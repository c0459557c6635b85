import { Listr, ListrLogger, ProcessOutput } from 'listr2'
import type {
  DefaultRenderer,
  ListrDefaultRendererLogLevels,
  ListrTask,
  ListrTaskWrapper,
  SimpleRenderer,
} from 'listr2'
import { createLiveState, liveHostLine, liveSummaryLine, liveTake, type LiveHost } from './live-state.ts'
import type { Output } from './output.ts'
import type { Conversation } from './report.ts'

/** Fleets up to this size have a row for every host from the start; larger ones for active hosts only. */
const mostRows = 20

/** The summary itself, the count of hosts left out, and the cursor's line. */
const linesOfSummary = 3

/** Milliseconds between two looks at the state; events come faster than eyes and cost nothing in between. */
const tick = 120

type Row = ListrTaskWrapper<undefined, typeof DefaultRenderer, typeof SimpleRenderer>
type View = ListrTask<undefined, typeof DefaultRenderer, typeof SimpleRenderer>

/** A promise to be settled from outside. */
interface Gate {
  readonly promise: Promise<void>
  readonly open: () => void
}

function createGate(): Gate {
  let open = (): void => undefined
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open }
}

/**
 * The live view, for a terminal. listr2 draws and nothing else: its tasks only wait for our events, so that it can
 * neither start, order nor fail anything. Everything it drew is wiped when it ends; the result stands below.
 */
export function createLive(output: Output): Conversation {
  const state = createLiveState()
  let shown: { readonly gate: Gate; readonly ended: Promise<unknown> } | undefined

  const show = (): void => {
    if (shown !== undefined) return
    const gate = createGate()
    const hosts = [...state.hosts.values()]
    const rows = hosts.length <= mostRows ? hosts.map((host) => hostRow(host, gate, output)) : []
    const summary = summaryRow(rows.length === 0, gate)
    const view = new Listr([...rows, summary], {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      rendererOptions: {
        clearOutput: true,
        collapseErrors: false,
        formatOutput: 'truncate',
        // Its "stdout" is what it draws on: the conversation is on standard error.
        logger: new ListrLogger<ListrDefaultRendererLogLevels>({
          useIcons: true,
          processOutput: new ProcessOutput(process.stderr, process.stdout),
        }),
      },
    })
    shown = { gate, ended: view.run() }
  }

  /** The last row: the whole fleet in a line, and in large fleets the active hosts below it. */
  const summaryRow = (withHosts: boolean, gate: Gate): View => ({
    title: 'starting',
    task: (_context, row) =>
      watch(gate, () => {
        update(row, output.format([liveSummaryLine(state)]))
        if (!withHosts) return false
        const active = [...state.hosts.values()].filter((host) => host.active)
        const room = Math.max(1, Math.min(mostRows, process.stderr.rows - linesOfSummary))
        const left = active.length - room
        const lines = active.slice(0, room).map((host) => output.format([liveHostLine(host)]))
        row.output = [...lines, ...(left > 0 ? [`… and ${String(left)} more`] : [])].join('\n')
        return false
      }),
  })

  const hide = async (): Promise<void> => {
    shown?.gate.open()
    await shown?.ended
    shown = undefined
  }

  return {
    take(event) {
      liveTake(state, event)
      if (event.type === 'run-started') show()
    },
    notice(text) {
      state.notice = text
    },
    pause: hide,
    resume: show,
    close: hide,
  }
}

function hostRow(host: LiveHost, gate: Gate, output: Output): View {
  const failed = (): boolean => host.outcome === 'failed' || host.outcome === 'unreachable'
  const look = (row: Row): void => {
    update(row, output.format([liveHostLine(host)]))
  }
  return {
    title: host.host,
    task: async (_context, row) => {
      await watch(gate, () => {
        look(row)
        return host.outcome !== undefined
      })
      // How listr2 is told to draw a cross; nothing hangs on it.
      if (failed()) throw new Error(row.title)
    },
  }
}

function update(row: Row, title: string): void {
  if (row.title !== title) row.title = title
}

/** Looks again and again until the look says that it is over, or the gate opens. */
async function watch(gate: Gate, look: () => boolean): Promise<void> {
  const over = createGate()
  const glance = (): void => {
    if (look()) over.open()
  }
  glance()
  const timer = setInterval(glance, tick)
  await Promise.race([gate.promise, over.promise])
  clearInterval(timer)
  look()
}
