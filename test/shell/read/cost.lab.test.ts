import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ReadAtom } from '../../../src/model/wire.ts'
import { shells } from '../local-shell.ts'
import { ask, openHere, present, rootFolder } from './host.ts'

const dash = shells[0] ?? { name: 'sh', sh: '/bin/sh', path: '/usr/sbin:/usr/bin:/sbin:/bin' }

// As root: only root's own files in trusted folders are hashed by one program.
it('asks a whole play with five programs, where SELinux is not active', async () => {
  const tools = mkdtempSync(join(tmpdir(), 'kmsfleet-count-'))
  const log = join(tools, 'log')
  writeFileSync(log, '')
  const programs = [
    'dd',
    'stat',
    'ls',
    'grep',
    'sha256sum',
    'cat',
    'timeout',
    'readlink',
    'getent',
    'getfacl',
    'pwd',
    'lsattr',
  ]
  writeFileSync(join(tools, 'matchpathcon'), `#!/bin/sh\necho matchpathcon >>${log}\n`)
  chmodSync(join(tools, 'matchpathcon'), 0o755)
  for (const program of programs) {
    const real = execFileSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim()
    const path = program === 'pwd' ? '/bin/pwd' : real
    writeFileSync(join(tools, program), `#!/bin/sh\necho ${program} >>${log}\nexec ${path} "$@"\n`)
    chmodSync(join(tools, program), 0o755)
  }
  using folder = rootFolder()
  const asked = Array.from({ length: 40 }, (_, index) => join(folder.path, String(index)))
  for (const path of asked) writeFileSync(path, path)
  mkdirSync(join(folder.path, 'deep'))
  symlinkSync('0', join(folder.path, 'link'))
  await using session = await openHere(dash, tools)
  const play: readonly ReadAtom[] = [
    ...asked.map((path): ReadAtom => ({ atom: 'path', path, digestUpTo: 1000, labelOf: 'file' })),
    { atom: 'path', path: join(folder.path, 'deep') },
    { atom: 'user', name: 'root' },
    { atom: 'group', name: 'root' },
    { atom: 'exists', key: 'k', path: join(folder.path, '0'), present: true },
  ]
  const { paths } = await ask(session, play)
  expect(present(paths.get(asked[0] ?? '')).content?.known).toBe(true)
  expect(readFileSync(log, 'utf8').trim().split('\n')).toEqual(['dd', 'grep', 'stat', 'ls', 'sha256sum'])
  rmSync(tools, { recursive: true })
})
