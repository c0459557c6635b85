import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KmsfleetError } from '../../src/errors/error.ts'
import { quote } from '../../src/shell/quote.ts'
import { shells } from './local-shell.ts'

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  fc.string({
    unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', '!', '-', '%', '*', '~', ';', 'ä', '\t'),
  }),
)

describe.each(shells)('$name', ({ sh }) => {
  it('gives every text back as one word', () => {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 20 }), (texts) => {
        const script = `for x in ${texts.map(quote).join(' ')}; do printf '%s\\0' "$x"; done`
        const printed = execFileSync(sh, ['-c', script], {
          encoding: 'utf8',
          env: { PATH: '/usr/bin', LC_ALL: 'C' },
        })
        expect(printed.split('\0').slice(0, -1)).toEqual(texts.map((text) => Buffer.from(text).toString()))
      }),
      { numRuns: 40 },
    )
  })
})

it('refuses NUL', () => {
  expect(() => quote('a\0b')).toThrow(KmsfleetError)
})
