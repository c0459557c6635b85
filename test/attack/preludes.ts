import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const shellFolder = join(import.meta.dirname, '../../src/shell')

/** Source of the read prelude, as it stands in the repository. */
export const readSource = readFileSync(join(shellFolder, 'read/prelude.sh'), 'utf8')

/** The same with what asks about processes and accesses. */
export const accessSource = ['prelude.sh', 'processes.sh', 'access.sh']
  .map((name) => readFileSync(join(shellFolder, 'read', name), 'utf8'))
  .join('\n')

const writeFolder = join(shellFolder, 'write/prelude')

/** All parts of the write prelude, as they stand in the repository; order does not matter but for the first. */
export const writeSource = ['frame.sh', ...readdirSync(writeFolder).filter((name) => name !== 'frame.sh')]
  .map((name) => readFileSync(join(writeFolder, name), 'utf8'))
  .join('\n')

/** Names of all guard lines of the write prelude. */
export const guardNames = [...writeSource.matchAll(/# guard:([a-z-]+)$/gm)].map(([, name]) => name ?? '')

/** The source without one guard line. */
export function without(source: string, guard: string): string {
  const lines = source.split('\n')
  const rest = lines.filter((line) => !line.endsWith(`# guard:${guard}`))
  if (rest.length !== lines.length - 1) throw new Error(`there is not exactly one guard:${guard}`)
  return rest.join('\n')
}
