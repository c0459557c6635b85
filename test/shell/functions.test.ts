import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const folder = join(import.meta.dirname, '../../src/shell')

/** A file may define a function twice, each time for another shell or host. */
function functionsOf(file: string): readonly string[] {
  const source = readFileSync(join(folder, file), 'utf8')
  const names = source.matchAll(/^\s*([A-Za-z_][A-Za-z0-9_]*)\(\)/gm)
  return [...new Set([...names].map(([, name = '']) => name))]
}

it('a function is defined by one file alone: in a write frame all are in one shell', () => {
  const files = readdirSync(folder, { encoding: 'utf8', recursive: true }).filter((name) =>
    name.endsWith('.sh'),
  )
  expect(files).toContain(join('read', 'prelude.sh'))
  expect(files.length).toBeGreaterThan(10)
  const makers = new Map<string, string[]>()
  for (const file of files) {
    for (const name of functionsOf(file)) makers.set(name, [...(makers.get(name) ?? []), file])
  }
  expect(makers.get('kf_f')).toEqual([join('read', 'prelude.sh')])
  expect([...makers].filter(([, where]) => where.length > 1)).toEqual([])
})
