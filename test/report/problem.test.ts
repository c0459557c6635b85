import { describe, expect, test } from 'vitest'
import { KmsfleetError, KmsfleetErrors } from '../../src/errors/error.ts'
import { thrownLines } from '../../src/report/problem.ts'
import { text, textOf } from './fixtures.ts'

const place = { file: 'play.yml', line: 2, column: 5 }

describe('what was thrown, for a person', () => {
  test('a known error: code, line, place, hint; no stack', () => {
    const error = new KmsfleetError('document.unknown-key', 'expected a known key, found `mdoe`', {
      place,
      hint: 'did you mean `mode`?',
      cause: new Error('inner'),
    })
    expect(textOf(thrownLines(error, false))).toBe(
      text`
      error[document.unknown-key]: expected a known key, found \`mdoe\`
        at play.yml:2:5
        hint: did you mean \`mode\`?
    `,
    )
  })

  test('its cause under -v', () => {
    const error = new KmsfleetError('run.usage', 'no', { cause: new Error('inner') })
    expect(textOf(thrownLines(error, false))).toBe('error[run.usage]: no\n')
    expect(textOf(thrownLines(error, true))).toMatch(
      /^error\[run\.usage\]: no\n {2}cause: Error: inner\n {4} +at /,
    )
  })

  test('several errors, each with its own lines', () => {
    const errors = new KmsfleetErrors([
      new KmsfleetError('run.usage', 'one', { place }),
      new KmsfleetError('run.usage', 'two'),
    ])
    expect(textOf(thrownLines(errors, false))).toBe(text`
      error[run.usage]: one
        at play.yml:2:5
      error[run.usage]: two
    `)
  })

  test.each([
    ['an Error', new TypeError('x is not a function'), /TypeError: x is not a function\n +at /],
    ['something else', { code: 7 }, /\{ code: 7 \}/],
  ])('a bug always with its stack and a request: %s', (_name, thrown, stack) => {
    const shown = textOf(thrownLines(thrown, false))
    expect(shown).toMatch(/^internal error: .*Please report this text:\n/)
    expect(shown).toMatch(stack)
  })
})
