import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { EventSchema, RunDocumentSchema } from '../../src/report/schema.ts'
import { kmsfleet, project } from './kmsfleet.ts'

/* The command line against this machine itself; needs root, since it makes what root makes. */

const canary = 'CANARY-4711-quoted"-end'
const srv = mkdtempSync('/srv/kmsfleet-test-')
chmodSync(srv, 0o755)
afterAll(() => {
  rmSync(srv, { recursive: true })
})

const files = project({
  'hosts.yml': 'all: { vars: { cluster: c1 }, hosts: { here: {} } }\n',
  pin: canary,
  'play.yml': `- name: Secrets
  hosts: all
  secrets: { pin: { file: pin } }
  tasks:
    - name: Base
      directory: { path: ${srv}/a, owner: root, group: root, mode: "0750" }
    - name: Open text
      copy: { dest: ${srv}/a/open, content: "one\\ntwo\\n", owner: root, group: root, mode: "0644" }
    - name: Pin
      copy: { dest: ${srv}/a/pin, content: "{{ pin }}", owner: root, group: root, mode: "0600" }
`,
  'slow.yml': `- name: Slow
  hosts: all
  tasks:
    - name: Sleep
      command: { argv: [sleep, "2"], always: true }
    - name: Late
      directory: { path: ${srv}/late, owner: root, group: root, mode: "0755" }
`,
})
chmodSync(files('pin'), 0o600)
const state = { KMSFLEET_STATE_DIR: files('state') }
const local = ['-i', files('hosts.yml'), '-c', 'local']

function seenEverywhere(...outputs: readonly string[]): string {
  const runs = join(files('state'), 'runs')
  return [...outputs, ...readdirSync(runs).map((name) => readFileSync(join(runs, name), 'utf8'))].join('\n')
}

describe('plan, converge, plan', () => {
  test('a plan exits 2 and writes nothing', async () => {
    const ended = await kmsfleet(['plan', files('play.yml'), ...local], state)
    expect(ended.code).toBe(2)
    expect(ended.stdout).toMatch(/^here: 3 changes; 0 unchanged\n {2}\+ directory:/)
    expect(ended.stdout).toMatch(/\n1 host: 3 to change, 0 unchanged \(\d.*\)\n$/)
    expect(existsSync(join(srv, 'a'))).toBe(false)
  })

  test('converge --yes makes it; neither output, nor journal, has the secret in any form', async () => {
    const ended = await kmsfleet(
      ['converge', files('play.yml'), ...local, '--yes', '--diff', '-v', '--format', 'jsonl'],
      state,
    )
    expect(ended.stderr).toMatch(/\nhere: done directory:/)
    expect(ended.code).toBe(0)
    const types = ended.stdout
      .trimEnd()
      .split('\n')
      .map((line) => EventSchema.parse(JSON.parse(line)).type)
    expect(types.at(0)).toBe('run-started')
    expect(types.at(-1)).toBe('run-ended')
    expect(readFileSync(join(srv, 'a/pin'), 'utf8')).toBe(canary)
    const seen = seenEverywhere(ended.stdout, ended.stderr)
    const bytes = Buffer.from(canary)
    for (const form of [
      canary,
      'CANARY',
      bytes.toString('base64'),
      bytes.toString('hex'),
      encodeURIComponent(canary),
    ]) {
      expect(seen, form).not.toContain(form)
    }
  })

  test('a second converge changes nothing, a mode broken by hand is planned alone', async () => {
    const before = statSync(join(srv, 'a/open'), { bigint: true })
    const again = await kmsfleet(
      ['converge', files('play.yml'), ...local, '--yes', '--format', 'json'],
      state,
    )
    const document = RunDocumentSchema.parse(JSON.parse(again.stdout))
    expect(document).toMatchObject({ exitCode: 0, hosts: [{ outcome: 'ok', changed: 0, differing: 0 }] })
    expect(statSync(join(srv, 'a/open'), { bigint: true })).toMatchObject({
      ino: before.ino,
      ctimeNs: before.ctimeNs,
    })

    chmodSync(join(srv, 'a'), 0o700)
    const plan = await kmsfleet(['plan', files('play.yml'), ...local], state)
    expect(plan.code).toBe(2)
    expect(plan.stdout).toContain(`  ~ directory:${srv}/a  Base\n      mode  0700 → 0750\n`)
    expect(plan.stdout).toContain(`${srv}/a/pin: content not compared`)
  })
})

/** Converges slow.yml and sends SIGINT each time that a text is seen on standard error, in this order. */
async function interrupted(
  ...after: readonly string[]
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', main, 'converge', files('slow.yml'), ...local, '--yes', '-v'],
    { env: { ...process.env, ...state }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const waiting = [...after]
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()))
  child.stderr.on('data', (part: Buffer) => {
    stderr += part.toString()
    const [next] = waiting
    if (next === undefined || !stderr.includes(next)) return
    waiting.shift()
    child.kill('SIGINT')
  })
  await once(child, 'close')
  return { code: child.exitCode, stdout, stderr }
}

test('Ctrl-C finishes the change in hand, begins nothing new, says so and exits 130', async () => {
  const { code, stdout, stderr } = await interrupted('begins command:')
  expect(stderr).toMatch(
    /begins command:(.|\n)*stopping: (.|\n)*done command:(.|\n)*stopped before directory:/,
  )
  expect(stdout).toContain(`NOT DONE here\n  directory:${srv}/late\n`)
  expect(code).toBe(130)
  expect(existsSync(join(srv, 'late'))).toBe(false)
})

test('a second Ctrl-C drops everything, and is no bug to report', async () => {
  const { code, stderr } = await interrupted('begins command:', 'stopping: ')
  expect(stderr).toContain('dropping everything')
  expect(stderr).not.toMatch(/internal error|done command:/)
  expect(code).toBe(130)
})
