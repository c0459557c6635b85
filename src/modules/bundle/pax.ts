import { readText, unsafe } from './header.ts'

/**
 * The records of a pax extended header, `LENGTH KEY=VALUE\n` each. Only a path may be given there: sizes
 * and sparse maps would describe other bytes than the header does.
 *
 * @returns the path, where one is given
 */
export function paxPath(bytes: Uint8Array, source: string): string | undefined {
  let path: string | undefined
  for (const [key, value] of paxRecords(bytes, source)) {
    if (key === 'path') path = value
    else if (key === 'size' || key === 'linkpath' || key.startsWith('GNU.sparse.')) {
      throw unsafe(source, `expected plain members, found one with the extended attribute ${key}`)
    }
  }
  return path
}

/** A global header speaks of all members after it; only comments and times are harmless. */
export function checkGlobal(bytes: Uint8Array, source: string): void {
  for (const [key] of paxRecords(bytes, source)) {
    if (key === 'path' || key === 'size' || key === 'linkpath' || key.startsWith('GNU.sparse.')) {
      throw unsafe(source, `expected a global header without ${key}, found one with it`)
    }
  }
}

function* paxRecords(bytes: Uint8Array, source: string): Generator<readonly [key: string, value: string]> {
  let rest = bytes
  while (rest.length > 0) {
    const blank = rest.indexOf(0x20)
    const digits = blank > 0 && blank < 9 ? Buffer.from(rest.subarray(0, blank)).toString('latin1') : ''
    const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0
    const record = rest.subarray(blank + 1, length - 1)
    const equals = record.indexOf(0x3d)
    if (length <= blank + 1 || length > rest.length || rest[length - 1] !== 0x0a || equals < 1) {
      throw unsafe(source, 'expected a well-formed extended header, found a damaged one')
    }
    yield [readText(record.subarray(0, equals), source), readText(record.subarray(equals + 1), source)]
    rest = rest.subarray(length)
  }
}
