import { lines } from './section.ts'
import type { Section } from './section.ts'

interface Mount {
  readonly point: string
  readonly readOnly: boolean
}

/** proc(5): blanks, newlines and backslashes of a mount point are three octal digits. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

function mountOf(line: string): Mount {
  const [, , , , point = '', options = '', ...rest] = line.split(' ')
  const superOptions = rest[rest.indexOf('-') + 3] ?? ''
  const readOnly = [options, superOptions].some((list) => list.split(',').includes('ro'))
  return { point: unescapeOctal(point), readOnly }
}

const within = (path: string, point: string): boolean =>
  point === '/' || path === point || path.startsWith(`${point}/`)

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
    .map(mountOf)
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
    readOnly(path) {
      // of two mounts at one point the later one is on top
      const over = mounts
        .filter(({ point }) => within(path, point))
        .reduce<Mount | undefined>(
          (best, next) => (best && best.point.length > next.point.length ? best : next),
          undefined,
        )
      return over?.readOnly ?? false
    },
    immutable(path) {
      const found = attributes.get(path)
      return found === undefined ? undefined : /[ia]/.test(found)
    },
  }
}
