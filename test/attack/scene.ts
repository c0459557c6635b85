import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The hostile account; it needs no entry in /etc/passwd. */
export const attackerId = 5001

/** A token of root's; what it claims must not be shown as that of a file of the attacker's directory. */
const outsideToken = 'eyJvdXRzaWRl.eyJvdXRzaWRl.x'

/** The attacker's program, built once a process into a folder of its own that everybody may enter. */
export function buildAttacker(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-attacker-'))
  chmodSync(folder, 0o755)
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  const program = join(folder, 'attacker')
  execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'attacker.c')])
  chmodSync(program, 0o755)
  return program
}

/**
 * `base` is root's and trusted. `home` and nearly all below it is the attacker's; `outside` and `mirror` are root's and
 * must never change. `sibling` is a root's folder in the attacker's: it can be renamed by him, not written.
 */
export interface Scene extends Disposable {
  readonly base: string
  readonly place: string
  readonly deep: string
  /** What was and what is, where something of root's outside the attacker's folders, or the sibling, was changed. */
  harm(): string | undefined
}

function owned(path: string): string {
  chownSync(path, attackerId, attackerId)
  return path
}

function folder(path: string, mode: number): string {
  mkdirSync(path)
  chmodSync(path, mode)
  return path
}

function file(path: string, text: string, mode: number): string {
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

/** dev:ino as the shell functions take it. */
export function inodeOf(path: string): string {
  const { dev, ino } = lstatSync(path)
  return `${String(dev)}:${String(ino)}`
}

function fill(path: string): string {
  file(join(path, 'target'), 'HERE\n', 0o644)
  owned(file(join(path, 'victim'), 'HERE\n', 0o644))
  return path
}

export function makeScene(under = '/var/lib'): Scene {
  const base = mkdtempSync(join(under, 'kmsfleet-attack-'))
  chmodSync(base, 0o755)
  const outside = folder(join(base, 'outside'), 0o755)
  file(join(outside, 'target'), `ROOTS-SECRET outside\n${outsideToken}\n`, 0o600)
  file(join(outside, 'open'), 'everybody writes\n', 0o666)
  file(join(outside, 'victim'), 'stays\n', 0o644)
  folder(join(base, 'mirror'), 0o755)
  folder(join(base, 'mirror/place'), 0o755)
  file(join(base, 'mirror/place/target'), `ROOTS-SECRET outside\n${outsideToken}\n`, 0o600)
  owned(folder(join(base, 'flag'), 0o755))
  const home = owned(folder(join(base, 'home'), 0o755))
  const place = fill(owned(folder(join(home, 'place'), 0o755)))
  const up = owned(folder(join(home, 'up'), 0o755))
  const deep = fill(owned(folder(join(up, 'place'), 0o755)))
  const sibling = folder(join(home, 'sibling'), 0o700)
  file(join(sibling, 'target'), 'ROOTS-SECRET sibling\n', 0o600)
  symlinkSync(outside, join(home, 'to-outside'))
  symlinkSync(join(base, 'mirror'), join(home, 'to-mirror'))
  symlinkSync(join(outside, 'target'), join(place, 'to-target'))
  linkSync(join(outside, 'open'), join(place, 'hard'))
  const rows = (): string => {
    const row = (path: string): string => {
      const stat = lstatSync(path)
      return [stat.ino, stat.mode, stat.uid, stat.gid, stat.size].join(' ')
    }
    const tree = (path: string): string[] =>
      readdirSync(path).flatMap((name) => {
        const child = join(path, name)
        return lstatSync(child).isDirectory() ? [row(child), name, ...tree(child)] : [row(child), name]
      })
    const names = ['sibling', 'place'].map((name) => join(home, name))
    const siblings = names.filter((path) => lstatSync(path).ino === siblingInode)
    if (siblings.length !== 1) throw new Error('the sibling is looked for while it is still being moved')
    return JSON.stringify([
      tree(outside),
      tree(join(base, 'mirror')),
      readFileSync(join(outside, 'target'), 'utf8'),
      siblings.map((path) => [row(path), tree(path)]),
      readdirSync(join(base, 'flag')),
    ])
  }
  const siblingInode = lstatSync(sibling).ino
  const before = rows()
  return {
    base,
    place,
    deep,
    harm() {
      const now = rows()
      return now === before ? undefined : `${before} became ${now}`
    },
    [Symbol.dispose]() {
      rmSync(base, { recursive: true, force: true })
    },
  }
}

/**
 * Starts the attacker's program under the hostile id; resolves when it says that it is at work. Disposing waits until
 * it is gone: a rename that it is in the middle of would fall between two looks at the scene.
 */
export async function attack(program: string, args: readonly string[]): Promise<AsyncDisposable> {
  const child = spawn(program, [...args], {
    uid: attackerId,
    gid: attackerId,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve()
    })
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => {
      resolve()
    })
    child.once('exit', (code) => {
      reject(new Error(`the attacker ended with ${String(code)}`))
    })
  })
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** Arguments of unshare(1) before a program that gets a /run of its own: no run of this machine's is disturbed. */
export const privateRun: readonly string[] = [
  '-m',
  '--propagation',
  'private',
  '/bin/sh',
  '-c',
  'mount -t tmpfs tmpfs /run && exec "$@"',
  'sh',
]
