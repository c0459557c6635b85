import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLab, type Lab } from '../lab/lab.ts'
import { kmsfleet, type CliEnd } from './cli.ts'
import { openDesk, type Desk } from './drive.ts'
import { formsOf } from './forms.ts'

/** A PIN has so little entropy that its digest gives it away. Long enough not to be found by chance. */
const pins = ['7391846205', '2648013975'] as const

let lab: Lab
const desk: Desk = openDesk()
beforeAll(async () => {
  lab = await startLab({
    hosts: [{ variant: 'plain' }, { variant: 'plain' }, { variant: 'plain' }, { variant: 'sudo-password' }],
  })
})
afterAll(async () => {
  desk[Symbol.dispose]()
  await lab.down()
})

test('all forms of a secret are looked for', () => {
  const forms = formsOf('planted')
  for (const text of [
    Buffer.from('a planted').toString('base64'),
    Buffer.from('ab planted').toString('base64url'),
    Buffer.from('abc planted!').toString('base64'),
    '706C616E746564',
    '%70%6c%61%6e%74%65%64',
  ]) {
    expect(forms.some((form) => text.includes(form))).toBe(true)
  }
})

/** Looks into argv and environment of every process of this machine, the lab's hosts included, until it is told to end. */
function watchProcesses(patterns: readonly string[]): { end(): Promise<readonly string[]> } {
  const list = desk.file('patterns', `${patterns.join('\n')}\n`)
  const flag = desk.file('watching', '')
  const script = `while [ -e '${flag}' ]; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; sleep 0.01; done |
    grep -aoFf '${list}' | sort -u`
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const found: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => found.push(bytes))
  return {
    end: async () => {
      const closed = new Promise((done) => child.once('close', done))
      rmSync(flag)
      await closed
      return Buffer.concat(found).toString().split('\n').filter(Boolean)
    },
  }
}

test('no output, journal, argv or environment has a secret in any form', async () => {
  const nextJwt = `${lab.secrets.jwt.slice(0, -8)}rotated0`
  const nextCanary = `${lab.secrets.canary.slice(0, -8)}rotated0`
  const playbook = desk.playbook({
    secrets: {
      openbao_kms_identity_jwt: { file: '{{ openbao_kms_identity_jwt_file }}' },
      token_pin: { file: '{{ pin_file }}' },
    },
    roles: ['openbao_kms_systemd'],
    tasks: [
      {
        copy: {
          dest: '/etc/openbao-kms/pkcs11/pin',
          content: '{{ token_pin }}',
          owner: 'root',
          group: 'openbao-kms',
          mode: '0640',
        },
      },
    ],
  })
  const first = ['-e', `pin_file=${desk.file('pin-1', pins[0])}`]
  const second = [
    '-e',
    `pin_file=${desk.file('pin-2', pins[1])}`,
    '-e',
    `openbao_kms_identity_jwt_file=${desk.file('jwt-2', nextJwt)}`,
  ]
  const wrong = desk.playbook({
    secrets: { token_pin: { file: '{{ pin_file }}' } },
    tasks: [
      {
        copy: { dest: '/srv/x', content: 'pin={{ token_pin }}', owner: 'root', group: 'root', mode: '0644' },
      },
    ],
  })
  const state = join(desk.folder, 'state')
  const secrets = [lab.secrets.jwt, lab.secrets.canary, nextJwt, nextCanary, lab.secrets.password, ...pins]
  const forbidden = [...new Set(secrets.flatMap(formsOf))]

  const watch = watchProcesses([...forbidden, 'KMSFLEET 1 BEGIN'])
  const run = (command: string, book: string, ...args: readonly string[]): Promise<CliEnd> =>
    kmsfleet(state, command, '-i', lab.inventoryFile, ...args, book)
  const become = ['--become-password-file', lab.secrets.passwordFile]
  const ends: CliEnd[] = []
  ends.push(await run('plan', playbook, ...first, ...become, '--diff', '-v'))
  // Each format once on a bare host, then once over what the first secret left there.
  const formats = [
    ['--limit', 'h1', '--diff', '-v'],
    ['--limit', 'h2', '--diff', '--format', 'json'],
    ['--limit', 'h3', '--diff', '--format', 'jsonl'],
    ['--limit', 'h4', '--diff', ...become],
  ]
  for (const secret of [first, second]) {
    ends.push(
      ...(await Promise.all(formats.map((how) => run('converge', playbook, '--yes', ...secret, ...how)))),
    )
    // What is then in the way is told about too.
    await Promise.all(lab.hosts.map((host) => lab.exec(host, 'chmod 0644 /etc/openbao-kms/pkcs11/pin')))
  }
  const refused = await run('converge', wrong, '--yes', ...first)
  const missing = await run('converge', playbook, '--yes', ...first, '--limit', 'h4')
  const seen = await watch.end()

  expect(ends.map(({ code }) => code)).toEqual([2, ...Array<number>(8).fill(0)])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('token_pin')
  expect(missing.code & 4).toBe(4)
  expect(seen).toEqual(['KMSFLEET 1 BEGIN'])
  for (const { stdout, stderr } of [...ends, refused, missing]) {
    for (const form of forbidden) {
      expect(stdout).not.toContain(form)
      expect(stderr).not.toContain(form)
    }
  }
  expect(ends.map(({ stdout, stderr }) => (stdout + stderr).includes('pkcs11/pin')).every(Boolean)).toBe(true)

  const journals = readdirSync(state, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  expect(journals.length).toBeGreaterThan(9)
  for (const entry of journals) {
    const text = readFileSync(join(entry.parentPath, entry.name), 'latin1')
    for (const form of forbidden) expect(text).not.toContain(form)
  }

  // On a host a secret is where it shall be, and in no log, temporary file or record of ours.
  for (const host of lab.hosts) {
    const logs = await lab.exec(host, 'journalctl -o export; cat /var/log/* 2>/dev/null || :')
    expect(logs).toContain('kmsfleet')
    for (const form of forbidden) expect(logs).not.toContain(form)
    const places = await lab.exec(
      host,
      `grep -rlaF -e '${nextCanary}' -e '${pins[1]}' /etc /var /run /tmp /srv /opt /root /home 2>/dev/null | sort`,
    )
    expect(places).toBe('/etc/openbao-kms/pkcs11/pin\n/var/lib/openbao-kms/identity.jwt\n')
    const old = await lab.exec(
      host,
      `grep -rlaF -e '${lab.secrets.canary}' -e '${pins[0]}' /etc /var /run /tmp /srv /opt /root /home 2>/dev/null || :`,
    )
    expect(old).toBe('')
  }
})
