import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { KmsfleetError } from '../../src/errors/error.ts'
import type { ExecSource } from '../../src/sources/types.ts'
import { folderWith } from '../document/problems.ts'
import { read } from './reading.ts'

const canary = 'planted-Canary-7b1f'

function sh(script: string, more: Partial<ExecSource> = {}): ExecSource {
  return { from: 'exec', argv: ['/bin/sh', '-c', script], environment: [], timeout: 20, ...more }
}

describe('a program', () => {
  test.each([
    ['printf %s', canary],
    ['printf "%s\\n"', canary],
    ['printf "%s\\n\\n"', `${canary}\n`],
  ])('that prints by %s', async (print, expected) => {
    const { texts } = await read([sh(`${print} ${canary}`)])
    expect(texts).toEqual([expected])
  })

  test('gets its arguments as they are, no input, and no terminal', async () => {
    const script = 'cat; printf %s "$1"; (: </dev/tty) 2>/dev/null && echo terminal; :'
    const { texts } = await read([{ ...sh(''), argv: ['/bin/sh', '-c', script, 'sh', '$(id) `id` *'] }])
    expect(texts).toEqual(['$(id) `id` *'])
  })

  test('sees of the environment the usual names and those that are listed', async () => {
    const environment = {
      PATH: process.env['PATH'],
      HOME: '/home/op',
      BAO_TOKEN: canary,
      GNUPGHOME: '/gpg',
      EXTRA: 'x',
    }
    const script = 'echo "$HOME ${BAO_TOKEN-none} ${GNUPGHOME-none} ${EXTRA-none}"'
    const { texts } = await read([sh(script, { environment: ['GNUPGHOME'] })], { environment })
    expect(texts).toEqual(['/home/op none /gpg none'])
  })

  test.each<[string, ExecSource, string]>([
    ['fails', sh(`echo ${canary} >&2; echo ${canary}; exit 3`), 'found exit status 3 | run it by hand'],
    ['is killed', sh(`echo ${canary}; kill -9 $$`), 'found that it was killed by SIGKILL'],
    ['does not exist', { ...sh(''), argv: ['/nowhere/program'] }, 'found that it cannot be started (ENOENT)'],
    [
      'prints nothing',
      sh(':'),
      'secret.empty expected the secret `secret_0` in the output of /bin/sh, found nothing in it',
    ],
    ['prints a line end', sh('echo'), 'found nothing in it'],
    [
      'prints too much',
      sh('while :; do echo 0123456789abcdef0123456789abcdef; done'),
      'found more than 1048576 bytes',
    ],
    ['takes too long', sh(`echo ${canary}; sleep 600`, { timeout: 1 }), 'found no end within 1 s'],
  ])('that %s is an error without what it said', async (_, source, expected) => {
    const { problems, inside } = await read([source])
    expect(problems).toEqual([expect.stringContaining(expected)])
    expect(inside.replaceAll(JSON.stringify(source.argv), '')).not.toContain(canary)
  })

  test('that takes too long is ended with all that it started', async () => {
    const file = join(folderWith({}), 'pid')
    const { problems } = await read([sh(`sleep 600 & echo $! > ${file}; wait`, { timeout: 1 })])
    expect(problems.join()).toContain('found no end within 1 s')
    const status = `/proc/${readFileSync(file, 'utf8').trim()}/status`
    // Where nobody reaps it, its entry stays.
    await vi.waitUntil(() => !existsSync(status) || /^State:\s+Z/m.test(readFileSync(status, 'utf8')))
  })

  test('is started only in a project that is trusted', async () => {
    const made = join(folderWith({}), 'made')
    const { problems } = await read([sh(`touch ${made}; echo x`)], {
      requireTrust(file) {
        throw new KmsfleetError('project.untrusted', file)
      },
    })
    expect(problems).toEqual(['project.untrusted site.yml'])
    expect(existsSync(made)).toBe(false)
  })
})

describe('the sources of a run', () => {
  test('each is read once, however many hosts share it', async () => {
    const log = join(folderWith({}), 'log')
    const same = sh(`echo run >> ${log}; wc -l < ${log}`)
    const { texts } = await read([same, same, same])
    expect(texts).toEqual(['1', '1', '1'])
  })

  test('a few at a time', async () => {
    const folder = folderWith({})
    // Each leaves a mark while it runs, and prints how many marks it saw.
    const one = (index: number): ExecSource =>
      sh(`cd ${folder}; : > ${String(index)}; sleep 0.2; ls | wc -l; rm ${String(index)}`)
    const { texts } = await read(Array.from({ length: 20 }, (_, index) => one(index)))
    const seen = texts.map(Number)
    expect(Math.max(...seen)).toBeLessThanOrEqual(8)
    expect(Math.max(...seen)).toBeGreaterThan(1)
  })

  test('all that cannot be read is told at once', async () => {
    const files = ['a', 'b', 'a'].map((name) => ({ from: 'file', path: `/nowhere/${name}` }) as const)
    expect((await read(files)).problems).toHaveLength(2)
  })

  test('nothing new is started once the operator ends the run', async () => {
    const made = join(folderWith({}), 'made')
    const { problems } = await read([sh(`touch ${made}; echo x`)], {}, AbortSignal.abort())
    expect(problems).toEqual(['run.interrupted expected to read all secrets, found the run interrupted'])
    expect(existsSync(made)).toBe(false)
  })
})
