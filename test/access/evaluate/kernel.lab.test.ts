import { constants } from 'node:os'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { evaluate } from '../../../src/access/evaluate/evaluate.ts'
import type { Action, Evaluation } from '../../../src/model/access.ts'
import type { Fact, PathState } from '../../../src/model/facts.ts'
import { shells } from '../../shell/local-shell.ts'
import { ask, openHere, rootFolder } from '../../shell/read/host.ts'
import { build, buildProgram, thaw, tryAll } from './kernel.ts'
import type { Answer, Built, Try } from './kernel.ts'
import { identities, layoutsFor } from './layouts.ts'
import type { Layout, ObjectType } from './layouts.ts'

const { EACCES, EPERM, EROFS, ENOENT, ENOTDIR, ENXIO, ENOEXEC, ECONNREFUSED, EISDIR } = constants.errno

const count = 3000
const noNames = { user: () => undefined, group: () => undefined }
const seed = Number(process.env['KMSFLEET_TEST_SEED'] ?? 20261124)

const actionsOf: Readonly<Record<ObjectType, readonly Action[]>> = {
  file: ['read', 'write', 'execute', 'replace'],
  directory: ['read', 'traverse', 'create', 'replace'],
  socket: ['connect', 'replace'],
  fifo: ['read', 'write', 'replace'],
}

/** ENXIO: a FIFO that nobody reads; ENOEXEC: an empty program; ECONNREFUSED: a socket that nobody listens to. */
const granted = new Set([0, ENXIO, ENOEXEC, ECONNREFUSED])
/** The traceless try of `replace` fails with the wrong type, that of `create` for want of CAP_MKNOD. */
const trickGranted: Readonly<Partial<Record<Action, ReadonlySet<number>>>> = {
  connect: new Set([ENXIO]),
  replace: new Set([ENOTDIR, EISDIR]),
  create: new Set([EPERM]),
}

/**
 * Where a traceless try cannot tell, and only the evaluation can: EPERM of `mknod` may as well be the immutable attribute;
 * and the shell's `>>` is refused to what another owns in a sticky directory of everybody (`may_create_in_sticky` of
 * fs/namei.c, for sockets whatever fs.protected_regular says), although a connection is not.
 */
function blind({ act, trick }: Answer, action: Action, layout: Layout | undefined): boolean {
  const open = ((layout?.directories.at(-1)?.mode ?? 0) & 0o1002) === 0o1002
  return (action === 'create' && act === EPERM) || (action === 'connect' && trick === EACCES && open)
}

function verdict(errno: number, good: ReadonlySet<number>): Evaluation['is'] {
  if (good.has(errno)) return 'granted'
  if (errno === EACCES || errno === EPERM || errno === EROFS) return 'denied'
  if (errno === ENOENT || errno === ENOTDIR) return 'missing'
  throw new Error(`errno ${String(errno)} is no verdict`)
}

/** Layouts that one frame looks at: the shell's lists grow with it. */
const chunk = 40

async function observe(built: readonly Built[]): Promise<ReadonlyMap<string, Fact<PathState>>> {
  const [shell] = shells
  if (shell === undefined) throw new Error('no shell')
  await using session = await openHere(shell)
  const rows = new Map<string, Fact<PathState>>()
  for (let from = 0; from < built.length; from += chunk) {
    const paths = built.slice(from, from + chunk).flatMap(({ looked }) => looked)
    const seen = await ask(
      session,
      paths.map((path) => ({ atom: 'path', path })),
    )
    for (const [path, fact] of seen.paths) rows.set(path, fact)
  }
  return rows
}

function triesOf(all: readonly Layout[], built: readonly Built[]): readonly Try[] {
  return all.flatMap(({ who, type }, layout) =>
    who.flatMap((each) =>
      actionsOf[type].map((action) => ({ layout, who: each, action, path: built[layout]?.asked ?? '' })),
    ),
  )
}

/** Asked paths that are directories themselves, not links to one. */
function directoriesOf(all: readonly Layout[], built: readonly Built[]): ReadonlySet<string> {
  return new Set(
    all.flatMap(({ type, link }, index) =>
      type === 'directory' && (link === 'none' || link === 'way') ? [built[index]?.asked ?? ''] : [],
    ),
  )
}

