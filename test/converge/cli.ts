import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { testTransport } from '../lab/transport.ts'

const program = join(import.meta.dirname, '../../src/cli/main.ts')

export interface CliEnd {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command line that runs. */
export interface CliRun {
  readonly end: Promise<CliEnd>
  interrupt(): void
  /** Resolves when the text stands in what it said so far. */
  says(text: string): Promise<void>
}

/** Starts the real command line as a child (`command` reaches hosts), its run journal in `stateFolder`. */
export function startKmsfleet(stateFolder: string, command: string, ...args: readonly string[]): CliRun {
  const { transport } = testTransport()
  const reach = transport === undefined ? [] : ['--transport', transport]
  const child = spawn(process.execPath, ['--import', 'tsx', program, command, ...reach, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: stateFolder, KMSFLEET_STATE_DIR: stateFolder, NO_COLOR: '1' },
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  const said = (): string => Buffer.concat([...out, ...err]).toString()
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
  const end = new Promise<CliEnd>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === null) reject(new Error(`kmsfleet was ended by ${String(signal)}: ${said()}`))
      else resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() })
    })
  })
  return {
    end,
    interrupt: () => {
      child.kill('SIGINT')
    },
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (said().includes(text)) resolve()
        }
        child.stdout.on('data', look)
        child.stderr.on('data', look)
        child.once('close', () => {
          reject(new Error(`expected kmsfleet to say ${text}, found that it ended with: ${said()}`))
        })
      }),
  }
}

/** Runs the real command line to its end. */
export function kmsfleet(stateFolder: string, command: string, ...args: readonly string[]): Promise<CliEnd> {
  return startKmsfleet(stateFolder, command, ...args).end
}
