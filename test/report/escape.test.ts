import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeJson, escapeLine, escapeText } from '../../src/report/escape.ts'

describe('escapeText shows what would be obeyed', () => {
  test.each([
    ['plain text stays', 'h1: größer → 5 µs', 'h1: größer → 5 µs'],
    ['colours', '\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
    ['C1 control sequence introducer', '\u009b31m', '\\x9b31m'],
    ['a line break cannot fake a line', 'ok\nh2: ok', 'ok\\nh2: ok'],
    ['carriage return, tab, bell, NUL', '\r\t\u0007\0', '\\r\\t\\x07\\x00'],
    ['bidirectional override', 'a\u202eb', 'a\\u202eb'],
    ['isolates and marks', '\u2066\u2069\u200f\u061c', '\\u2066\\u2069\\u200f\\u061c'],
    ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
    ['zero width and byte order mark', 'a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
    ['tag characters beyond the basic plane', '\u{e0041}', '\\u{e0041}'],
    ['a lone surrogate', '\ud800', '\\ud800'],
    ['an astral letter stays', '𝄞', '𝄞'],
  ])('%s', (_name, raw, shown) => {
    expect(escapeText(raw)).toBe(shown)
  })

  test('nothing unprintable is left of any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(escapeText(text)),
      ),
    )
  })
})

describe('escapeLine breaks CI workflow commands', () => {
  test.each([
    ['GitHub', '::set-env name=PATH::/tmp', ':\\:set-env name=PATH::/tmp'],
    ['GitHub after blanks', '   ::error::x', '   :\\:error::x'],
    ['GitHub, old form, anywhere', 'x ##[set-env name=A]b', 'x #\\#[set-env name=A]b'],
    ['Azure Pipelines, anywhere', 'x ##vso[task.setvariable]y', 'x #\\#vso[task.setvariable]y'],
    ['TeamCity', "##teamcity[message text='x']", "#\\#teamcity[message text='x']"],
    ['colons within a line stay', 'address ::1 of h1', 'address ::1 of h1'],
    ['headings stay', '## Heading', '## Heading'],
  ])('%s', (_name, raw, shown) => {
    expect(escapeLine(raw)).toBe(shown)
  })
})

describe('escapeJson', () => {
  test('means the same as before, for any text', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (value) => {
        expect(JSON.parse(escapeJson(JSON.stringify(value)))).toEqual(value)
      }),
    )
  })

  test('holds no command and nothing unprintable but its own line breaks', () => {
    const json = escapeJson(JSON.stringify({ a: '##vso[x]\u202e\u{e0041}\u009b' }, undefined, 2))
    expect(json).toBe('{\n  "a": "\\u0023#vso[x]\\u202e\\udb40\\udc41\\u009b"\n}')
  })
})