function told(each: Try, layout: Layout | undefined, evaluation: Evaluation, answer: Answer): string {
  return JSON.stringify(
    { seed, layout, try: each, evaluation, answer },
    (_, value: unknown) => (value instanceof Set ? [...value] : value),
    1,
  )
}

test(`what is worked out is what the kernel says (seed ${String(seed)})`, { timeout: 170_000 }, async () => {
  using folder = rootFolder()
  const program = buildProgram(folder.path)
  const pool = fc.sample(identities, { seed, numRuns: 200 })
  const all = fc.sample(layoutsFor(pool), { seed, numRuns: count })
  const built = build(folder.path, program, all)
  try {
    const rows = await observe(built)
    const tries = triesOf(all, built)
    const answers = tryAll(program, tries, directoriesOf(all, built))
    const wrong: string[] = []
    const wrongTricks: string[] = []
    const counts = { granted: 0, denied: 0, missing: 0, unknown: 0 }
    for (const [index, answer] of answers.entries()) {
      const each = tries[index]
      if (each === undefined) throw new Error('more answers than tries')
      const layout = all[each.layout]
      const said = evaluate(each.who, each.action, each.path, (path) => rows.get(path), noNames)
      counts[said.is] += 1
      const kernel = verdict(answer.act, granted)
      if (said.is !== 'unknown' && said.is !== kernel) wrong.push(told(each, layout, said, answer))
      if (answer.trick === undefined || blind(answer, each.action, layout)) continue
      if (verdict(answer.trick, trickGranted[each.action] ?? granted) !== kernel) {
        wrongTricks.push(told(each, layout, said, answer))
      }
    }
    const share = (kind: Evaluation['is']): number => counts[kind] / tries.length
    console.log(
      `${String(count)} layouts, ${String(tries.length)} tries: ${JSON.stringify(counts)}, ` +
        `${(100 * share('unknown')).toFixed(1)} % unknown`,
    )
    expect(wrong[0]).toBeUndefined()
    expect(wrongTricks[0]).toBeUndefined()
    expect(share('unknown')).toBeLessThan(0.05)
    // a law over nothing but denials would prove little
    expect(share('granted')).toBeGreaterThan(0.2)
    expect(share('denied')).toBeGreaterThan(0.2)
  } finally {
    thaw(built)
  }
})

test('a read-only mount stops root from writing, and nobody from connecting', async () => {
  using folder = rootFolder()
  const program = buildProgram(folder.path)
  const who = { uid: 0, gid: 0, groups: [], capabilities: new Set([1, 2, 3]) }
  const owned = { uid: 0, gid: 0, mode: 0o755, acl: ['user::rwx', 'group::r-x', 'other::r-x'] }
  const of = (type: ObjectType): Layout => ({
    directories: [owned],
    object: owned,
    type,
    link: 'none',
    immutable: 'none',
    who: [who],
  })
  const all = [of('file'), of('directory'), of('socket'), of('fifo')]
  const base = join(folder.path, 'mount')
  mkdirSync(base)
  const built = build(base, program, all)
  execFileSync('mount', ['--bind', '-o', 'ro', base, base])
  try {
    const rows = await observe(built)
    const tries = triesOf(all, built)
    const answers = tryAll(program, tries, directoriesOf(all, built))
    const results = tries.map(({ action, path }, index) => [
      `${action} ${all[tries[index]?.layout ?? -1]?.type ?? ''}`,
      evaluate(who, action, path, (each) => rows.get(each), noNames).is,
      verdict(answers[index]?.act ?? NaN, granted),
    ])
    expect(results.filter(([, said, kernel]) => said !== kernel)).toEqual([])
    expect(results.filter(([, said]) => said === 'denied').map(([what]) => what)).toEqual([
      'write file',
      'replace file',
      'create directory',
      'replace directory',
      'replace socket',
      'replace fifo',
    ])
  } finally {
    execFileSync('umount', [base])
  }
})
