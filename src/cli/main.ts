#!/usr/bin/env node
import { CommanderError } from 'commander'
import { exitCode } from '../model/outcome.ts'
import { createProgram } from './program.ts'
import { readVersion } from './version.ts'

/** `-v` is looked for by hand: an error may come before options are understood. */
const verbose = process.argv.some((argument) => argument === '-v' || argument === '--verbose')

async function main(): Promise<number> {
  let code: number = exitCode.ok
  const program = createProgram(readVersion(), (finished) => {
    code = finished
  })
  try {
    await program.parseAsync()
    return code
  } catch (error) {
    return explain(error)
  }
}

/** Prints what was thrown; help and version are thrown too, after they were printed. */
async function explain(error: unknown): Promise<number> {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCode.ok
  const [{ openTerminal }, { problemLines, thrownLines }] = await Promise.all([
    import('./terminal.ts'),
    import('../report/problem.ts'),
  ])
  const { conversation } = openTerminal({ color: !process.argv.includes('--no-color') })
  if (error instanceof CommanderError) {
    // `kmsfleet` alone has printed its help.
    if (error.code !== 'commander.help') {
      const [message = '', ...suggestion] = error.message.replace(/^error: /, '').split('\n')
      const hint = [...suggestion, 'Run "kmsfleet help" for all commands and options.'].join(' ')
      conversation.print(...problemLines({ code: 'run.usage', message, hint }))
    }
    return exitCode.error
  }
  conversation.print(...thrownLines(error, verbose))
  return exitCode.error
}

// A reader that went away (`| head`) must not break off a run that is changing hosts.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await main()
// Whatever still holds the event loop, such as a connection that does not close, must not hold the operator.
process.stdout.write('', () => {
  process.stderr.write('', () => {
    process.exit()
  })
})
