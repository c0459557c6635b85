import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/errors/codes.ts'

test('the troubleshooting page says of every error code, and of no other, what to do', () => {
  const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')
  const explained = [...page.matchAll(/^\| `([a-z-]+\.[a-z-]+)` +\|/gm)].map(([, code]) => code)
  expect(explained.sort()).toEqual(Object.keys(errorCodes).sort())
})
