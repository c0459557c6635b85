import { describe, expect, test } from 'vitest'
import { createRedactor } from '../../src/model/redact.ts'
import { Secret } from '../../src/model/secret.ts'
import { createOutput, wantsColor } from '../../src/report/output.ts'
import { styled } from '../../src/report/paint.ts'

describe('wantsColor', () => {
  test.each([
    ['a terminal', true, {}, true, true],
    ['a pipe', false, {}, true, false],
    ['--no-color', true, {}, false, false],
    ['NO_COLOR', true, { NO_COLOR: '1' }, true, false],
    ['NO_COLOR with any value', true, { NO_COLOR: '0' }, true, false],
    ['an empty NO_COLOR does not count', true, { NO_COLOR: '' }, true, true],
    ['a dumb terminal', true, { TERM: 'dumb' }, true, false],
  ])('%s', (_name, isTTY, environment, option, wanted) => {
    expect(wantsColor({ isTTY, write: () => true }, environment, option)).toBe(wanted)
  })
})

describe('an output', () => {
  const printed = (color: boolean, secret?: string): string => {
    let out = ''
    const redact = createRedactor(secret === undefined ? [] : [new Secret('pin', Buffer.from(secret))])
    const output = createOutput({ write: (part) => (out += part) }, { color, redact })
    output.print(['plain ', styled('bad', 'red\u001b[0m hunter22')], [styled('dim', '::error::hunter22')])
    return out
  }

  test('without colours: escaped and without commands', () => {
    expect(printed(false)).toBe('plain red\\x1b[0m hunter22\n:\\:error::hunter22\n')
  })

  test('with colours: ours, never those of the text', () => {
    expect(printed(true)).toBe(
      'plain \u001b[31mred\\x1b[0m hunter22\u001b[39m\n\u001b[2m::error::hunter22\u001b[22m\n',
    )
  })

  test.each([true, false])('redacts by value (colours: %s)', (color) => {
    expect(printed(color, 'hunter22')).not.toContain('hunter22')
    expect(printed(color, 'hunter22')).toContain('[secret pin]')
  })

  test('nothing to print writes nothing', () => {
    let writes = 0
    createOutput({ write: () => (writes += 1) }, { color: false, redact: (text) => text }).print()
    expect(writes).toBe(0)
  })
})
