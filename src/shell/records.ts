import { KmsfleetError } from '../errors/error.ts'
import type { ChangeReport } from '../model/wire.ts'

/**
 * The record stream of one frame: fields ended by NUL. A field equal to `@NONCE` is a mark; the field after it says
 * what follows:
 *
 *     @NONCE doing ID
 *     @NONCE done ID STATUS OUTPUT          STATUS and OUTPUT are empty where there is none
 *     @NONCE stopped ID
 *     @NONCE conflict ID DETAIL
 *     @NONCE failed ID STEP DETAIL
 *     @NONCE probe FIELD...                 all fields up to the next mark
 *     @NONCE end STATUS                     exactly once, last
 *
 * The nonce is only ever in the shell's standard input, so no other program of the host can make a mark.
 */
export type WireRecord =
  | { readonly is: 'report'; readonly report: ChangeReport }
  | { readonly is: 'probe'; readonly fields: readonly string[] }
  | { readonly is: 'end'; readonly status: number }

/** Takes the bytes of one frame's answer as they come; gives the records that are complete. */
export interface RecordDecoder {
  /** Throws KmsfleetError `host.protocol` for any bytes that are not such a stream, and beyond `limit` bytes. */
  push(bytes: Uint8Array): readonly WireRecord[]
  /** True after the end record: nothing may follow. */
  readonly ended: boolean
}

const reportArity: ReadonlyMap<string, number> = new Map([
  ['doing', 1],
  ['done', 3],
  ['stopped', 1],
  ['conflict', 2],
  ['failed', 3],
])

const shownLength = 80

function protocolError(expected: string, found: string): KmsfleetError {
  const shown = found.length > shownLength ? `${found.slice(0, shownLength)}…` : found
  return new KmsfleetError('host.protocol', `expected ${expected}, found ${JSON.stringify(shown)}`, {
    hint: 'something on the host writes into the output of its own shell, or the host is hostile',
  })
}

/** Decimal digits to a number; anything else is a protocol error. */
export function wireNumber(text: string | undefined, what: string): number {
  const number = text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
  if (number === undefined) throw protocolError(`a decimal number as ${what}`, text ?? '')
  return number
}

function toReport(says: string, fields: readonly string[]): ChangeReport {
  const change = wireNumber(fields[0], 'the id of a change')
  const [, second = '', third = ''] = fields
  switch (says) {
    case 'doing':
    case 'stopped':
      return { change, says }
    case 'done':
      return {
        change,
        says,
        ...(second === '' ? {} : { status: wireNumber(second, 'an exit status') }),
        ...(third === '' ? {} : { output: third }),
      }
    case 'conflict':
      return { change, says, detail: second }
    case 'failed':
      return { change, says, step: second, detail: third }
    default:
      throw protocolError('a record', says)
  }
}

/** Bytes to NUL-terminated fields. Text that is not UTF-8 gets replacement characters. */
function fieldSplitter(): (bytes: Uint8Array) => string[] {
  let rest: Buffer[] = []
  return (bytes) => {
    const fields: string[] = []
    let buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let nul = buffer.indexOf(0); nul !== -1; nul = buffer.indexOf(0)) {
      const piece = buffer.subarray(0, nul)
      fields.push((rest.length === 0 ? piece : Buffer.concat([...rest, piece])).toString('utf8'))
      rest = []
      buffer = buffer.subarray(nul + 1)
    }
    if (buffer.length > 0) rest.push(buffer)
    return fields
  }
}

export function recordDecoder(nonce: string, limit: number): RecordDecoder {
  const mark = `@${nonce}`
  const split = fieldSplitter()
  let received = 0
  let ended = false
  /** What the fields belong to: undefined where only a mark may come. */
  let open: { readonly word: string; readonly fields: string[] } | 'word' | undefined

  function take(field: string): WireRecord | undefined {
    if (ended) throw protocolError('nothing after the end mark', field)
    if (field === mark) {
      const before = open
      if (before === 'word' || (before !== undefined && before.word !== 'probe')) {
        throw protocolError('the fields of a record', 'a mark')
      }
      open = 'word'
      return before && { is: 'probe', fields: before.fields }
    }
    if (open === undefined) throw protocolError('the mark of a record', field)
    if (open === 'word') {
      if (field !== 'probe' && field !== 'end' && !reportArity.has(field))
        throw protocolError('a record', field)
      open = { word: field, fields: [] }
      return undefined
    }
    open.fields.push(field)
    const { word, fields } = open
    if (word === 'end') {
      ended = true
      return { is: 'end', status: wireNumber(field, 'the status of the frame') }
    }
    if (fields.length !== reportArity.get(word)) return undefined
    open = undefined
    return { is: 'report', report: toReport(word, fields) }
  }

  return {
    get ended() {
      return ended
    },
    push(bytes) {
      received += bytes.length
      if (received > limit) {
        throw protocolError(`at most ${String(limit)} bytes of output`, `${String(received)} bytes`)
      }
      const records = split(bytes)
        .map(take)
        .filter((record) => record !== undefined)
      if (ended && bytes.length > 0 && bytes[bytes.length - 1] !== 0)
        throw protocolError('nothing after the end mark', 'more bytes')
      return records
    },
  }
}
