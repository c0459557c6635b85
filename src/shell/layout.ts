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

/**
 * One file for each unit with a path a line: files of which the version of before stands in a folder
 * `.kmsfleet-kept` beside them, until the unit was seen ready with the new one.
 */
export const keptFolder = `${runFolder}/kept`

/** A writer that finds it starts no further change. */
export const stopFile = `${runFolder}/stop`

/**
 * Token of a directory, cut from its row in the format `kf_format` of the read prelude: what our own changes inside it leave alone (link count, size and times do not qualify).
 * The prelude's `kf_token` makes the same cut on the host.
 */
export function directoryToken(row: string): string {
  const [mode, uid, gid, , device, inode] = row.split(' ')
  return [mode, uid, gid, device, inode].join(' ')
}
