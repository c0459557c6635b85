import { chmodSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { shells } from '../local-shell.ts'
import { ask, openHere, present, run } from './host.ts'

/** Stand-ins for programs whose answers need a booted systemd or a directory service. */
const tools = mkdtempSync(join(tmpdir(), 'kmsfleet-tools-'))
chmodSync(tools, 0o755)
afterAll(() => {
  rmSync(tools, { recursive: true })
})
const program = (name: string, script: string): void => {
  writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(tools, name), 0o755)
}

const me = realpathSync(process.execPath)

program(
  'systemctl',
  `printf 'Id=real.service\\nNames=alias.service real.service\\nLoadState=loaded\\nActiveState=active\\nMainPID=${String(process.pid)}
NRestarts=2\\nDropInPaths=/a.conf /b.conf\\n\\nId=gone.service\\nNames=gone.service\\nLoadState=not-found\\nActiveState=inactive\\nMainPID=0\\n'`,
)
program(
  'getent',
  `case $2 in ldap) echo 'ldap:*:70000:70000:L:/home/l:/bin/sh' ;; slow) exit 137 ;; *) exit 2 ;; esac`,
)

describe.each(shells)('$name', (shell) => {
  it('reads units, and the program that a service runs by its inode', async () => {
    await using session = await openHere(shell, `${tools}:${shell.path}`)
    const { dev, ino } = statSync(me)
    const units = [
      { atom: 'unit', unit: 'alias.service' },
      { atom: 'unit', unit: 'gone.service' },
    ] as const
    for (const more of [[], [{ atom: 'path', path: me, digestUpTo: 1_000_000_000 } as const]]) {
      const seen = await ask(session, [...units, ...more])
      expect(present(seen.units.get('alias.service'))).toMatchObject({
        active: 'active',
        restarts: 2,
        mainPid: process.pid,
        dropIns: ['/a.conf', '/b.conf'],
        since: 0,
        runningExe: `${String(dev)}:${String(ino)}`,
      })
      expect(seen.units.get('gone.service')).toEqual({ is: 'absent' })
    }
  })

  it('asks the name service only where it is set up, by name, and only for what is missing', async () => {
    await using session = await openHere(shell, `${tools}:${shell.path}`)
    const nss = (setting: string, names: string): Promise<string> =>
      run(
        session,
        `kf_small='/etc/passwd:root:x:0:0:root:/root:/bin/sh
/etc/nsswitch.conf:group: files
/etc/nsswitch.conf:passwd:         ${setting}
/etc/os-release:ID=x'
kf_names passwd ${names} | tr '\\0' ' '`,
      )
    expect(await nss('files systemd', 'ldap')).toBe('')
    expect(await nss('files [NOTFOUND=continue] sss', 'root')).toBe('')
    expect(await nss('files sss', 'root ldap 1000 nosuch slow')).toBe(
      'nss passwd ldap ldap:*:70000:70000:L:/home/l:/bin/sh nss passwd slow ! ',
    )
  })
})
