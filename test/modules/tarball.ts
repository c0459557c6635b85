import { gzipSync } from 'node:zlib'

/** One header block with its data, as `tar` writes them. */
export interface RawEntry {
  readonly name: string
  readonly type?: string
  readonly data?: string
  /** Text of the size field, where it shall not be that of `data`. */
  readonly size?: string
  readonly prefix?: string
  /** What is added to the right checksum. */
  readonly sumOff?: number
}

export type Entry = readonly [name: string, data: string] | RawEntry

const block = 512

/** An archive in gzip; a pair is a regular file. */
export function tarball(entries: readonly Entry[], end: Buffer = Buffer.alloc(2 * block)): Buffer {
  return gzipSync(Buffer.concat([...entries.map(blocks), end]))
}

/** The records of a pax extended header. */
export function pax(records: Readonly<Record<string, string>>): string {
  return Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`
      const bytes = Buffer.byteLength(rest)
      const length = bytes + String(bytes + String(bytes).length).length
      return `${String(length)}${rest}`
    })
    .join('')
}

function blocks(entry: Entry): Buffer {
  const raw: RawEntry = 'name' in entry ? entry : { name: entry[0], data: entry[1] }
  const data = Buffer.from(raw.data ?? '')
  const padded = Buffer.alloc(Math.ceil(data.length / block) * block)
  data.copy(padded)
  return Buffer.concat([header(raw, data.length), padded])
}

function header({ name, type = '0', size, prefix = '', sumOff = 0 }: RawEntry, length: number): Buffer {
  const bytes = Buffer.alloc(block)
  bytes.write(name, 0, 100)
  bytes.write('0000644\0', 100)
  bytes.write(size ?? `${length.toString(8).padStart(11, '0')}\0`, 124, 12, 'latin1')
  bytes.write(type, 156, 1)
  bytes.write('ustar\x0000', 257)
  bytes.write(prefix, 345, 155)
  bytes.fill(' ', 148, 156)
  const sum = bytes.reduce((total, byte) => total + byte, 0) + sumOff
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return bytes
}
