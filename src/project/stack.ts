import { resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Place } from '../errors/place.ts'

/** `src/` or `dist/`: frames of ours say nothing to who reads an error of a project. */
const ours = `${resolve(import.meta.dirname, '..')}${sep}`

/** Roles that are shipped with the program are read like a project's, wherever the program is installed. */
const shippedRoles = `${resolve(import.meta.dirname, '../../roles')}${sep}`

const frame = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]*):(\d+):(\d+)\)?$/

/** Where a project's code stands in a stack: its innermost frame. Undefined where it has none. */
export function placeInStack(stack: string): Place | undefined {
  for (const line of stack.split('\n')) {
    const [, location, row, column] = frame.exec(line.trim()) ?? []
    if (location === undefined) continue
    const file = location.startsWith('file://') ? fileURLToPath(location.replace(/\?.*$/, '')) : location
    const library = file.includes(`${sep}node_modules${sep}`) && !file.startsWith(shippedRoles)
    if (library || file.startsWith(ours)) continue
    return { file, line: Number(row), column: Number(column) }
  }
  return undefined
}

/** Where the project's code stands that called us; `otherwise` where that cannot be told. */
export function callerPlace(otherwise: Place): Place {
  return placeInStack(new Error('place').stack ?? '') ?? otherwise
}
