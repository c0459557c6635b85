import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { KmsfleetErrors } from '../../src/errors/error.ts'
import { parseDocument, partOf, readDocument } from '../../src/document/parse.ts'
import { folderWith, problemsOf } from './problems.ts'

const anything = z.unknown()

describe('text that is refused', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['a list that is not closed', 'a: [1, 2', '1:9 document.syntax expected valid YAML 1.2: flow sequence'],
    [
      'a duplicate key',
      'a: 1\nb: 2\na: 3\n',
      '3:1 document.syntax expected every key once, found `a` again | it stands first in line 1',
    ],
    [
      'a vault value',
      'a: 1\nb: !vault |\n  abc\n',
      '2:4 document.syntax expected a value without a tag, found !vault | Ansible Vault is not read here',
    ],
    ['an unknown tag', 'a: !unsafe x', '1:4 document.syntax expected a value without a tag, found !unsafe'],
    [
      'a binary tag',
      'a: !!binary aGk=',
      '1:4 document.syntax expected a value without a tag, found !!binary',
    ],
    ['a second document', 'a: 1\n---\nb: 2\n', '2:1 document.syntax expected one YAML document'],
    ['YAML 1.1', '%YAML 1.1\n---\na: yes\n', '1:1 document.syntax expected YAML 1.2, found the directive'],
    [
      'a template without quotes',
      'a: {{ b }}',
      '1:5 document.syntax expected a plain word as key, found a collection or an alias | a template needs quotes',
    ],
    ['a list as key', '[a]: b', '1:1 document.syntax expected a plain word as key'],
    [
      'an alias of nothing',
      'a: *b',
      '1:4 document.syntax expected an alias of a finished anchor, found one that is nowhere above: *b',
    ],
    [
      'an alias of itself',
      '&a [*a]',
      '1:5 document.syntax expected an alias of a finished anchor, found one that would contain itself',
    ],
    [
      'a merge of text',
      '<<: x\na: 1',
      '1:1 document.syntax expected a dictionary (or a list of them) to merge',
    ],
    [
      'a mode without quotes',
      'x:\n  mode: 0644\n',
      '2:9 document.syntax expected a quoted octal mode, found 0644 without quotes | quote it: mode: "0644"',
    ],
    [
      'a mode of three digits',
      'mode: 755',
      '1:7 document.syntax expected a quoted octal mode, found 755 without quotes | quote it: mode: "0755"',
    ],
    [
      'a mode in the new octal form',
      'dir_mode: 0o750',
      '1:11 document.syntax expected a quoted octal mode, found 0o750 without quotes | quote it: dir_mode: "0750"',
    ],
    [
      'a number with a leading zero',
      'zip: 0123',
      '1:6 document.syntax expected a number without leading zero, found 0123, which YAML 1.2 reads as 123 | quote it: "0123"',
    ],
    [
      'a number that is too large',
      'n: 12345678901234567890',
      '1:4 document.syntax expected a number of at most 2^53',
    ],
    [
      '__proto__',
      'a: {__proto__: {b: 1}}',
      '1:5 document.syntax expected an ordinary key, found `__proto__`',
    ],
    ['constructor', '"constructor": 1', '1:1 document.syntax expected an ordinary key, found `constructor`'],
    [
      'prototype, merged',
      'a: &a {prototype: 1}\nb: {<<: *a}',
      '1:8 document.syntax expected an ordinary key',
    ],
  ]
  test.each(cases)('%s', (_, text, expected) => {
    const [first = ''] = problemsOf(() => parseDocument('f.yml', text, anything))
    expect(first.slice(0, expected.length)).toBe(expected)
  })

  test('several at once, in the order of the file', () => {
    const text = 'mode: 0644\na: 1\na: 2\nconstructor: 3\n'
    expect(
      problemsOf(() => parseDocument('f.yml', text, anything)).map((line) => line.split(' ')[0]),
    ).toEqual(['1:7', '3:1', '4:1'])
  })

  test.each([
    ['lists', '['.repeat(20_000)],
    ['dictionaries', '{a: '.repeat(20_000)],
    ['blocks', '- '.repeat(20_000)],
  ])('%s nested too deeply do not end the process', (_, text) => {
    expect(problemsOf(() => parseDocument('f.yml', text, anything))[0]).toContain(
      'expected at most 64 levels, found more',
    )
  })

  test('aliases that stand for billions', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 12; level += 1) {
      const alias = `*a${String(level - 1)}`
      lines.push(
        `a${String(level)}: &a${String(level)} [${Array.from({ length: 10 }, () => alias).join(', ')}]`,
      )
    }
    expect(problemsOf(() => parseDocument('f.yml', lines.join('\n'), anything))[0]).toContain(
      'aliases for at most',
    )
  })

  test('a file above the limit', () => {
    const text = `a: "${'x'.repeat(4 * 1024 * 1024)}"`
    expect(problemsOf(() => parseDocument('f.yml', text, anything))[0]).toContain('at most 4194304 bytes')
  })

  test('any text gives a value or known errors', () => {
    const pieces = fc.array(
      fc.constantFrom(
        'a',
        ': ',
        '- ',
        '\n',
        '  ',
        '[',
        ']',
        '{',
        '}',
        ',',
        '"',
        "'",
        '&x ',
        '*x',
        '<<',
        '!t ',
        '|',
        '>',
        '#',
        '0644',
        '\t',
        '? ',
        '---\n',
        '%',
      ),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          pieces.map((parts) => parts.join('')),
          fc.string(),
        ),
        (text) => {
          problemsOf(() => parseDocument('f.yml', text, anything))
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('values', () => {
  test('YAML 1.2: no other words are booleans, empty is nothing', () => {
    const { value } = parseDocument('f.yml', 'a: yes\nb: on\nc: true\nd:\ne: ~\nf: 1.5\ng: 0\n', anything)
    expect(value).toEqual({ a: 'yes', b: 'on', c: true, d: null, e: null, f: 1.5, g: 0 })
  })

  test('keys are text', () => {
    expect(parseDocument('f.yml', '1: a\ntrue: b\n', anything).value).toEqual({ '1': 'a', true: 'b' })
  })

  test('merge keys: own over merged, earlier source over later', () => {
    const text = 'x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {c: 3, <<: [*x, *y]}\n'
    expect(parseDocument('f.yml', text, anything).value).toMatchObject({ z: { a: 1, b: 1, c: 3 } })
  })

  test('a quoted << is an ordinary key', () => {
    expect(parseDocument('f.yml', '"<<": {a: 1}', anything).value).toEqual({ '<<': { a: 1 } })
  })

  test('dictionaries inherit nothing', () => {
    const { value } = parseDocument('f.yml', 'a: {b: {}}', z.record(z.string(), z.unknown()))
    expect(Object.getPrototypeOf(value['a'])).toBe(null)
  })

  test('JSON text means itself', () => {
    const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: false }).filter((value) => {
      const text = JSON.stringify(value)
      return !/__proto__|constructor|prototype|\d{16,}/.test(text)
    })
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value)
        expect(JSON.parse(JSON.stringify(parseDocument('f.json', text, anything).value))).toEqual(
          JSON.parse(text),
        )
      }),
    )
  })
})

