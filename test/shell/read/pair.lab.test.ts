import { execFileSync, spawn } from 'node:child_process'
import { chownSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { PairState } from '../../../src/model/facts.ts'
import type { ReadAtom } from '../../../src/model/wire.ts'
import { shells } from '../local-shell.ts'
import { ask, openHere, present, rootFolder } from './host.ts'

const owner = 65534
const upTo = 4096
const texts = ([first, second]: PairState): readonly string[] =>
  [first, second].map((secret) => Buffer.from(secret.reveal()).toString('utf8'))

/** A folder of another account with one pair in it. */
function folderOf(
  parent: string,
  name: string,
  [first, second]: readonly [string, string?] = ['{"a": 1}\n', 'ä\n\n'],
): string {
  const path = join(parent, name)
  mkdirSync(path)
  for (const [file, text] of [
    ['state', first],
    ['state.checkpoint', second],
  ] as const) {
    if (text === undefined) continue
    writeFileSync(join(path, file), text, { mode: 0o640 })
    chownSync(join(path, file), owner, owner)
  }
  chownSync(path, owner, owner)
  return path
}

const pairIn = (folder: string): ReadAtom => ({
  atom: 'pair',
  folder,
  names: ['state', 'state.checkpoint'],
  owner: String(owner),
  upTo,
})

describe.each(shells)('$name', (shell) => {
  test('reads two files of an account byte by byte, and nothing that is not its own', async () => {
    using folder = rootFolder()
    const root = folder.path
    const secret = join(root, 'of-root')
    writeFileSync(secret, 'rootsOwn')
    const replaced = (name: string, replace: (path: string) => void): string => {
      const path = folderOf(root, name)
      rmSync(join(path, 'state'))
      replace(join(path, 'state'))
      return path
    }
    const linked = join(root, 'linked')
    symlinkSync(folderOf(root, 'real'), linked)
    const cases: readonly (readonly [folder: string, reason: string])[] = [
      [
        replaced('link', (path) => {
          symlinkSync(secret, path)
        }),
        'no regular file',
      ],
      [
        replaced('pipe', (path) => {
          execFileSync('mkfifo', [path])
        }),
        'no regular file',
      ],
      [
        replaced('hard', (path) => {
          linkSync(secret, path)
        }),
        "not its account's own",
      ],
      [
        replaced('twice', (path) => {
          writeFileSync(path, 'own')
          chownSync(path, owner, owner)
          linkSync(path, `${path}.other`)
        }),
        'has a further name',
      ],
      [
        replaced('of-root.d', (path) => {
          writeFileSync(path, 'rootsOwn')
        }),
        "not its account's own",
      ],
      [folderOf(root, 'large', ['x', 'y'.repeat(upTo + 1)]), 'too large'],
      [folderOf(root, 'empty', ['x', '']), 'empty'],
      [folderOf(root, 'half', ['x']), 'not there'],
      [folderOf(root, 'nul', ['a\0b', 'x']), 'no text'],
      [join(root, 'none'), 'not there'],
      [linked, 'symbolic link'],
    ]
    await using session = await openHere(shell)
    const good = folderOf(root, 'good')
    const { pairs } = await ask(session, [good, ...cases.map(([path]) => path)].map(pairIn))
    expect(texts(present(pairs.get(`${good}/state`)))).toEqual(['{"a": 1}\n', 'ä\n\n'])
    for (const [path, reason] of cases) {
      const fact = pairs.get(`${path}/state`)
      expect(fact, path).toMatchObject({ is: 'unreadable', problem: { code: 'host.unreadable' } })
      if (fact?.is === 'unreadable') expect(fact.problem.message, path).toContain(reason)
    }
    expect(JSON.stringify([...pairs.values()])).not.toContain('rootsOwn')
  })
})

test('a writer between two writes is waited for, and what comes then is of one write', async () => {
  const [shell] = shells
  if (shell === undefined) throw new Error('expected a shell')
  using folder = rootFolder()
  const path = folderOf(folder.path, 'busy')
  const write = (file: string): string =>
    `echo "generation $n" >${file}.new && chown ${String(owner)} ${file}.new && mv ${file}.new ${file}`
  const script = `cd ${path}; for n in 2 3 4; do ${write('state')}; echo; sleep 0.4; ${write('state.checkpoint')}; done`
  const writer = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => writer.stdout.once('data', resolve))
  await using session = await openHere(shell)
  const { pairs } = await ask(session, [pairIn(path)])
  const [first, second] = texts(present(pairs.get(`${path}/state`)))
  expect(first).toBe('generation 4\n')
  expect(second).toBe(first)
  expect(readFileSync(join(path, 'state'), 'utf8')).toBe(first)
})
