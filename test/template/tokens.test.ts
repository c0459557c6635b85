import { expect, test } from 'vitest'
import { tokenize } from '../../src/template/tokens.ts'

test('a string that does not end is left to the engine, without a look at the rest of the text', () => {
  expect(tokenize(' "a', 0, '}}')).toBeUndefined()
  expect(tokenize('a == "b', 0, undefined)).toBeUndefined()
  expect(tokenize(`${'"\\'.repeat(500_000)} }}`, 0, '}}')).toBeUndefined()
})

test.each([
  [' a.0.1 }}', ['a', '.', '0', '.', '1']],
  [' "}}" ~ \'%}\' }}', ['"}}"', '~', "'%}'"]],
  [' "a\\"b" -}}', ['"a\\"b"']],
  [' {"a": [1, 2.5]} }}', ['{', '"a"', ':', '[', '1', ',', '2.5', ']', '}']],
])('%s', (source, texts) => {
  expect(tokenize(source, 0, '}}')?.tokens.map(({ text }) => text)).toEqual(texts)
})
