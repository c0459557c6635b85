import { spawn, execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, mkdirSync, symlinkSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCommand } from '../../src/shell/bootstrap.ts'
import type { Channel } from '../../src/transport/channel.ts'

/** A shell to run things with, as /bin/sh of a host would be. */
export interface ShellUnderTest {
  readonly name: string
  /** Program named `sh`, so that bash behaves as it does where it is /bin/sh. */
  readonly sh: string
  /** PATH of the host: its own tools, or busybox alone. */
  readonly path: string
}

const systemPath = '/usr/sbin:/usr/bin:/sbin:/bin'
const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-shells-'))
// other identities run these tools too
chmodSync(folder, 0o755)
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true })
})

function program(name: string): string | undefined {
  return systemPath
    .split(':')
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path))
}

function asSh(name: string, target: string): string {
  mkdirSync(join(folder, name))
  symlinkSync(target, join(folder, name, 'sh'))
  return join(folder, name, 'sh')
}

/** Applets of busybox as the only tools there are: what a host without GNU tools has. */
function busyboxTools(busybox: string): string {
  const tools = join(folder, 'busybox-tools')
  mkdirSync(tools)
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  for (const applet of applets) symlinkSync(busybox, join(tools, applet))
  return tools
}

/** Every shell of the house that this machine has; dash, bash and busybox are Debian's, mksh may be missing. */
export const shells: readonly ShellUnderTest[] = ['dash', 'bash', 'busybox', 'mksh'].flatMap((name) => {
  const target = program(name)
  if (target === undefined) return []
  const path = name === 'busybox' ? busyboxTools(target) : systemPath
  return [{ name, sh: asSh(name, target), path }]
})

/** The root command with another /bin/sh and PATH. */
export function commandFor(shell: ShellUnderTest): string {
  return rootCommand.replace('/bin/sh -c', `${shell.sh} -c`).replace(systemPath, shell.path)
}

/** Runs a command line in a local shell as a channel. */
export function localChannel(command: string): Channel & { readonly pid: number } {
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], { stdio: 'pipe', detached: true })
  let sent = 0
  let received = 0
  let stderr = ''
  child.stderr.on('data', (bytes: Buffer) => {
    stderr = (stderr + bytes.toString('latin1')).slice(-4096)
  })
  child.stdin.on('error', () => undefined)
  const exited = new Promise<{ code: number | undefined; signal: string | undefined }>((resolve) => {
    child.on('exit', (code, signal) => {
      resolve({ code: code ?? undefined, signal: signal ?? undefined })
    })
  })
  async function* stdout(): AsyncGenerator<Uint8Array> {
    for await (const bytes of child.stdout as AsyncIterable<Buffer>) {
      received += bytes.length
      yield bytes
    }
  }
  return {
    pid: child.pid ?? 0,
    stdout: stdout(),
    stderrTail: () => stderr,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        sent += bytes.length
        child.stdin.write(bytes, (error) => {
          if (error) reject(error)
          else resolve()
        })
      }),
    end: () => {
      child.stdin.end()
    },
    exited,
    get bytesSent() {
      return sent
    },
    get bytesReceived() {
      return received
    },
    async [Symbol.asyncDispose]() {
      child.stdin.destroy()
      child.stdout.destroy()
      try {
        // the whole group: what a shell started may hold its output open
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // it has ended already
      }
      await exited
    },
  }
}
