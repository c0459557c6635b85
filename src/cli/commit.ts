import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const hash = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/

/**
 * The commit that the repository around a folder stands at; undefined where there is none, or none that can be read.
 * Read from the files of git: running it would run whatever the repository's configuration names.
 */
export function commitOf(folder: string): string | undefined {
  const git = gitFolder(resolve(folder))
  if (git === undefined) return undefined
  const head = firstLine(join(git, 'HEAD'))
  if (head === undefined || hash.test(head)) return head
  const [, reference] = /^ref: (refs\/[A-Za-z0-9._/-]+)$/.exec(head) ?? []
  if (reference === undefined || reference.split('/').includes('..')) return undefined
  // A linked worktree keeps its own HEAD and shares the branches.
  const common = firstLine(join(git, 'commondir'))
  const shared = common === undefined ? git : resolve(git, common)
  const loose = firstLine(join(shared, reference))
  const found = loose ?? packed(join(shared, 'packed-refs'), reference)
  return found !== undefined && hash.test(found) ? found : undefined
}

function gitFolder(start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    const path = join(folder, '.git')
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat?.isDirectory() === true) return path
    // A worktree or submodule has a file that names the folder.
    if (stat?.isFile() === true) {
      const [, named] = /^gitdir: (.+)$/.exec(firstLine(path) ?? '') ?? []
      return named === undefined ? undefined : resolve(folder, named)
    }
    if (folder === dirname(folder)) return undefined
  }
}

function packed(file: string, reference: string): string | undefined {
  const line = read(file)
    ?.split('\n')
    .find((each) => each.endsWith(` ${reference}`))
  return line?.slice(0, line.indexOf(' '))
}

function firstLine(file: string): string | undefined {
  return read(file)?.split('\n')[0]?.trim()
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