describe('places', () => {
  const text = 'a:\n  - b: 1\n    c: "0644"\n  - d:\n'
  const document = parseDocument('f.yml', text, anything)
  const cases: readonly (readonly [readonly (string | number)[], string, string])[] = [
    [[], '1:1', '1:1'],
    [['a'], '2:3', '1:1'],
    [['a', 0], '2:5', '2:5'],
    [['a', 0, 'b'], '2:8', '2:5'],
    [['a', 0, 'c'], '3:8', '3:5'],
    [['a', 1, 'd'], '4:5', '4:5'],
    [['a', 1, 'nowhere', 'x'], '4:5', '4:5'],
  ]
  test.each(cases)('%j', (path, place, keyPlace) => {
    expect(position(document.place(path))).toBe(place)
    expect(position(document.keyPlace(path))).toBe(keyPlace)
  })

  test('of a part', () => {
    expect(position(partOf(document, ['a', 0]).place(['c']))).toBe('3:8')
  })

  test('the source tells text from number', () => {
    expect(document.source(['a', 0, 'b'])).toEqual({ text: '1', quoted: false })
    expect(document.source(['a', 0, 'c'])).toEqual({ text: '0644', quoted: true })
    expect(document.source(['a'])).toBe(undefined)
    expect(document.source(['nowhere'])).toBe(undefined)
  })

  function position(place: { readonly line: number; readonly column: number }): string {
    return `${String(place.line)}:${String(place.column)}`
  }
})

