import { mountOver } from '../../model/process.ts'
import { parseMount } from './mounts.ts'
import { lines } from './section.ts'
import type { Section } from './section.ts'

/** What keeps even root from writing. */
export interface Mounts {
  readOnly(path: string): boolean
  /** Undefined where the host was not asked or cannot tell. */
  immutable(path: string): boolean | undefined
}

/** The host sends mounts only where a path refused `access(2)`, or where its shell cannot ask that. */
export function decodeMounts(section: Section): Mounts {
  const mounts = section
    .all('mounts')
    .flatMap(([text]) => lines(text))
    .map(parseMount)
  const attributes = new Map(
    section
      .all('attributes')
      .flatMap(([text]) => lines(text))
      .map((line): [string, string] => {
        const blank = line.indexOf(' ')
        return [line.slice(blank + 1), line.slice(0, blank)]
      }),
  )
  return {
    readOnly: (path) => mountOver(mounts, path)?.readOnly ?? false,
    immutable(path) {
      const found = attributes.get(path)
      return found === undefined ? undefined : /[ia]/.test(found)
    },
  }
}
