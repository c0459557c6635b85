import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KmsfleetError } from '../../src/errors/error.ts'
import { recordDecoder } from '../../src/shell/records.ts'
import type { WireRecord } from '../../src/shell/records.ts'

const nonce = 'n0nce'
const bytesOf = (fields: readonly string[]): Buffer =>
  Buffer.from(fields.map((field) => `${field}\0`).join(''))

const text = fc.string({ unit: 'grapheme' }).map((each) => each.replaceAll('\0', ''))
const id = fc.nat({ max: 999 })
const report = fc.oneof(
  id.map((change) => ({ fields: ['doing', String(change)], says: { change, says: 'doing' } })),
  id.map((change) => ({ fields: ['stopped', String(change)], says: { change, says: 'stopped' } })),
  fc.tuple(id, text).map(([change, detail]) => ({
    fields: ['conflict', String(change), detail],
    says: { change, says: 'conflict', detail },
  })),
  fc.tuple(id, text, text).map(([change, step, detail]) => ({
    fields: ['failed', String(change), step, detail],
    says: { change, says: 'failed', step, detail },
  })),
  fc.tuple(id, fc.option(fc.nat({ max: 255 })), text).map(([change, status, output]) => ({
    fields: ['done', String(change), status === null ? '' : String(status), output],
    says: {
      change,
      says: 'done',
      ...(status === null ? {} : { status }),
      ...(output === '' ? {} : { output }),
    },
  })),
)

/** Pushes `bytes` in pieces cut at `cuts`. */
function decode(bytes: Buffer, cuts: readonly number[]): readonly WireRecord[] {
  const decoder = recordDecoder(nonce, 1_000_000)
  const points = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const records = points
    .slice(1)
    .flatMap((point, index) => decoder.push(bytes.subarray(points[index], point)))
  expect(decoder.ended).toBe(true)
  return records
}

it('gives every stream back, however it is cut into chunks', () => {
  fc.assert(
    fc.property(fc.array(report), fc.array(text), fc.array(fc.nat()), (reports, probe, cuts) => {
      const fields = [
        ...reports.flatMap((each) => [`@${nonce}`, ...each.fields]),
        ...[`@${nonce}`, 'probe', ...probe],
        ...[`@${nonce}`, 'end', '0'],
      ]
      expect(decode(bytesOf(fields), cuts)).toEqual([
        ...reports.map((each) => ({ is: 'report', report: each.says })),
        { is: 'probe', fields: probe },
        { is: 'end', status: 0 },
      ])
    }),
  )
})

it('answers any bytes with records or a typed error', () => {
  const word = fc.constantFrom(
    `@${nonce}`,
    'probe',
    'end',
    'done',
    'doing',
    'failed',
    '0',
    '1',
    '-1',
    '',
    'x',
  )
  const stream = fc.oneof(
    fc.array(word).map(bytesOf),
    fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
  )
  fc.assert(
    fc.property(stream, fc.nat({ max: 300 }), (bytes, limit) => {
      try {
        recordDecoder(nonce, limit).push(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(KmsfleetError)
        expect(error).toMatchObject({ code: 'host.protocol' })
      }
    }),
    { numRuns: 2000 },
  )
})

it.each([
  ['a mark with another nonce', ['@other', 'end', '0']],
  ['a field before the first mark', ['x', `@${nonce}`, 'end', '0']],
  ['a mark inside a report', [`@${nonce}`, 'failed', '1', `@${nonce}`, 'end', '0']],
  ['an unknown record', [`@${nonce}`, 'dance']],
  ['a report about no number', [`@${nonce}`, 'doing', '1e3']],
  ['a field after a report', [`@${nonce}`, 'doing', '1', 'x']],
  ['a field after the end', [`@${nonce}`, 'end', '0', 'x']],
])('refuses %s', (_, fields) => {
  expect(() => recordDecoder(nonce, 1000).push(bytesOf(fields))).toThrow(KmsfleetError)
})

it('refuses bytes after the end mark that are no whole field', () => {
  const bytes = Buffer.concat([bytesOf([`@${nonce}`, 'end', '0']), Buffer.from('x')])
  expect(() => recordDecoder(nonce, 1000).push(bytes)).toThrow('nothing after the end mark')
})

it('refuses more than the limit, even without any NUL', () => {
  const decoder = recordDecoder(nonce, 100)
  decoder.push(Buffer.alloc(100, 'x'))
  expect(() => decoder.push(Buffer.from('x'))).toThrow('at most 100 bytes')
})