describe('schemas', () => {
  const Inner = z.strictObject({
    path: z.string(),
    mode: z.string().regex(/^0[0-7]{3}$/, 'expected a quoted octal mode'),
  })
  const Schema = z.strictObject({
    name: z.string().min(1).optional(),
    count: z.int().min(1).max(9).optional(),
    items: z.array(z.union([z.string(), Inner])).optional(),
    kind: z.enum(['a', 'b']).optional(),
    password: z.number().optional(),
  })
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'unknown keys, one error each',
      'nam: x\ncount: 1\nknid: a',
      [
        '1:1 document.unknown-key expected a known key, found `nam` | did you mean `name`?',
        '3:1 document.unknown-key expected a known key, found `knid` | did you mean `kind`?',
      ],
    ],
    [
      'no near miss',
      'zzzzzz: 1',
      [
        '1:1 document.unknown-key expected a known key, found `zzzzzz` | known here: count, items, kind, name, password',
      ],
    ],
    ['a wrong type', 'name: [1]', ['1:7 document.invalid expected text for `name`, found a list']],
    [
      'a number out of bounds',
      'count: 12',
      ['1:8 document.invalid expected a number of at most 9 for `count`, found the number 12'],
    ],
    [
      'a broken number',
      'count: 1.5',
      ['1:8 document.invalid expected a whole number for `count`, found the number 1.5'],
    ],
    ['empty text', 'name: ""', ['1:7 document.invalid expected text for `name`, found empty text']],
    [
      'one of several',
      'kind: c',
      ['1:7 document.invalid expected "a" or "b" for `kind`, found the text "c"'],
    ],
    [
      'no branch of a union',
      'items: [1]',
      ['1:9 document.invalid expected text or a dictionary in `items`, found the number 1'],
    ],
    [
      'the meant branch of a union',
      'items:\n  - {path: x, mode: "9"}',
      ['2:21 document.invalid expected a quoted octal mode for `mode`, found the text "9"'],
    ],
    [
      'an unknown key in a union',
      'items:\n  - {path: x, mode: "0644", onwer: y}',
      ['2:29 document.unknown-key expected a known key, found `onwer` | known here: mode, path'],
    ],
    [
      'a missing key, at its dictionary',
      'items:\n  - {path: x}',
      ['2:5 document.invalid expected text for `mode`, found nothing'],
    ],
    [
      'an empty value, at its key',
      'name:\n',
      ['1:1 document.invalid expected text for `name`, found nothing'],
    ],
    [
      'a value that may be secret',
      'password: hunter2',
      ['1:11 document.invalid expected a number for `password`, found some text'],
    ],
    [
      'several',
      'count: 0\nitems: x\nname: 1',
      [
        '1:8 document.invalid expected a number of at least 1 for `count`, found the number 0',
        '2:8 document.invalid expected a list for `items`, found the text "x"',
        '3:7 document.invalid expected text for `name`, found the number 1',
      ],
    ],
  ]
  test.each(cases)('%s', (_, text, expected) => {
    expect(problemsOf(() => parseDocument('f.yml', text, Schema))).toEqual(expected)
  })
})

describe('files', () => {
  test.each([
    ['missing', 'nowhere.yml', 'expected a readable file DIR/nowhere.yml, found nothing there'],
    ['a folder', '.', 'found something that is not a regular file'],
    ['a FIFO, without waiting for a writer', 'pipe', 'found something that is not a regular file'],
  ])('%s', (_, name, expected) => {
    const folder = folderWith({})
    if (name === 'pipe') execFileSync('mkfifo', [join(folder, name)])
    expect(problemsOf(() => readDocument(`${folder}/${name}`, anything), folder)[0]).toContain(expected)
  })

  test('other encodings', () => {
    const folder = folderWith({})
    execFileSync('sh', ['-c', String.raw`printf 'a: \377' > "$1"`, 'sh', join(folder, 'latin.yml')])
    expect(problemsOf(() => readDocument(join(folder, 'latin.yml'), anything))[0]).toContain(
      'expected UTF-8 text',
    )
  })

  test('errors are known ones', () => {
    expect(() => readDocument('/nowhere', anything)).toThrow(/expected a readable file/)
    expect(() => parseDocument('f', 'a: [', anything)).toThrow(KmsfleetErrors)
  })
})
