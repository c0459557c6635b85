import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readProjectCode } from '../../src/project/code.ts'
import { createJudge, readTrust, writeTrust } from '../../src/project/trust.ts'
import { folderWith } from '../document/problems.ts'

const files = {
  'site.yml': '- hosts: all\n  secrets:\n    pin: { exec: { argv: [./pin.sh, "{{ cluster }}"] } }\n',
  'bao.yml':
    '- hosts: all\n  secrets:\n    a: { openbao: { mount: kv, path: a, field: f } }\n    b: { openbao: { mount: kv, path: b, field: f, address: https://bao, ca_file: ca.pem } }\n',
  'ca.pem': 'an authority\n',
  'pin.sh': 'echo 1234\n',
  'tasks.ts': 'export const a = 1\n',
  'roles/x/tasks/main.ts': 'export const b = 1\n',
  'notes.md': 'not code\n',
  'broken.yml': 'a: [\n',
}

describe('the code of a project', () => {
  test('is its code files, and the programs that secrets are read from', () => {
    const names = readProjectCode(folderWith(files)).parts.map(({ name }) => name)
    expect(names).toEqual([
      'bao.yml: openbao {"address":"https://bao","ca_file":"ca.pem"}',
      'ca.pem',
      'pin.sh',
      'roles/x/tasks/main.ts',
      'site.yml: exec {"argv":["./pin.sh","{{ cluster }}"]}',
      'tasks.ts',
    ])
  })

  const before = readProjectCode(folderWith(files)).digest
  test.each<[what: string, edit: (folder: string) => void]>([
    [
      'code is edited',
      (folder) => {
        writeFileSync(join(folder, 'tasks.ts'), 'export const a = 2\n')
      },
    ],
    [
      'code is added',
      (folder) => {
        writeFileSync(join(folder, 'roles/x/tasks/more.js'), '')
      },
    ],
    [
      'code is removed',
      (folder) => {
        rmSync(join(folder, 'tasks.ts'))
      },
    ],
    [
      'a program is edited',
      (folder) => {
        writeFileSync(join(folder, 'pin.sh'), 'echo 4321\n')
      },
    ],
    [
      'a server is told by another authority',
      (folder) => {
        writeFileSync(join(folder, 'ca.pem'), 'another authority\n')
      },
    ],
    [
      'a secret is read from another program',
      (folder) => {
        writeFileSync(join(folder, 'site.yml'), files['site.yml'].replace('pin.sh', 'pen.sh'))
      },
    ],
    [
      'a package is installed',
      (folder) => {
        mkdirSync(join(folder, 'node_modules/x'), { recursive: true })
        writeFileSync(join(folder, 'node_modules/x/index.js'), '')
      },
    ],
    [
      'a link leads elsewhere',
      (folder) => {
        rmSync(join(folder, 'tasks.ts'))
        symlinkSync(join(folderWith(files), 'tasks.ts'), join(folder, 'tasks.ts'))
      },
    ],
  ])('has another digest once %s', (_, edit) => {
    const folder = folderWith(files)
    expect(readProjectCode(folder).digest).toBe(before)
    edit(folder)
    expect(readProjectCode(folder).digest).not.toBe(before)
  })

  test('stays the same where only data changes', () => {
    const folder = folderWith(files)
    writeFileSync(join(folder, 'notes.md'), 'other\n')
    writeFileSync(join(folder, 'site.yml'), `${files['site.yml']}  serial: 1\n`)
    expect(readProjectCode(folder).digest).toBe(before)
  })
})

describe('trust', () => {
  test('covers what lies in the folder, as it was, and names what changed since', () => {
    const folder = folderWith(files)
    const state = join(folderWith({}), 'state')
    const file = join(folder, 'roles/x/tasks/main.ts')
    expect(createJudge(state)(file)).toEqual({ is: 'unknown' })
    writeTrust(readProjectCode(folder), {}, state)
    expect(createJudge(state)(file)).toMatchObject({ is: 'trusted', folder })
    expect(createJudge(state)(join(folderWith(files), 'tasks.ts'))).toEqual({ is: 'unknown' })
    writeFileSync(join(folder, 'tasks.ts'), 'export const a = 2\n')
    rmSync(join(folder, 'pin.sh'))
    writeFileSync(join(folder, 'new.mjs'), '')
    expect(createJudge(state)(file)).toEqual({
      is: 'changed',
      folder,
      changes: ['added new.mjs', 'changed tasks.ts', 'removed pin.sh'],
    })
  })

  test('a link into a trusted folder does not make what it leads to trusted', () => {
    const folder = folderWith(files)
    const elsewhere = folderWith(files)
    const state = join(folderWith({}), 'state')
    symlinkSync(join(elsewhere, 'roles'), join(folder, 'linked'))
    writeTrust(readProjectCode(folder), {}, state)
    expect(createJudge(state)(join(folder, 'linked/x/tasks/main.ts'))).toEqual({ is: 'unknown' })
  })

  test.each(['site', 'site.json', 'node_modules/x/site.yml', '.git/site.yml'])(
    'does not cover %s, whose programs were never shown',
    (name) => {
      const folder = folderWith({ ...files, [name]: files['site.yml'] })
      const state = join(folderWith({}), 'state')
      writeTrust(readProjectCode(folder), {}, state)
      expect(createJudge(state)(join(folder, name))).toEqual({ is: 'unseen', folder })
    },
  )

  test('what is shipped is the program', () => {
    expect(createJudge(folderWith({}))(resolve('src/index.ts'))).toEqual({ is: 'program' })
  })

  test('a record that others could have written counts for nothing', () => {
    const folder = folderWith(files)
    const state = join(folderWith({}), 'state')
    writeTrust(readProjectCode(folder), {}, state)
    const records = join(state, 'trusted-projects')
    expect(readTrust(folder, state)).toMatchObject({ folder })
    const [record = ''] = readdirSync(records)
    chmodSync(join(records, record), 0o666)
    expect(() => readTrust(folder, state)).toThrow(/only you can write/)
  })
})
