import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { reference, referenceFolder } from '../../docs/generate.ts'

test('the committed reference is what the sources say: npm run docs', () => {
  const generated = reference()
  expect(readdirSync(referenceFolder).sort()).toEqual([...generated.keys()].sort())
  for (const [name, text] of generated)
    expect(readFileSync(join(referenceFolder, name), 'utf8'), name).toBe(text)
})
