import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compressNames, hostList } from '../../src/report/names.ts'

describe('compressNames', () => {
  test.each([
    ['one', ['h1'], 'h1'],
    ['two are not worth a range', ['h1', 'h2'], 'h1, h2'],
    ['a run', ['h1', 'h2', 'h3'], 'h1–h3'],
    ['any order', ['h10', 'h9', 'h11', 'h8'], 'h8–h11'],
    ['two runs and a rest', ['h1', 'h2', 'h3', 'h5', 'h7', 'h8', 'h9'], 'h1–h3, h5, h7–h9'],
    ['padded', ['cp-08', 'cp-09', 'cp-10', 'cp-11'], 'cp-08–cp-11'],
    ['a width that jumps ends the run', ['cp-098', 'cp-099', 'cp-0100'], 'cp-098, cp-099, cp-0100'],
    ['a domain behind', ['n1.a.example', 'n2.a.example', 'n3.a.example'], 'n1.a.example–n3.a.example'],
    ['two domains', ['n1.a', 'n2.a', 'n3.b', 'n4.b'], 'n1.a, n2.a, n3.b, n4.b'],
    ['addresses', ['10.0.0.9', '10.0.0.10', '10.0.0.11'], '10.0.0.9–10.0.0.11'],
    ['the counting number may not change within a run', ['a1b1', 'a1b2', 'a1b3', 'a2b3'], 'a1b1–a1b3, a2b3'],
    ['no numbers', ['east', 'west', 'north'], 'east, north, west'],
    [
      'numbers beyond 2^53',
      ['h9007199254740993', 'h9007199254740994', 'h9007199254740995'],
      'h9007199254740993–h9007199254740995',
    ],
  ])('%s', (_name, names, shown) => {
    expect(compressNames(names)).toBe(shown)
  })

  test('a range stands for its names and no others', () => {
    const expand = (part: string): string[] => {
      const [first = '', last] = part.split('–')
      if (last === undefined) return [first]
      const [from, to] = [Number(first.slice(1)), Number(last.slice(1))]
      return Array.from({ length: to - from + 1 }, (_, index) => `h${String(from + index)}`)
    }
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(300), { minLength: 1 }), (numbers) => {
        const names = numbers.map((number) => `h${String(number)}`)
        const expanded = compressNames(names).split(', ').flatMap(expand)
        expect(expanded.sort()).toEqual([...names].sort())
      }),
    )
  })
})

test('hostList counts where there are three or more', () => {
  expect(hostList(['h1'])).toBe('h1')
  expect(hostList(['h1', 'h3'])).toBe('h1, h3')
  expect(hostList(['h1', 'h2', 'h3'])).toBe('h1–h3 (3 hosts)')
})
