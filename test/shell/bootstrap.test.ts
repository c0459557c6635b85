import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { beginLine, bootstrapCommand, rootCommand } from '../../src/shell/bootstrap.ts'
import { commandFor, shells } from './local-shell.ts'
import type { ShellUnderTest } from './local-shell.ts'

const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-bootstrap-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function run(shell: ShellUnderTest, input: string | Buffer): { status: number | null; stdout: string } {
  const { status, stdout } = spawnSync('/bin/sh', ['-c', `exec ${commandFor(shell)}`], {
    input,
    encoding: 'utf8',
  })
  return { status, stdout }
}

const frame = (script: string): string => `0f ${String(Buffer.byteLength(script))}\n${script}`

it('is one line that no login shell reads otherwise than it is meant', () => {
  expect(bootstrapCommand).toBe(`exec ${rootCommand}`)
  expect(rootCommand).not.toMatch(/[!\n]/)
  expect(rootCommand.match(/'/g)).toHaveLength(2)
})

describe.each(shells)('$name', (shell) => {
  it('runs nothing of a frame that is cut at any byte', () => {
    const marker = join(folder, `cut-${shell.name}`)
    const whole = frame(`: >${marker}`)
    for (let length = 0; length < whole.length; length += 1) {
      const { status, stdout } = run(shell, whole.slice(0, length))
      expect({ length, status, stdout, ran: existsSync(marker) }).toEqual({
        length,
        status: length === 0 ? 0 : 98,
        stdout: beginLine,
        ran: false,
      })
    }
    expect(run(shell, whole)).toEqual({ status: 0, stdout: beginLine })
    expect(existsSync(marker)).toBe(true)
  })

  it.each(['0f\n', '0f x\n', '0f 0\n', '0f -1\n', '\n', 'x y z\n', '0f 4k\n'])(
    'refuses the header %j',
    (header) => {
      expect(run(shell, `${header}${'echo no\n'.repeat(9)}`)).toEqual({ status: 98, stdout: beginLine })
    },
  )

  it('leaves the bytes after the script to the script, and keeps functions for the next frame', () => {
    const payload = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256))
    const first = frame(
      'f() { printf "<%s>" "$1"; }; dd bs=1000 count=1 iflag=fullblock 2>/dev/null | od -An -v -tu1 | wc -w',
    )
    const { status, stdout } = run(
      shell,
      Buffer.concat([Buffer.from(first), payload, Buffer.from(frame('f ä'))]),
    )
    expect(status).toBe(0)
    expect(stdout.slice(beginLine.length).replaceAll(/\s/g, '')).toBe('1000<ä>')
  })

  it('starts from an empty environment, umask 077 and no core dumps', () => {
    const { stdout } = run(shell, frame('umask; ulimit -c; env | sort'))
    const [umask, cores, ...environment] = stdout.slice(beginLine.length).trim().split('\n')
    expect(Number(umask)).toBe(77)
    expect(cores).toBe('0')
    expect(environment.filter((line) => !/^(PATH|LC_ALL|TZ|PWD|_|OLDPWD|SHLVL)=/.test(line))).toEqual([])
  })
})
