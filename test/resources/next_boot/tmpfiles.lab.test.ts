import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { afterBoot, filesInOrder } from '../../../src/resources/next_boot/tmpfiles.ts'
import { run } from '../../lab/process.ts'

/** What is computed of tmpfiles.d is what the real systemd-tmpfiles makes, in roots of their own below a folder. */

const folders = ['etc', 'run', 'usr/lib'] as const
type Folder = (typeof folders)[number]
type Case = Readonly<Record<Folder, Readonly<Record<string, string>>>>

const path = '/run/box/in'
const accounts = { user: ['root', 'alpha', 'beta'], group: ['root', 'wheel', 'gamma'] }
const uids = new Map([
  ['root', 0],
  ['alpha', 501],
  ['beta', 502],
])
const gids = new Map([
  ['root', 0],
  ['wheel', 601],
  ['gamma', 602],
])

const line = fc
  .record({
    type: fc.constantFrom('d', 'd', 'd', 'D', 'd!', 'd-', 'q', 'z', 'Z', 'e', 'f', 'x', 'r', 'm', 'd$$', 'k'),
    path: fc.constantFrom(
      path,
      path,
      path,
      '/run//box/in/',
      '/var/run/box/in',
      '/run/./box/in',
      '"/run/box/in"',
      '/run/box/in/below',
      '/run/box/*',
      '/run/b?x/{in,out}',
      '/run/%m/in',
      'run/box/in',
    ),
    mode: fc.constantFrom('-', '2750', '0750', '755', '~2770', ':0700', '2755', 'x', ':~0777'),
    user: fc.constantFrom('-', 'alpha', 'beta', '501', ':beta', 'nobody-here'),
    group: fc.constantFrom('-', 'wheel', 'gamma', '602', ':gamma', 'no-group'),
    end: fc.constantFrom('', ' -', ' - -', ' 10d'),
  })
  .map((parts) => `${parts.type} ${parts.path} ${parts.mode} ${parts.user} ${parts.group}${parts.end}`)
const text = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: line },
      fc.constantFrom('# comment', '', '  ', 'Z /run/box 0711 alpha', 'z /run/box - beta', 'd /run/box'),
    ),
    { maxLength: 4 },
  )
  .map((lines) => `${lines.join('\n')}\n`)
const names = fc.constantFrom(
  'openbao-kms.conf',
  'openbao-kms-static-pod.conf',
  'a.conf',
  'z.conf',
  '.hidden.conf',
)
const cases = fc.record({
  etc: fc.dictionary(names, text, { maxKeys: 3 }),
  run: fc.dictionary(names, text, { maxKeys: 1 }),
  'usr/lib': fc.dictionary(names, text, { maxKeys: 3 }),
})

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kmsfleet-tmpfiles-'))
})
afterAll(() => run(['rm', '-rf', root]))

/** What systemd-tmpfiles makes of each case: `type,owner,group,mode`, or an empty line. */
async function real(samples: readonly Case[]): Promise<readonly string[]> {
  const script = samples.flatMap((sample, index) => {
    const at = join(root, String(index))
    write(join(at, 'etc/passwd'), 'root:x:0:0::/:\nalpha:x:501:501::/:\nbeta:x:502:502::/:\n')
    write(join(at, 'etc/group'), 'root:x:0:\nwheel:x:601:\ngamma:x:602:\n')
    for (const folder of folders) {
      for (const [name, content] of Object.entries(sample[folder])) {
        write(join(at, folder, 'tmpfiles.d', name), content)
      }
    }
    return [
      `systemd-tmpfiles --create --remove --boot --root=${at} >/dev/null 2>&1`,
      `stat -c '%F,%u,%g,%a' ${at}${path} 2>/dev/null || echo`,
    ]
  })
  return (await run(['/bin/sh'], { stdin: script.join('\n') })).split('\n').slice(0, samples.length)
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}

function computed(sample: Case): string {
  const shown = (folder: Folder): ReadonlyMap<string, string> =>
    new Map(Object.entries(sample[folder]).filter(([name]) => !name.startsWith('.')))
  const files = filesInOrder(folders.map((folder) => [`/${folder}/tmpfiles.d`, shown(folder)]))
  const made = afterBoot(path, files, undefined, (kind, name) => accounts[kind].includes(name))
  switch (made.is) {
    case 'nothing':
      return ''
    case 'other':
      return made.line.type === 'f' ? 'regular' : made.line.type
    case 'unknown':
      return made.is
    case 'directory': {
      const { owner, group, mode } = made.directory
      return `directory,${String(uids.get(owner) ?? owner)},${String(gids.get(group) ?? group)},${mode.toString(8)}`
    }
  }
}

test('what is computed is what systemd-tmpfiles makes', async () => {
  const samples = fc.sample(cases, { numRuns: 150, seed: 20_261_124 })
  const made = await real(samples)
  const differing = samples
    .map((sample, index) => {
      const found = made[index] ?? ''
      return { sample, computed: computed(sample), made: found.startsWith('regular') ? 'regular' : found }
    })
    .filter((each) => each.computed !== each.made)
  expect(differing).toEqual([])
})
