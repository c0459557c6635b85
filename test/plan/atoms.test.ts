import { expect, test } from 'vitest'
import type { ReadAtom } from '../../src/model/wire.ts'
import { createCoverage, mergeAtoms } from '../../src/plan/atoms.ts'

const path = '/a'
/** Each asks one thing more than that the path be looked at. */
const askings: readonly ReadAtom[] = [
  { atom: 'path', path, digestUpTo: 10 },
  { atom: 'path', path, bytesUpTo: 10 },
  { atom: 'path', path, sealed: true },
  { atom: 'path', path, package: true },
  { atom: 'path', path, publicPart: 'claims' },
  { atom: 'path', path, labelOf: 'file' },
]

test.each(askings)('%j is asked still where another asks of the same path', (asked) => {
  const plain: ReadAtom = { atom: 'path', path }
  expect(mergeAtoms([asked, plain])).toEqual([asked])
  expect(mergeAtoms([plain, asked])).toEqual([asked])
  expect(createCoverage([plain])([asked])).toEqual([asked])
  expect(createCoverage([asked])([asked, plain])).toEqual([])
})
