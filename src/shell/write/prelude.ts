import { readFileSync } from 'node:fs'
import { stripShell } from '../read/prelude.ts'

/** The files of `prelude/` in the order in which they are sent. */
const partNames = [
  'frame',
  'lock',
  'change',
  'stage',
  'place',
  'together',
  'inside',
  'attributes',
  'validate',
  'accounts',
  'services',
  'keep',
] as const

/** One file of the write prelude: what it defines is one concern of changing a host. */
export type PreludePart = (typeof partNames)[number]

const always: readonly PreludePart[] = ['frame', 'lock', 'change', 'stage']

function load(part: PreludePart): string {
  return stripShell(readFileSync(new URL(`./prelude/${part}.sh`, import.meta.url), 'utf8')).replaceAll(
    / # guard:[a-z-]+$/gm,
    '',
  )
}

const loaded = new Map<PreludePart, string>()

/** The functions that a frame with these concerns needs; does not end in a newline. */
export function writePrelude(parts: ReadonlySet<PreludePart>): string {
  return partNames
    .filter((part) => always.includes(part) || parts.has(part))
    .map((part) => {
      const known = loaded.get(part) ?? load(part)
      loaded.set(part, known)
      return known
    })
    .join('\n')
}
