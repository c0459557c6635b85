import { KmsfleetError } from '../../errors/error.ts'
import { limits } from './limits.ts'

export const blockSize = 512

/** One header block of a tar archive. */
export interface Header {
  readonly name: string
  readonly size: number
  /** `typeflag`, with NUL (old tar's regular file) as `0`. */
  readonly type: string
}

/** What is wrong with an archive; always names the archive. */
export function unsafe(source: string, message: string): KmsfleetError {
  return new KmsfleetError('bundle.archive', `${source}: ${message}`, {
    hint: 'Fetch the release again and compare it with its published checksum.',
  })
}

/** Reads a block as a ustar, GNU or old tar header; throws where its checksum or a number in it is wrong. */
export function readHeader(block: Uint8Array, source: string): Header {
  const sum = numberAt(block, 148, 8, source)
  if (sum !== checksum(block))
    throw unsafe(source, 'expected a tar header, found a block with another checksum')
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0)
  const name = textAt(block, 0, 100, source)
  // GNU tar keeps times where ustar has the prefix; its magic ends in a blank.
  const isUstar = textAt(block, 257, 6, source) === 'ustar'
  const prefix = isUstar ? textAt(block, 345, 155, source) : ''
  return { name: prefix === '' ? name : `${prefix}/${name}`, size: numberAt(block, 124, 12, source), type }
}

function checksum(block: Uint8Array): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0)
}

function numberAt(block: Uint8Array, offset: number, length: number, source: string): number {
  // A first byte above 127 announces a binary number, which only sizes of 8 GiB and more need.
  if ((block[offset] ?? 0) > 127) {
    throw unsafe(source, `expected members of at most ${String(limits.member)} bytes, found a larger one`)
  }
  const text = Buffer.from(block.subarray(offset, offset + length))
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart()
  if (text === '') return 0
  if (!/^[0-7]+$/.test(text))
    throw unsafe(source, 'expected an octal number in a tar header, found other bytes')
  return Number.parseInt(text, 8)
}

function textAt(block: Uint8Array, offset: number, length: number, source: string): string {
  const field = block.subarray(offset, offset + length)
  const end = field.indexOf(0)
  return readText(end === -1 ? field : field.subarray(0, end), source)
}

/** Bytes of a name as UTF-8. */
export function readText(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw unsafe(source, 'expected names in UTF-8, found other bytes')
  }
}
