import { spawn } from 'node:child_process'
import { KmsfleetError } from '../errors/error.ts'
import type { Secret } from '../model/secret.ts'
import { secretLimit, secretOf } from './content.ts'
import type { ExecSource, SourceOptions, WantedSecret } from './types.ts'

/** What a program gets of the operator's environment beside what its source names. Tokens are not among it. */
const usual = /^(PATH|HOME|USER|LOGNAME|SHELL|TZ|LANG|LC_[A-Z]+|XDG_[A-Z_]+|TMPDIR)$/

/** A secret that a program prints. */
export interface WantedOutput extends WantedSecret {
  readonly source: ExecSource
}

type End =
  | {
      readonly is: 'ended'
      readonly status: number | null
      readonly signal: string | null
      readonly output: Buffer
    }
  | { readonly is: 'not-started'; readonly code: string }
  | { readonly is: 'too-long' }

/**
 * Runs a program of the workstation and takes what it prints; one newline at the end is taken off, as a shell does. It
 * gets no input, no terminal, and an environment of few names. What it says on its error output is never shown: it may
 * be the secret.
 */
export async function readProgram(
  { name, source, place }: WantedOutput,
  { environment, requireTrust }: SourceOptions,
  folder: string,
  signal: AbortSignal,
): Promise<Secret> {
  const [program = ''] = source.argv
  requireTrust(place.file)
  const deadline = AbortSignal.timeout(source.timeout * 1000)
  const end = await run(
    source,
    environmentOf(source, environment),
    folder,
    AbortSignal.any([signal, deadline]),
  )
  const found = signal.aborted
    ? 'the run interrupted'
    : deadline.aborted
      ? `no end within ${String(source.timeout)} s`
      : failureOf(end)
  if (end.is === 'ended' && found === undefined) {
    const bytes = end.output.at(-1) === 0x0a ? end.output.subarray(0, -1) : end.output
    return secretOf(name, bytes, `in the output of ${program}`, { place })
  }
  throw new KmsfleetError(
    'secret.program',
    `expected ${program} to print the secret \`${name}\`, found ${found ?? 'nothing'}`,
    {
      place,
      hint: 'run it by hand, with no terminal: what it says on its error output is not shown, since it may hold the secret',
    },
  )
}

function environmentOf(
  { environment: named }: ExecSource,
  environment: SourceOptions['environment'],
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).filter(([key]) => usual.test(key) || named.includes(key)),
  )
}

function failureOf(end: End): string | undefined {
  if (end.is === 'not-started') return `that it cannot be started (${end.code})`
  if (end.is === 'too-long') return `more than ${String(secretLimit)} bytes`
  if (end.signal !== null) return `that it was killed by ${end.signal}`
  return end.status === 0 ? undefined : `exit status ${String(end.status)}`
}

function run(
  { argv }: ExecSource,
  environment: Record<string, string | undefined>,
  folder: string,
  signal: AbortSignal,
): Promise<End> {
  const [program = '', ...words] = argv
  return new Promise((resolve) => {
    // In a session of its own it has no terminal to ask on, and is killed with all that it started.
    const child = spawn(program, words, {
      cwd: folder,
      env: environment,
      detached: true,
      shell: false,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const chunks: Buffer[] = []
    let size = 0
    const finish = (end: End): void => {
      signal.removeEventListener('abort', kill)
      child.stdout.destroy()
      resolve(end)
    }
    const kill = (): void => {
      killGroup(child.pid)
      // A grandchild in a session of its own may keep the output open for ever.
      finish({ is: 'ended', status: null, signal: 'SIGKILL', output: Buffer.alloc(0) })
    }
    child.on('error', (error) => {
      finish({ is: 'not-started', code: 'code' in error ? String(error.code) : error.name })
    })
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size <= secretLimit) return
      killGroup(child.pid)
      finish({ is: 'too-long' })
    })
    child.on('close', (status, by) => {
      finish({ is: 'ended', status, signal: by, output: Buffer.concat(chunks) })
    })
    if (signal.aborted) kill()
    else signal.addEventListener('abort', kill, { once: true })
  })
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}
