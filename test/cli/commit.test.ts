import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { commitOf } from '../../src/cli/commit.ts'

const hash = '0123456789abcdef0123456789abcdef01234567'

describe('commitOf', () => {
  const cases: readonly (readonly [
    name: string,
    files: Readonly<Record<string, string>>,
    from: string,
    found?: string,
  ])[] = [
    ['a branch', { '.git/HEAD': 'ref: refs/heads/main\n', '.git/refs/heads/main': `${hash}\n` }, '.', hash],
    ['from a folder within', { '.git/HEAD': `${hash}\n`, 'a/b/x': '' }, 'a/b', hash],
    ['a detached head', { '.git/HEAD': `${hash}\n` }, '.', hash],
    [
      'a packed branch',
      { '.git/HEAD': 'ref: refs/heads/main\n', '.git/packed-refs': `# pack-refs\n${hash} refs/heads/main\n` },
      '.',
      hash,
    ],
    [
      'a linked worktree',
      {
        'main/.git/worktrees/w/HEAD': 'ref: refs/heads/topic\n',
        'main/.git/worktrees/w/commondir': '../..\n',
        'main/.git/refs/heads/topic': `${hash}\n`,
        'w/.git': 'gitdir: ../main/.git/worktrees/w\n',
      },
      'w',
      hash,
    ],
    ['a branch without a commit', { '.git/HEAD': 'ref: refs/heads/main\n' }, '.'],
    ['a reference that leads elsewhere', { '.git/HEAD': 'ref: refs/../../secret\n', secret: hash }, '.'],
    [
      'a reference that is no hash',
      { '.git/HEAD': 'ref: refs/heads/main\n', '.git/refs/heads/main': 'hello\n' },
      '.',
    ],
  ]
  for (const [name, files, from, found] of cases) {
    test(name, () => {
      const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-git-'))
      onTestFinished(() => {
        rmSync(folder, { recursive: true })
      })
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, file)), { recursive: true })
        writeFileSync(join(folder, file), text)
      }
      expect(commitOf(join(folder, from))).toBe(found)
    })
  }
})
