import type { FileType, PathState } from '../../model/facts.ts'
import { problem } from './result.ts'
import type { Problem } from '../../model/problem.ts'

const words: Readonly<Record<FileType, string>> = {
  file: 'a regular file',
  directory: 'a directory',
  link: 'a symbolic link',
  socket: 'a socket',
  fifo: 'a FIFO',
  block: 'a block device',
  character: 'a character device',
}

/** `a symbolic link to /x`. The target is host text. */
export function showType(state: PathState): string {
  const word = words[state.type]
  return state.type === 'link' && state.target !== undefined ? `${word} to ${state.target}` : word
}

/** Something else stands at the path. Nothing is ever deleted to make room. */
export function wrongType(path: string, wanted: FileType, state: PathState): Problem {
  return problem(
    'resource.wrong-type',
    path,
    `expected ${path} to be ${words[wanted]}, found ${showType(state)}`,
    'Nothing is deleted to make room: find out what it is, and remove it by hand or with an `absent` task.',
  )
}
