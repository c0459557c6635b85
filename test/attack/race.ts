import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ShellUnderTest } from '../shell/local-shell.ts'
import { readSource, writeSource } from './preludes.ts'
import { attack, inodeOf, makeScene, privateRun } from './scene.ts'
import type { Scene } from './scene.ts'

/** What came of the attempts of one function under one attack. */
export interface Tally {
  readonly what: string
  readonly applied: number
  readonly refused: number
  readonly hits: number
  /** What was changed, for each hit. */
  readonly evidence: string
}

interface Duel {
  readonly functionName: string
  readonly attack: string
  readonly dir: (scene: Scene) => string
  /** What the attacker's program is told; undefined: nobody attacks, and every attempt must succeed. */
  readonly args?: (scene: Scene) => readonly string[]
}

const leaf = (scene: Scene): readonly string[] => [
  'exchange',
  scene.place,
  join(scene.base, 'home/to-outside'),
]
const ancestor = (scene: Scene): readonly string[] => [
  'exchange',
  join(scene.base, 'home/up'),
  join(scene.base, 'home/to-mirror'),
]
const sibling = (scene: Scene): readonly string[] => [
  'exchange',
  scene.place,
  join(scene.base, 'home/sibling'),
]
const steal = (scene: Scene): readonly string[] => [
  'steal',
  scene.place,
  join(scene.base, 'outside'),
  join(scene.base, 'flag/captured'),
]
const link = (scene: Scene): readonly string[] => [
  'exchange',
  join(scene.place, 'target'),
  join(scene.place, 'to-target'),
]
const hard = (scene: Scene): readonly string[] => [
  'exchange',
  join(scene.place, 'target'),
  join(scene.place, 'hard'),
]

const place = (scene: Scene): string => scene.place
const deep = (scene: Scene): string => scene.deep

function duels(functionName: string, extra: readonly Duel[]): readonly Duel[] {
  return [
    { functionName, attack: 'directory swapped with a link', dir: place, args: leaf },
    { functionName, attack: 'parent swapped with a link', dir: deep, args: ancestor },
    { functionName, attack: 'directory swapped with a folder of root', dir: place, args: sibling },
    ...extra,
  ]
}

/** Every write function, and the read of a contested file, against what an owner of the directory can do. */
export const allDuels: readonly Duel[] = [
  ...['put', 'mkdir', 'link', 'inside', 'remove'].flatMap((name) =>
    duels(name, [{ functionName: name, attack: 'names stolen', dir: place, args: steal }]),
  ),
  ...duels('dirset', []),
  ...['fileset', 'digest', 'public', 'pair'].flatMap((name) =>
    duels(name, [
      { functionName: name, attack: 'file swapped with a link', dir: place, args: link },
      { functionName: name, attack: 'file swapped with a hard link', dir: place, args: hard },
    ]),
  ),
]

/** Each function where nobody attacks: shows that the attempts of the race could succeed. */
export const controls: readonly Duel[] = [...new Set(allDuels.map(({ functionName }) => functionName))].map(
  (functionName) => ({ functionName, attack: 'none', dir: place }),
)

/** Runs `count` attempts of each function in one resident shell, shared out among its attacks. */
export async function race(
  shell: ShellUnderTest,
  program: string,
  count: number,
  sources: { readonly read: string; readonly write: string } = { read: readSource, write: writeSource },
  chosen: readonly Duel[] = allDuels,
): Promise<readonly Tally[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-race-'))
  const script = join(folder, 'script.sh')
  const attempts = readFileSync(join(import.meta.dirname, 'attempts.sh'), 'utf8')
  // what an attack planted at a name is a conflict; taken as free here, so that attempts get as far as the rename
  const lenient = sources.write.replace('if [ -e "$2" ] || [ -L "$2" ]; then', 'if false; then')
  writeFileSync(script, [sources.read, lenient, attempts].join('\n'))
  const tallies: Tally[] = []
  try {
    for (const duel of chosen) {
      const share = Math.ceil(
        count / chosen.filter(({ functionName }) => functionName === duel.functionName).length,
      )
      using scene = makeScene()
      const dir = duel.dir(scene)
      const words = [duel.functionName, dir, inodeOf(dir), inodeOf(join(dir, 'target')), String(share)]
      await using attacker = duel.args === undefined ? undefined : await attack(program, duel.args(scene))
      const run = spawn(
        'unshare',
        privateRun.concat(
          ['/usr/bin/env', '-i', `PATH=${shell.path}`, `base=${scene.base}`, 'LC_ALL=C'],
          [shell.sh, script],
        ),
        { stdio: ['pipe', 'pipe', 'pipe'] },
      )
      let errors = ''
      run.stderr.on('data', (bytes: Buffer) => {
        errors = (errors + bytes.toString('latin1')).slice(-2000)
      })
      run.stdin.end(`${words.join(' ')}\n`)
      let answer = ''
      for await (const line of createInterface({ input: run.stdout })) answer = line
      await attacker?.[Symbol.asyncDispose]()
      const [applied, refused, hits] = answer.split(' ').map(Number)
      if (applied === undefined || refused === undefined || hits === undefined) {
        throw new Error(`${shell.name} ${duel.functionName}: no answer; ${errors}`)
      }
      const harm = scene.harm()
      tallies.push({
        what: `${shell.name} ${duel.functionName}: ${duel.attack}`,
        applied,
        refused,
        hits: hits + (hits === 0 && harm !== undefined ? 1 : 0),
        evidence: `${hits === 0 ? '' : errors}${harm ?? ''}`,
      })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return tallies
}
