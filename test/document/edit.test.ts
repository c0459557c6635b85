import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { addItems, type Addition } from '../../src/document/edit.ts'

const list = ['a', 'list'] as const

test.each<[string, string, Addition, string]>([
  [
    'a block list',
    'a:\n  list:\n  - x # one\n# end\n',
    { list, item: 'y' },
    'a:\n  list:\n  - x # one\n  - "y"\n# end\n',
  ],
  ['no newline at the end', 'a:\n  list:\n    - x', { list, item: 1 }, 'a:\n  list:\n    - x\n    - 1\n'],
  ['a flow list', 'a: {list: [1, 2], b: 3} # end\n', { list, item: 3 }, 'a: {list: [1, 2, 3], b: 3} # end\n'],
  ['an empty flow list', 'a: {list: [ ]}\n', { list, item: 3 }, 'a: {list: [ 3]}\n'],
  ['no list', 'a:\n  b: 1\nc: 2\n', { list, item: 3 }, 'a:\n  b: 1\n  list:\n    - 3\nc: 2\n'],
  ['no list in flow', 'a: {b: 1}\n', { list, item: 3 }, 'a: {b: 1, "list":[3]}\n'],
  ['nothing on the way', 'b: 1\n', { list, item: 3 }, 'b: 1\na:\n  list:\n    - 3\n'],
  [
    'dictionaries in a list',
    'c:\n- name: x\n  list:\n  - p: |\n      text\n\n- name: y\n',
    { list: ['c', 0, 'list'], item: { p: 'q', r: { s: true } } },
    'c:\n- name: x\n  list:\n  - p: |\n      text\n  - p: "q"\n    r:\n      s: true\n\n- name: y\n',
  ],
])('an item is added to %s', (_, text, addition, wanted) => {
  expect(addItems(text, [addition])).toBe(wanted)
})

test.each([
  ['an alias', 'd: &x [1]\na:\n  list: *x\n'],
  ['a list that others share', 'a:\n  list: &x [1]\nd: *x\n'],
  ['an empty value', 'a:\n  list:\n'],
  ['a text', 'a:\n  list: text\n'],
  ['nothing', ''],
])('%s is left alone', (_, text) => {
  expect(addItems(text, [{ list, item: 2 }])).toBeUndefined()
})

test('whatever the text: nothing, or what was there and the item', () => {
  const value = fc.dictionary(
    fc.string(),
    fc.oneof(fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1 }), fc.string()),
    { noNullPrototype: true },
  )
  const style = fc.record({
    indent: fc.integer({ min: 1, max: 6 }),
    indentSeq: fc.boolean(),
    lineWidth: fc.constantFrom(0, 20, 80),
    defaultStringType: fc.constantFrom('PLAIN' as const, 'BLOCK_LITERAL' as const, 'QUOTE_SINGLE' as const),
    collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
  })
  fc.assert(
    fc.property(value, fc.array(fc.string(), { minLength: 1 }), style, (other, old, how) => {
      const text = stringify({ ...other, a: { list: old }, z: 1 }, how)
      const edited = addItems(text, [{ list, item: 'new' }])
      if (edited === undefined) return
      expect(parse(edited)).toEqual({ ...parse(text), a: { list: [...old, 'new'] } })
      expect(holdsInOrder(edited, text)).toBe(true)
    }),
  )
})

/** Are all characters of `part` in `whole`, in their order? */
function holdsInOrder(whole: string, part: string): boolean {
  let at = 0
  for (const character of whole.split('')) if (character === part.charAt(at)) at += 1
  return at === part.length
}
