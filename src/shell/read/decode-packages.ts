import { lines } from './section.ts'
import type { Section } from './section.ts'

/** Package that owns a path: its name, null for none, undefined where the host has no package manager that we know. */
export type PackageOf = (path: string) => string | null | undefined

/** The other name of a path where `/bin` and its like are links into `/usr`; the host asks for it only there. */
function otherName(path: string): string {
  return path.startsWith('/usr/') ? path.slice('/usr'.length) : `/usr${path}`
}

export function decodePackages(section: Section): PackageOf {
  const direct = new Map(section.all('package'))
  const [manager, text] = section.all('packages')[0] ?? []
  const listed = new Map(
    lines(text).flatMap((line): [string, string][] => {
      const found = /^\/var\/lib\/dpkg\/info\/([^/:]+)(?::[^/]+)?\.list:(\/.*)$/.exec(line)
      return found?.[1] === undefined || found[2] === undefined ? [] : [[found[2], found[1]]]
    }),
  )
  return (path) => {
    if (manager !== undefined) return listed.get(path) ?? listed.get(otherName(path)) ?? null
    const name = direct.get(path)
    return name === undefined ? undefined : name === '' ? null : name
  }
}
