/** Where kmsfleet keeps its own state on a host, and how it asks `stat`. Shared by the read and the write side. */

/** Root-only (0700) folder on a file system that a boot empties. */
export const runFolder = '/run/kmsfleet'

/** One empty file for each handler that an unfinished run still owes. */
export const owedFolder = `${runFolder}/owed`

/**
 * One file for each unit that we started, named as the unit. First line: its InvocationID; then one line
 * `SHA256 PATH` for each file that this start was made with.
 */
export const startedFolder = `${runFolder}/started`

/** Taken by a writer before its first change. */
export const lockPath = `${runFolder}/lock`

/** A writer that finds it starts no further change. */
export const stopFile = `${runFolder}/stop`

/**
 * What a probe asks of `stat -c` about a path, without its name. GNU and busybox print the same. The raw row is the
 * token of everything but directories; `%z` is the change time with its sub-second part as text.
 */
export const statFormat = '%f %u %g %h %d %i %s %Y %z'

/**
 * Token of a directory: what our own changes inside it leave alone (link count, size and times do not qualify).
 * The prelude's `kf_token` makes the same cut on the host.
 */
export function directoryToken(row: string): string {
  const [mode, uid, gid, , device, inode] = row.split(' ')
  return [mode, uid, gid, device, inode].join(' ')
}
