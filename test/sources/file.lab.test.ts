import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSecretFile } from '../../src/sources/file.ts'
import { folderWith, problemsOf } from '../document/problems.ts'

test("another account's secret file is refused, although root could read it", () => {
  const path = join(folderWith({}), 'secret')
  writeFileSync(path, 'planted', { mode: 0o600 })
  chownSync(path, 12_345, 12_345)
  expect(problemsOf(() => readSecretFile(path, 'jwt')).join()).toContain('found uid 12345')
})
