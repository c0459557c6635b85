import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'
import { KmsfleetError, KmsfleetErrors } from '../../src/errors/error.ts'

/** What a person sees of each error: `line:column code message | hint`. The file only where `below` is given. */
export function problemsOf(run: () => unknown, below?: string): string[] {
  try {
    run()
  } catch (error) {
    if (error instanceof KmsfleetErrors) return error.errors.map((one) => show(one, below))
    if (error instanceof KmsfleetError) return [show(error, below)]
    throw error
  }
  return []
}

function show(error: KmsfleetError, below: string | undefined): string {
  const { place } = error
  const file = place === undefined || below === undefined ? '' : `${place.file.replace(`${below}/`, '')}:`
  const at = place === undefined ? '-' : `${file}${String(place.line)}:${String(place.column)}`
  const hint = error.hint === undefined ? '' : ` | ${error.hint}`
  return `${at} ${error.code} ${error.message}${hint}`.replaceAll(below ?? '\0', 'DIR')
}

const folders: string[] = []

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A new folder with these files; removed after the last test of the file. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-test-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}
