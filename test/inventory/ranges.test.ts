import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expandRange } from '../../src/inventory/ranges.ts'
import { problemsOf } from '../document/problems.ts'

describe('what a written name stands for', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['h1', ['h1']],
    ['h[1:3]', ['h1', 'h2', 'h3']],
    ['h[9:11].example', ['h9.example', 'h10.example', 'h11.example']],
    ['h[01:03]', ['h01', 'h02', 'h03']],
    ['h[08:11]', ['h08', 'h09', 'h10', 'h11']],
    ['h[1:9:4]', ['h1', 'h5', 'h9']],
    ['h[1:8:4]', ['h1', 'h5']],
    ['h[a:c]', ['ha', 'hb', 'hc']],
    ['h[A:E:2]', ['hA', 'hC', 'hE']],
    ['h[0:0]', ['h0']],
    ['r[1:2]-h[a:b]', ['r1-ha', 'r1-hb', 'r2-ha', 'r2-hb']],
    ['fe80::1', ['fe80::1']],
  ]
  test.each(cases)('%s', (written, expected) => {
    expect(expandRange(written)).toEqual(expected)
  })
})

describe('ranges that are refused', () => {
  test.each([
    ['h[1:60', undefined],
    ['h[3:1]', 'a range that ends after its start for `h[3:1]`, found one that ends before it'],
    ['h[1:3:0]', 'a stride of at least 1'],
    ['h[01:100]', 'both ends of a padded range equally long for `h[01:100]`, found 01 and 100'],
    ['h[1:050]', 'both ends of a padded range equally long'],
    ['h[a:F]', 'a range such as'],
    ['h[]', 'a range such as'],
    ['h[:5]', 'a range such as'],
    ['h[1]', 'a range such as'],
    ['[fe80::1]', 'a host range for `[fe80::1]`, found an IPv6 address in brackets'],
    ['[2001:db8::7]', 'found an IPv6 address in brackets'],
    ['h[1:999999999]', 'at most 10000 hosts'],
    ['h[1:200][1:200]', 'at most 10000 hosts'],
  ])('%s', (written, expected) => {
    const problems = problemsOf(() => expandRange(written))
    if (expected === undefined) expect(problems).toEqual([])
    else expect(problems[0]).toContain(expected)
  })
})

describe('laws', () => {
  const range = fc.record({
    from: fc.integer({ min: 0, max: 5000 }),
    length: fc.integer({ min: 0, max: 300 }),
    stride: fc.integer({ min: 1, max: 50 }),
    padded: fc.boolean(),
  })
  test('a range has all its numbers, in order, each once, both ends in reach', () => {
    fc.assert(
      fc.property(range, ({ from, length, stride, padded }) => {
        const to = from + length
        const width = padded ? String(to).length + 1 : 0
        const show = (number: number): string => String(number).padStart(width, '0')
        const names = expandRange(`h[${show(from)}:${show(to)}:${String(stride)}]x`)
        const expected = []
        for (let number = from; number <= to; number += stride) expected.push(`h${show(number)}x`)
        expect(names).toEqual(expected)
        if (padded) expect(new Set(names.map((name) => name.length)).size).toBe(1)
      }),
    )
  })
  test('two ranges multiply', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (a, b) => {
        const names = expandRange(`r[1:${String(a)}]h[1:${String(b)}]`)
        expect(new Set(names).size).toBe(a * b)
      }),
    )
  })
})
