import { execFileSync } from 'node:child_process'
import { chownSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Parent, WriteOp } from '../../src/model/wire.ts'
import { compileRead } from '../../src/shell/read/compile.ts'
import { shells } from './local-shell.ts'
import { present } from './read/host.ts'
import { activate, policyTools } from './selinux.ts'
import { changesOf, payloadOf, send, sendFrame, stages, testHost } from './write/host.ts'

const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-labels-'))
const tools = policyTools(folder)
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const wrong = 'unconfined_u:object_r:user_home_t:s0'
const label = 'system_u:object_r:etc_t:s0'
const labelOf = (path: string): string =>
  execFileSync('/usr/bin/stat', ['-c', '%C', path], { encoding: 'utf8' }).trim()
const mislabel = (path: string): void => {
  execFileSync('/usr/bin/chcon', ['-h', wrong, path])
}
const inodeOf = (path: string): string => {
  const { dev, ino } = lstatSync(path)
  return `${String(dev)}:${String(ino)}`
}

describe.each(shells)('$name', (shell) => {
  it('asks what label is there and what the policy gives, where SELinux is active', async () => {
    await using host = await testHost({ ...shell, path: `${tools}:${shell.path}` })
    const { base } = host
    const at = (name: string): string => join(base, name)
    mkdirSync(at('a folder'))
    mislabel(at('a folder'))
    writeFileSync(at('never labelled'), '')
    const asked = ['new', 'none', 'broken', 'never labelled'].map(
      (name) => ({ atom: 'path', path: at(name), labelOf: 'file' }) as const,
    )
    const frame = compileRead([{ atom: 'path', path: at('a folder'), labelOf: 'directory' }, ...asked])
    {
      await using session = await host.open()
      const { snapshot } = await sendFrame(session, frame)
      expect(snapshot?.policyLabels).toEqual(new Map())
      expect(present(snapshot?.paths.get(at('a folder')))).not.toHaveProperty('label')
    }
    host.run(activate('1'))
    await using session = await host.open()
    const { snapshot } = await sendFrame(session, frame)
    expect(snapshot?.host.selinux).toBe('enforcing')
    // busybox takes its own stat, wherever another is, and that knows no labels
    const told = shell.name !== 'busybox'
    expect(present(snapshot?.paths.get(at('a folder'))).label).toBe(told ? wrong : undefined)
    expect(snapshot?.policyLabels).toEqual(
      new Map([
        ...(told ? [[at('a folder'), 'system_u:object_r:var_lib_t:s0'] as const] : []),
        [at('new'), label],
        [at('none'), '<<none>>'],
      ]),
    )
  })

  it('gives the label before anything is seen at its path, and to what is there', async () => {
    await using host = await testHost({ ...shell, path: `${tools}:${shell.path}` })
    const { base } = host
    const at = (name: string): string => join(base, name)
    for (const name of ['theirs', 'mended']) mkdirSync(at(name))
    for (const name of ['closed', 'theirs/caught', 'theirs/within']) {
      writeFileSync(at(name), '')
      mislabel(at(name))
    }
    chownSync(at('theirs'), 65534, 65534)
    const known = ['closed', 'theirs/caught', 'theirs/within', 'mended'].map(at)
    await using session = await host.open()
    const probe = compileRead(known.map((path) => ({ atom: 'path', path }) as const))
    const { snapshot } = await sendFrame(session, probe)
    const probed = (path: string): { token: string } => {
      const fact = snapshot?.paths.get(at(path))
      return { token: fact?.is === 'present' ? (fact.token ?? '') : '' }
    }
    const to = { owner: 'root', group: 'root', mode: 0o640, label }
    const ours: Parent = { path: base, anchor: '/var/lib', inode: inodeOf(base) }
    const theirs: Parent = { path: at('theirs'), anchor: base, inode: inodeOf(at('theirs')) }
    const unanchored: Parent = { path: theirs.path, inode: inodeOf(theirs.path) }
    const set = (parent: Parent, path: string): WriteOp => ({
      op: 'file-set',
      parent,
      name: path.replace(/.*\//, ''),
      expect: probed(path),
      to,
      stripAcl: false,
    })
    const put = (parent: Parent, name: string): Extract<WriteOp, { op: 'file-put' }> => ({
      op: 'file-put',
      parent,
      name,
      expect: { absent: true },
      payload: payloadOf(name),
      to,
    })
    const seen = at('seen')
    const said = await send(
      session,
      changesOf(
        {
          ...put(ours, 'file'),
          validate: [{ argv: ['/bin/sh', '-c', `/usr/bin/stat -c %C "$1" >${seen}`, 'sh', '{}'] }],
        },
        put(theirs, 'staged'),
        put(unanchored, 'inside'),
        { op: 'directory-make', parent: ours, name: 'folder', to: { ...to, mode: 0o750 } },
        { op: 'directory-make', parent: unanchored, name: 'folder', to: { ...to, mode: 0o750 } },
        set(ours, 'closed'),
        set(theirs, 'theirs/caught'),
        set(unanchored, 'theirs/within'),
        {
          op: 'directory-set',
          path: at('mended'),
          expect: probed('mended'),
          to: { ...to, mode: 0o700 },
          between: 0o700,
          stripAcl: false,
        },
      ),
    )
    expect(said.reports.filter(({ says }) => says !== 'doing')).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((change) => ({ change, says: 'done' })),
    )
    const labelled = ['file', 'folder', 'closed', 'mended', 'theirs/staged', 'theirs/inside', 'theirs/folder']
    for (const path of [...labelled, 'theirs/caught', 'theirs/within'].map(at)) {
      expect([path, labelOf(path)]).toEqual([path, label])
    }
    // the check ran on the file in its stage
    expect(readFileSync(seen, 'utf8').trim()).toBe(label)
    expect([...stages(base), ...stages(at('theirs'))]).toEqual([])
  })
})
