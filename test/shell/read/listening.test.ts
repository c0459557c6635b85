import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quote } from '../../../src/shell/quote.ts'
import { listeningAddresses } from '../../../src/shell/read/listening.ts'
import { readSource } from '../../attack/preludes.ts'
import { shells } from '../local-shell.ts'
import { openHere, run } from './host.ts'

describe('addresses that a connection to a URL may reach, as the kernel writes them', () => {
  it.each<[url: string, some: readonly string[], none: readonly string[]]>([
    [
      'http://127.0.0.1:8082/ready',
      ['0100007F:1F92', '00000000:1F92', `${'0'.repeat(32)}:1F92`, '0000000000000000FFFF00000100007F:1F92'],
      ['00000000000000000000000001000000:1F92'],
    ],
    ['http://127.1.2.3/', ['0302017F:0050', '7F010203:0050'], ['0100007F:0050']],
    [
      'http://[::1]:80/',
      ['00000000000000000000000001000000:0050', `${'0'.repeat(32)}:0050`],
      ['0100007F:0050'],
    ],
    ['http://localhost:80/', ['00000000000000000000000001000000:0050', '0100007F:0050'], []],
  ])('%s', (url, some, none) => {
    const addresses = listeningAddresses(url)
    expect(addresses).toEqual(expect.arrayContaining([...some]))
    for (const one of none) expect(addresses).not.toContain(one)
  })
})

/** This process serves; the other one only runs. */
let server: Server
let other: ChildProcess
let url = ''
let socket = ''
let unixServer: Server
const folder = mkdtempSync(join(tmpdir(), 'kmsfleet-listening-'))
beforeAll(async () => {
  server = createServer((_, answer) => answer.end('ok'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}/ready`
  socket = join(folder, 'kms.sock')
  unixServer = createServer()
  await new Promise<void>((resolve) => unixServer.listen(socket, resolve))
  other = spawn('sleep', ['1000'])
})
afterAll(() => {
  server.close()
  unixServer.close()
  other.kill()
  rmSync(folder, { recursive: true, force: true })
})

describe.each(shells)('$name', (shell) => {
  const asked = async (test: string, prepare = ''): Promise<string> => {
    await using session = await openHere(shell)
    return (await run(session, `${prepare}\n${test}; echo "$kf_answer $kf_detail"`)).trim()
  }
  /** What `systemctl show` said, of two units. */
  const shown = (pid: number | undefined): string =>
    `kf_shown='MainPID=0\nNames=gone.service\n\nMainPID=${String(pid)}\nNames=alias.service kms.service\nNRestarts=0'; kf_main_of kms.service`
  const http = (): string =>
    `kf_test_unit_http kms.service ${url} ${quote(listeningAddresses(url).join(' '))}`
  const listens = (): string => `kf_test_listens kms.service ${quote(socket)}`

  it('counts an answer of the process of the unit', async () => {
    // The wget of a static busybox may crash where it looks up names.
    const answered = shell.name === 'busybox' ? "kf_test_http() { kf_answer=yes kf_detail=''; }\n" : ''
    expect(await asked(http(), `${answered}${shown(process.pid)}`)).toBe('yes')
    expect(await asked(listens(), shown(process.pid))).toBe('yes')
  })

  it('does not count that of another', async () => {
    expect(await asked(http(), shown(other.pid))).toBe(
      `no who listens at ${url} is no process of kms.service`,
    )
    expect(await asked(listens(), shown(other.pid))).toBe(
      `no who listens at ${socket} is no process of kms.service`,
    )
  })

  it('says so where the unit has no process, is not known, or nothing listens', async () => {
    expect(await asked(http(), shown(0))).toBe('no kms.service has no process')
    expect(await asked(http(), `kf_shown=; kf_main_of kms.service`)).toBe('no kms.service has no process')
    expect(
      await asked(`kf_test_unit_http kms.service http://127.0.0.1:1/ 0100007F:0001`, shown(process.pid)),
    ).toBe('no nothing listens at http://127.0.0.1:1/')
  })

  it('asks a program where the kernel does not write inodes into fdinfo', async () => {
    const [holds = ''] = /^kf_holds\(\) \{\n[^]*?\n\}\n/m.exec(readSource) ?? []
    const older = holds.replaceAll('ino:', 'not-there:')
    const held = (pid: number | undefined): Promise<string> =>
      asked(`kf_at_path ${quote(socket)}; kf_own kms.service one x`, `${older}${shown(pid)}`)
    expect(older).not.toBe('')
    expect(await held(process.pid)).toBe('yes')
    expect(await held(other.pid)).toBe('no who listens at x is no process of kms.service')
  })
})
