import { spawn } from 'node:child_process'
import { join } from 'node:path'

const tsx = join(import.meta.dirname, '../../node_modules/.bin/tsx')
const program = join(import.meta.dirname, '../../src/cli/main.ts')

export interface CliEnd {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the real command line as a child, its run journal in `stateFolder`. */
export async function kmsfleet(stateFolder: string, ...args: readonly string[]): Promise<CliEnd> {
  const child = spawn(tsx, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: stateFolder, KMSFLEET_STATE_DIR: stateFolder, NO_COLOR: '1' },
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => {
      if (status === null) reject(new Error(`kmsfleet was ended by ${String(signal)}`))
      else resolve(status)
    })
  })
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}
