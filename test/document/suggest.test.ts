import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, nearest, suggestion } from '../../src/document/suggest.ts'

describe('near misses', () => {
  const known = ['copy', 'template', 'directory', 'group', 'user', 'unit']
  test.each([
    ['copyy', 'copy'],
    ['tempalte', 'template'],
    ['Directory', 'directory'],
    ['gruop', 'group'],
    ['uint', 'unit'],
    ['systemd', undefined],
    ['x', undefined],
    ['', undefined],
    ['x'.repeat(5000), undefined],
  ])('%s', (word, expected) => {
    expect(nearest(word, known)).toBe(expected)
  })

  test('without a near miss a short list is shown', () => {
    expect(suggestion('zzz', ['b', 'aaaaaa'])).toBe('known here: aaaaaa, b')
    expect(suggestion('zzz', [])).toBe(undefined)
  })
})

describe('distance', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
  test('is 0 of a word to itself, and the same both ways', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, a, 9)).toBe(0)
        expect(editDistance(a, b, 9)).toBe(editDistance(b, a, 9))
        expect(editDistance(a, b, 9) === 0).toBe(a === b)
      }),
    )
  })
  test('a limit changes only what lies above it', () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 5 }), (a, b, limit) => {
        expect(editDistance(a, b, limit)).toBe(Math.min(editDistance(a, b, 20), limit + 1))
      }),
    )
  })
})
