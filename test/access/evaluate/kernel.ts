import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ActingIdentity, Action } from '../../../src/model/access.ts'
import type { Layout, Made } from './layouts.ts'

/** One question to the kernel and the evaluator. */
export interface Try {
  readonly layout: number
  readonly who: ActingIdentity
  readonly action: Action
  /** As asked: perhaps over a link. */
  readonly path: string
}

/** A layout on the disk. */
export interface Built {
  /** What is asked for. */
  readonly asked: string
  /** All that must be looked at to judge it, without links in between. */
  readonly looked: readonly string[]
  /** What was made immutable. */
  readonly frozen?: string
}

/** What the kernel said: errno of the real act, and of the one without a trace, 0 for none, absent where there is none. */
export interface Answer {
  readonly act: number
  readonly trick?: number
}

export function buildProgram(folder: string): string {
  const program = join(folder, 'kernel')
  execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'kernel.c')])
  return program
}

function restored(path: string, { uid, gid, mode, acl }: Made): string {
  const flags = mode & 0o1000 ? '--t' : '---'
  return `# file: ${path}\n# owner: ${String(uid)}\n# group: ${String(gid)}\n# flags: ${flags}\n${acl.join('\n')}\n\n`
}

function many(command: readonly string[], paths: readonly string[]): void {
  if (paths.length > 0) execFileSync('xargs', command, { input: paths.join('\n') })
}

function frozenOf(built: readonly Built[]): readonly string[] {
  return built.flatMap(({ frozen }) => (frozen === undefined ? [] : [frozen]))
}

/** So that it can be removed. */
export function thaw(built: readonly Built[]): void {
  many(['chattr', '-i'], frozenOf(built))
}

/** Makes all layouts below `base`, each in a folder of root's own, with four programs in all. */
export function build(base: string, program: string, layouts: readonly Layout[]): readonly Built[] {
  const special = { socket: [] as string[], fifo: [] as string[] }
  let acls = ''
  const built = layouts.map(({ directories, object, type, link, immutable }, index): Built => {
    const top = join(base, String(index))
    mkdirSync(top, { mode: 0o755 })
    const paths = directories.map((_, depth) => join(top, ...['a', 'b', 'c'].slice(0, depth + 1)))
    for (const [depth, path] of paths.entries()) {
      mkdirSync(path)
      acls += restored(path, directories[depth] ?? object)
    }
    const parent = paths.at(-1) ?? top
    const at = join(parent, 'o')
    if (type === 'file') writeFileSync(at, '')
    else if (type === 'directory') mkdirSync(at)
    else special[type].push(at)
    acls += restored(at, object)
    const still = immutable === 'none' ? {} : { frozen: immutable === 'object' ? at : parent }
    const rest = at.slice(join(top, 'a').length)
    const places = {
      none: { from: at, to: '', asked: at },
      object: { from: join(top, 'l'), to: `./a${rest}`, asked: join(top, 'l') },
      way: { from: join(top, 'l'), to: join(top, 'a'), asked: join(top, 'l') + rest },
      inside: {
        from: join(parent, 'l'),
        to: `../${parent.slice(parent.lastIndexOf('/') + 1)}/o`,
        asked: join(parent, 'l'),
      },
    }
    const { from, to, asked } = places[link]
    if (link !== 'none') symlinkSync(to, from)
    return { asked, looked: [...new Set([top, from, ...paths, at])], ...still }
  })
  many(['mkfifo'], special.fifo)
  execFileSync(program, ['sockets'], { input: special.socket.join('\n') })
  execFileSync('setfacl', ['--restore=-'], { input: acls })
  many(['chattr', '+i'], frozenOf(built))
  return built
}

function line({ who, action, path }: Try, directory: boolean, number: number): string {
  const groups = who.groups.length === 0 ? '-' : who.groups.join(',')
  const capabilities = [...who.capabilities].reduce((all, bit) => all | (1 << bit), 0).toString(16)
  const act = action === 'replace' ? `replace-${directory ? 'directory' : 'other'}` : action
  return `${String(who.uid)} ${String(who.gid)} ${groups} ${capabilities} ${String(number)} ${act} ${path}`
}

/** Tries all, each as its identity. `directories`: the asked paths that are directories. */
export function tryAll(
  program: string,
  tries: readonly Try[],
  directories: ReadonlySet<string>,
): readonly Answer[] {
  const lines = tries.map((each, index) => line(each, directories.has(each.path), index)).sort()
  // the program wants the number first and the identity's lines together
  const input = lines.map((text) => text.replace(/^((?:\S+ ){4})(\d+) /, '$2 $1')).join('\n') + '\n'
  const output = execFileSync(program, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
  const answers = new Map(
    output
      .trimEnd()
      .split('\n')
      .map((text): [number, Answer] => {
        const [number = NaN, act = NaN, trick = NaN] = text.split(' ').map(Number)
        return [number, trick === -1 ? { act } : { act, trick }]
      }),
  )
  return tries.map((_, index) => {
    const answer = answers.get(index)
    if (answer === undefined) throw new Error(`the kernel was not asked about try ${String(index)}`)
    return answer
  })
}
