import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface RunOptions {
  readonly stdin?: string
  readonly env?: NodeJS.ProcessEnv
  /** Shown as it comes instead of being returned. */
  readonly visible?: boolean
}

/** What a program of the lab's own machine printed; throws with its stderr where it did not exit with 0. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [file = '', ...args] = argv
  const output = options.visible === true ? 'inherit' : 'pipe'
  const child = spawn(file, args, {
    stdio: ['pipe', output, output],
    ...(options.env === undefined ? {} : { env: options.env }),
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => err.push(bytes))
  // A program that ends without reading its input is judged by its exit code, not by the broken pipe.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(options.stdin ?? '')
  const status = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      resolve(code === null ? (signal ?? 'no status') : String(code))
    })
  })
  if (status !== '0') {
    const said = Buffer.concat(err).toString().trim()
    throw new Error(`expected ${argv.join(' ')} to exit with 0, found ${status}: ${said}`)
  }
  return Buffer.concat(out).toString()
}

/** Start time of a process in clock ticks since boot, which with its pid names it for good; undefined: no such process. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    // Fields are counted after the name, which may itself hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
