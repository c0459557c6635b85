import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderKey } from '../../../src/model/facts.ts'
import { shells } from '../local-shell.ts'
import { ask, openHere, rootFolder } from './host.ts'

describe.each(shells)('folders under $name', (shell) => {
  it('gives the text of each file that ends so, and of nothing else', async () => {
    using folder = rootFolder()
    const at = (name: string): string => join(folder.path, name)
    mkdirSync(at('conf'))
    mkdirSync(at('conf/folder.conf'))
    writeFileSync(at('conf/one.conf'), 'first: line\n\n  third\nno end')
    writeFileSync(at('conf/empty.conf'), '')
    writeFileSync(at('conf/a b*.conf'), 'd /x\n')
    writeFileSync(at('conf/.hidden.conf'), 'hidden')
    writeFileSync(at('conf/other.txt'), 'other')
    writeFileSync(at('elsewhere'), 'linked\n')
    symlinkSync('../elsewhere', at('conf/link.conf'))
    symlinkSync('/dev/null', at('conf/masked.conf'))
    symlinkSync('/nowhere', at('conf/dangling.conf'))
    mkdirSync(at('none'))

    await using session = await openHere(shell)
    const snapshot = await ask(
      session,
      ['conf', 'none', 'missing'].map((name) => ({ atom: 'folder', path: at(name), ending: '.conf' })),
    )
    const files = (name: string): unknown => snapshot.folders.get(folderKey(at(name), '.conf'))
    expect(files('conf')).toEqual({
      is: 'present',
      state: new Map([
        ['a b*.conf', 'd /x\n'],
        ['dangling.conf', ''],
        ['empty.conf', ''],
        ['link.conf', 'linked\n'],
        ['masked.conf', ''],
        ['one.conf', 'first: line\n\n  third\nno end\n'],
      ]),
    })
    expect(files('none')).toEqual({ is: 'present', state: new Map() })
    expect(files('missing')).toEqual({ is: 'present', state: new Map() })
  })

  it.each(['two\nlines.conf', 'a:b.conf'])('knows nothing of a folder with a file named %j', async (name) => {
    using folder = rootFolder()
    writeFileSync(join(folder.path, name), 'd /x\n')
    writeFileSync(join(folder.path, 'plain.conf'), 'd /y\n')
    await using session = await openHere(shell)
    const snapshot = await ask(session, [{ atom: 'folder', path: folder.path, ending: '.conf' }])
    expect(snapshot.folders.get(folderKey(folder.path, '.conf'))?.is).toBe('unreadable')
  })

  it('knows nothing of any folder where there was more to read than it takes', async () => {
    using folder = rootFolder()
    writeFileSync(join(folder.path, 'big.conf'), `${'x'.repeat(70)}\n`.repeat(20_000))
    await using session = await openHere(shell)
    const snapshot = await ask(session, [{ atom: 'folder', path: folder.path, ending: '.conf' }])
    expect(snapshot.folders.get(folderKey(folder.path, '.conf'))?.is).toBe('unreadable')
  })
})
