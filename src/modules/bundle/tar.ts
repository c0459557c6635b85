import { gunzipSync } from 'node:zlib'
import { blockSize, readHeader, readText, unsafe } from './header.ts'
import { limits } from './limits.ts'
import { checkGlobal, paxPath } from './pax.ts'

/** A regular file of an archive. */
export interface TarMember {
  /** Path below the single top folder, such as `bin/provider`. */
  readonly name: string
  /** A view of the archive's buffer. */
  readonly bytes: Uint8Array
}

const refusedTypes: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a FIFO',
  S: 'a sparse file',
}

/**
 * Reads a gzipped tar archive (ustar, pax or GNU). Every header is judged before any member is given out:
 * an archive with one unsafe entry is refused whole.
 *
 * @param source path of the archive, for messages
 */
export function readTarball(compressed: Uint8Array, source: string): readonly TarMember[] {
  const archive = expand(compressed, source)
  const seen = new Set<string>()
  const tops = new Set<string>()
  const members: TarMember[] = []
  for (const entry of entries(archive, source)) {
    const isFolder = entry.type === '5'
    const name = safeName(entry.name, isFolder, source)
    if (name === '') continue
    if (seen.has(name)) throw unsafe(source, `expected each name once, found ${name} twice`)
    seen.add(name)
    const [top = '', ...rest] = name.split('/')
    tops.add(top)
    if (tops.size > 1) throw unsafe(source, `expected one top folder, found ${[...tops].join(' and ')}`)
    if (isFolder) continue
    if (rest.length === 0) throw unsafe(source, `expected files below one top folder, found ${name} outside`)
    members.push({ name: rest.join('/'), bytes: entry.bytes })
  }
  return members
}

function expand(compressed: Uint8Array, source: string): Uint8Array {
  if (compressed.length > limits.compressed) {
    throw unsafe(
      source,
      `expected at most ${String(limits.compressed)} bytes, found ${String(compressed.length)}`,
    )
  }
  try {
    return gunzipSync(compressed, { maxOutputLength: limits.expanded })
  } catch (error) {
    const isTooLarge = error instanceof RangeError
    throw unsafe(
      source,
      isTooLarge
        ? `expected at most ${String(limits.expanded)} bytes when decompressed, found more`
        : 'expected a gzipped tar archive, found bytes that are not gzip or are cut short',
    )
  }
}

interface Entry {
  readonly name: string
  readonly type: '0' | '5'
  readonly bytes: Uint8Array
}

/** Regular files and folders in order, with the names that extended headers give them. */
function* entries(archive: Uint8Array, source: string): Generator<Entry> {
  let longName: string | undefined
  let count = 0
  for (const { name, type, bytes } of blocks(archive, source)) {
    count += 1
    if (count > limits.entries)
      throw unsafe(source, `expected at most ${String(limits.entries)} entries, found more`)
    if (type === 'g') {
      checkGlobal(bounded(bytes, source), source)
    } else if (type === 'x') {
      longName = paxPath(bounded(bytes, source), source) ?? longName
    } else if (type === 'L') {
      longName = readText(bounded(bytes, source), source).replace(/\0+$/, '')
    } else if (type === '0' || type === '5') {
      yield { name: longName ?? name, type, bytes }
      longName = undefined
    } else {
      const found = refusedTypes[type] ?? `an entry of type ${JSON.stringify(type)}`
      throw unsafe(source, `expected files and folders only, found ${found} named ${longName ?? name}`)
    }
  }
}

interface Block {
  readonly name: string
  readonly type: string
  readonly bytes: Uint8Array
}

function* blocks(archive: Uint8Array, source: string): Generator<Block> {
  let offset = 0
  for (;;) {
    const header = archive.subarray(offset, offset + blockSize)
    if (header.length < blockSize)
      throw unsafe(source, 'expected two empty blocks at the end, found it cut short')
    offset += blockSize
    if (header.every((byte) => byte === 0)) break
    const { name, size, type } = readHeader(header, source)
    if (size > limits.member) {
      throw unsafe(
        source,
        `expected members of at most ${String(limits.member)} bytes, found ${name} with ${String(size)}`,
      )
    }
    const bytes = archive.subarray(offset, offset + size)
    if (bytes.length < size)
      throw unsafe(source, `expected ${String(size)} bytes of ${name}, found it cut short`)
    yield { name, type, bytes }
    offset += Math.ceil(size / blockSize) * blockSize
  }
  // A second archive behind the first is read by some programs and not by others.
  if (!archive.subarray(offset).every((byte) => byte === 0)) {
    throw unsafe(source, 'expected nothing behind the end of the archive, found more')
  }
}

function bounded(bytes: Uint8Array, source: string): Uint8Array {
  if (bytes.length > limits.name) {
    throw unsafe(
      source,
      `expected extended headers of at most ${String(limits.name)} bytes, found a larger one`,
    )
  }
  return bytes
}

/** The name in normal form, empty for the archive's own root. Throws where it could lead outside. */
function safeName(raw: string, isFolder: boolean, source: string): string {
  const name = (isFolder ? raw.replace(/\/$/, '') : raw).replace(/^(\.\/)+/, '')
  if (isFolder && (name === '' || name === '.')) return ''

  const hasControl = /[\u0000-\u001f\u007f]/.test(name)
  const parts = name.split('/')
  if (hasControl || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw unsafe(source, `expected relative names without \`..\`, found ${JSON.stringify(raw)}`)
  }
  return name
}
