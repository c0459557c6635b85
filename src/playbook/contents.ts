import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { readRegularFile, showFailure } from '../document/read.ts'
import { KmsfleetError } from '../errors/error.ts'
import { Digest } from '../model/secret.ts'
import type { Payload } from '../model/payload.ts'

/** Bytes of one file of a role or play at most. */
const fileLimit = 64 * 1024 * 1024
/** Bytes of a template at most. */
const templateLimit = 1024 * 1024
/** Bytes of a release tarball at most. */
const localFileLimit = 512 * 1024 * 1024

/** `files/` and `templates/` of one role or play. Everything is read once per process. */
export interface ContentFolder {
  /** A file of `files/`, or of the folder itself. */
  file(src: string): Payload
  /** A file of `templates/`, or of the folder itself, as UTF-8 text, and where it was found. */
  templateText(src: string): { readonly text: string; readonly file: string }
}

const folders = new Map<string, ContentFolder>()
const localFiles = new Map<string, Uint8Array>()

/**
 * Opens a role's or playbook's folder. Whatever a task names stays, after links are followed, inside that
 * folder: a downloaded role must not send `~/.ssh` to hosts.
 */
export function openFolder(folder: string): ContentFolder {
  const path = resolve(folder)
  const known = folders.get(path)
  if (known !== undefined) return known
  const files = new Map<string, Payload>()
  const templates = new Map<string, { readonly text: string; readonly file: string }>()
  const opened: ContentFolder = {
    file: (src) =>
      remember(files, src, () => {
        const bytes = readInside(path, 'files', src, fileLimit).bytes
        return { digest: Digest.of(bytes), bytes, secret: false }
      }),
    templateText: (src) =>
      remember(templates, src, () => {
        const { bytes, file } = readInside(path, 'templates', src, templateLimit)
        return { text: decode(bytes, file), file }
      }),
  }
  folders.set(path, opened)
  return opened
}

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const before = known.get(key)
  if (before !== undefined) return before
  const made = make()
  known.set(key, made)
  return made
}

/** Bytes of any file of the workstation that the operator's own variables name; `~/` is the operator's home. */
export function localFile(path: string): Uint8Array {
  const absolute = path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(path)
  return remember(localFiles, absolute, () => {
    const read = readRegularFile(absolute, localFileLimit)
    if (read.is === 'read') return read.bytes
    const message = `expected a readable file ${absolute}, ${showFailure(read, localFileLimit)}`
    throw new KmsfleetError('playbook.source', message)
  })
}

function readInside(
  folder: string,
  kind: 'files' | 'templates',
  src: string,
  limit: number,
): { readonly bytes: Uint8Array; readonly file: string } {
  if (isAbsolute(src) || src.startsWith('~') || src.includes('\0')) {
    throw new KmsfleetError('playbook.source', `expected a path inside ${folder}, found \`${src}\``, {
      hint: `put the file into ${join(folder, kind)}`,
    })
  }
  const candidates = [join(folder, kind, src), join(folder, src)]
  const found = candidates.map((path) => realPath(path)).find((path) => path !== undefined)
  if (found === undefined) {
    throw new KmsfleetError(
      'playbook.source',
      `expected a file \`${src}\` in ${join(folder, kind)}, found none`,
    )
  }
  const inside = relative(realPath(folder) ?? folder, found)
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new KmsfleetError(
      'playbook.source',
      `expected a file inside ${folder}, found that \`${src}\` leads to ${found}`,
      {
        hint: 'links that leave the role or play are not followed',
      },
    )
  }
  const read = readRegularFile(found, limit)
  if (read.is === 'read') return { bytes: read.bytes, file: found }
  throw new KmsfleetError('playbook.source', `expected a readable file ${found}, ${showFailure(read, limit)}`)
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new KmsfleetError('playbook.source', `expected a template in UTF-8, found other bytes in ${file}`)
  }
}
