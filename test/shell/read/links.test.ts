import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shells } from '../local-shell.ts'
import { ask, openHere, present, rootFolder } from './host.ts'

const targets = [
  'plain',
  'a b',
  'a -> b',
  '-> ',
  ' lead',
  'end ',
  'end\n',
  'two\nlines',
  'back\\slash',
  '\\n',
  '\\040',
]
const more = ['ü', '\u0007bell', "quo'te", '"', '$x `y`', '*', '..', '/etc/shadow', '\t']

describe.each(shells)('links under $name', (shell) => {
  it('says where each leads, whatever the names are like', async () => {
    using folder = rootFolder()
    const links = [...targets, ...more].map((target, index) => {
      const path = join(folder.path, ['l -> m', 'back\\040', 'ü', "i'j"][index] ?? `link${String(index)}`)
      symlinkSync(target, path)
      return { path, target }
    })
    await using session = await openHere(shell)
    const snapshot = await ask(
      session,
      links.map(({ path }) => ({ atom: 'path', path })),
    )
    expect(links.map(({ path }) => present(snapshot.paths.get(path)).target)).toEqual(
      links.map(({ target }) => target),
    )
  })
})
