import type { Lab, LabHost } from '../lab/lab.ts'

/** Path to what `lstat` says of it, access times left out. */
export type Listing = ReadonlyMap<string, string>

/**
 * What a running host writes by itself: systemd's state and journals, logins, what time makes of caches. `/run/kmsfleet`
 * is not among it: it must stay as it is too.
 */
const noise = [
  '/run/systemd',
  '/run/log',
  '/run/udev',
  '/run/user',
  '/run/utmp',
  '/run/sudo',
  '/run/dbus',
  '/run/mount',
  '/var/log',
  '/var/lib/systemd',
  '/var/lib/sudo',
] as const

/** Everything below the folders that a run could write to, with inode, ctime, mtime, mode, owner, size and target. */
export function listing(lab: Lab, host: LabHost): Promise<Listing> {
  const folders = ['/etc', '/usr', '/var', '/run', '/srv', '/opt', '/root', '/home']
  return readListing(folders, (find) => lab.exec(host, find))
}

/** The same by a `find` that runs where `exec` has it run; relative folders start there. */
export async function readListing(
  folders: readonly string[],
  exec: (find: string) => Promise<string>,
): Promise<Listing> {
  const prune = noise.map((path) => `-path ${path} -o -path ${path.slice(1)}`).join(' -o ')
  const text = await exec(
    `find ${folders.join(' ')} \\( ${prune} \\) -prune -o -printf '%p\\t%y %i %C@ %T@ %m %U:%G %n %s %l\\n'`,
  )
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const tab = line.indexOf('\t')
        return [line.slice(0, tab), line.slice(tab + 1)] as const
      }),
  )
}

/** Paths that came, went or changed in any way, in order. A directory in which something was made changed itself. */
export function touched(before: Listing, after: Listing): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()])
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort()
}
