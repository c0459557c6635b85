import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'

/** Why a file of the workstation could not be read, in words and as a system error name. */
export type ReadFailure =
  | { readonly is: 'missing' }
  | { readonly is: 'denied' }
  | { readonly is: 'not-regular' }
  | { readonly is: 'too-large'; readonly size: number }
  | { readonly is: 'failed'; readonly code: string }

export type ReadResult =
  { readonly is: 'read'; readonly bytes: Uint8Array; readonly stat: Stats } | ReadFailure

/** The `code` of a Node system error, such as `ENOENT`. */
export function systemErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN'
}

function failureOf(error: unknown): ReadFailure {
  const code = systemErrorCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return { is: 'missing' }
  if (code === 'EACCES' || code === 'EPERM') return { is: 'denied' }
  return { is: 'failed', code }
}

/**
 * Reads a regular file of at most `limit` bytes. `accept` sees the stat of the opened descriptor before
 * a byte is read. Opened without blocking, so that a FIFO in the way is refused instead of waited for.
 */
export function readRegularFile(path: string, limit: number, accept?: (stat: Stats) => void): ReadResult {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch (error) {
    return failureOf(error)
  }
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) return { is: 'not-regular' }
    accept?.(stat)
    if (stat.size > limit) return { is: 'too-large', size: stat.size }
    return readAll(descriptor, stat, limit)
  } finally {
    closeSync(descriptor)
  }
}

/** A file may grow while it is read: one byte more than was announced is asked for, and `limit` holds anyway. */
function readAll(descriptor: number, stat: Stats, limit: number): ReadResult {
  let buffer = new Uint8Array(stat.size + 1)
  let length = 0
  try {
    for (;;) {
      const got = readSync(descriptor, buffer, length, buffer.length - length, null)
      if (got === 0) return { is: 'read', bytes: buffer.slice(0, length), stat }
      length += got
      if (length > limit) return { is: 'too-large', size: length }
      if (length === buffer.length) {
        const larger = new Uint8Array(Math.min(buffer.length * 2, limit + 1))
        larger.set(buffer)
        buffer = larger
      }
    }
  } catch (error) {
    return failureOf(error)
  }
}

/** One clause for a message: `found …`. */
export function showFailure(failure: ReadFailure, limit: number): string {
  switch (failure.is) {
    case 'missing':
      return 'found nothing there'
    case 'denied':
      return 'found that reading it is not permitted'
    case 'not-regular':
      return 'found something that is not a regular file'
    case 'too-large':
      return `found ${String(failure.size)} bytes, more than the limit of ${String(limit)}`
    case 'failed':
      return `found the system error ${failure.code}`
  }
}

/** Is there a folder at the path, links followed? */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Is there a regular file at the path, links followed? */
export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}
