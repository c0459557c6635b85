import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  mkdirSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunEvent } from '../../src/model/event.ts'
import type { Plan } from '../../src/model/plan.ts'
import { createRedactor } from '../../src/model/redact.ts'
import { Secret } from '../../src/model/secret.ts'
import { createEventStream } from '../../src/model/stream.ts'
import { known, unknown } from '../../src/model/value.ts'
import { openJournal, runId, type JournalOptions } from '../../src/runs/journal.ts'
import { planHash } from '../../src/runs/plan-hash.ts'
import { stateFolder } from '../../src/runs/state-folder.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kmsfleet-journal-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function options(changed: Partial<JournalOptions> = {}): JournalOptions {
  return {
    stateFolder: join(folder, 'state'),
    run: '20261123T120301Z-9f3a1c',
    command: 'converge',
    operator: 'ann@desk',
    version: '0.1.0',
    playbook: 'site.yml',
    inventory: 'hosts.yml',
    hosts: ['h1'],
    ...changed,
  }
}

function linesOf(path: string): unknown[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
}

const mode = (path: string): number => statSync(path).mode & 0o777

describe('journal', () => {
  test('holds head, events and end, readable by the owner only', () => {
    const journal = openJournal(options())
    const stream = createEventStream([journal.record], () => new Date(0))
    stream.emit({ type: 'connecting', host: 'h1' })
    stream.emit({ type: 'run-ended', exitCode: 0, milliseconds: 5 })
    journal.close(0)
    expect(linesOf(journal.path)).toMatchObject([
      { type: 'journal', run: '20261123T120301Z-9f3a1c', operator: 'ann@desk', hosts: ['h1'] },
      { v: 1, seq: 1, at: '1970-01-01T00:00:00.000Z', type: 'connecting', host: 'h1' },
      { seq: 2, type: 'run-ended' },
      { type: 'journal-end', exitCode: 0, complete: true },
    ])
    expect(stream.seq).toBe(2)
    expect([mode(journal.path), mode(join(folder, 'state')), mode(join(folder, 'state', 'runs'))]).toEqual([
      0o600, 0o700, 0o700,
    ])
  })

  test('a folder that is open to others is closed', () => {
    mkdirSync(join(folder, 'state'), { mode: 0o755 })
    chmodSync(join(folder, 'state'), 0o755)
    openJournal(options()).close(0)
    expect(mode(join(folder, 'state'))).toBe(0o700)
  })

  test('a symbolic link in place of the folder is refused', () => {
    mkdirSync(join(folder, 'elsewhere'))
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'state'))
    expect(() => openJournal(options())).toThrow(/expected the state folder/)
  })

  test('a folder that cannot be made is an error before the run', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => openJournal(options({ stateFolder: join(folder, 'file', 'state') }))).toThrow(
      /found ENOTDIR/,
    )
  })

  test('no run writes into the journal of another', () => {
    openJournal(options()).close(0)
    expect(() => openJournal(options())).toThrow(/found EEXIST/)
  })

  test.each(['../x', '', '-x', 'a/b'])('the run id %j is refused', (run) => {
    expect(() => openJournal(options({ run }))).toThrow(/run id/)
  })

  test('a full disk is told at the end', () => {
    const event: RunEvent = { v: 1, seq: 1, at: '', type: 'connecting', host: 'h1' }
    let fail = false
    const redact = (text: string): string => {
      if (fail) throw new Error('no space')
      return text
    }
    const journal = openJournal(options({ redact }))
    fail = true
    journal.record(event)
    fail = false
    expect(() => {
      journal.close(0)
    }).toThrow(/no space/)
    expect(linesOf(journal.path)).toHaveLength(2)
    expect(linesOf(journal.path)[1]).toMatchObject({ complete: false })
  })

  test('run ids sort by time', () => {
    const [early, late] = [runId(new Date('2026-11-23T09:59:59Z')), runId(new Date('2026-11-23T10:00:00Z'))]
    expect(early).toMatch(/^20261123T095959Z-[0-9a-f]{6}$/)
    expect(early < late).toBe(true)
  })
})

describe('redaction by value', () => {
  const value = `s3cr3t "pass" it's/α+?`
  const redact = createRedactor([
    new Secret('token', Buffer.from(`${value}\n`)),
    new Secret('pin', Buffer.from('123')),
  ])
  const bytes = Buffer.from(value)
  const forms: readonly (readonly [string, string])[] = [
    ['raw', value],
    ['base64', bytes.toString('base64')],
    ['base64 with the newline', Buffer.from(`${value}\n`).toString('base64')],
    ['base64url', bytes.toString('base64url')],
    ['hex', bytes.toString('hex')],
    ['upper hex', bytes.toString('hex').toUpperCase()],
    ['URL', encodeURIComponent(value)],
    ['form', encodeURIComponent(value).replaceAll('%20', '+')],
    ['JSON', JSON.stringify(value).slice(1, -1)],
    ['shell', value.replaceAll("'", "'\\''")],
  ]
  test.each(forms)('%s', (_name, form) => {
    expect(redact(`a ${form} b`)).toMatch(/^a \[secret token\]=* b$/)
  })

  test('short values and other text stay', () => {
    expect(redact('123 s3cr3t')).toBe('123 s3cr3t')
  })

  test('the journal holds none of the forms and stays valid JSON', () => {
    const journal = openJournal(options({ redact }))
    for (const [, form] of forms) {
      journal.record({
        v: 1,
        seq: 1,
        at: '',
        type: 'rail',
        problem: { code: 'run.rail', message: `x ${form} y` },
      })
    }
    journal.close(1)
    const text = readFileSync(journal.path, 'utf8')
    for (const [, form] of forms) expect(text).not.toContain(form)
    expect(linesOf(journal.path)).toHaveLength(forms.length + 2)
  })
})

test.each([
  [{ KMSFLEET_STATE_DIR: '/s' }, '/s'],
  [{ KMSFLEET_STATE_DIR: '', XDG_STATE_HOME: '/x' }, '/x/kmsfleet'],
  [{ XDG_STATE_HOME: 'relative' }, '/home/ann/.local/state/kmsfleet'],
  [{}, '/home/ann/.local/state/kmsfleet'],
])('state folder of %j', (environment, expected) => {
  expect(stateFolder(environment, '/home/ann')).toBe(expected)
})

test('a relative KMSFLEET_STATE_DIR is refused', () => {
  expect(() => stateFolder({ KMSFLEET_STATE_DIR: 'x' }, '/home/ann')).toThrow(/absolute/)
})

test('the plan hash follows keys and differences and nothing else', () => {
  const plan = (to: string | undefined, unchanged = 0): Plan => ({
    host: 'h1',
    due: [],
    unchanged,
    notCompared: [],
    remarks: [],
    stages: [
      {
        needs: [],
        items: [
          {
            item: 'change',
            key: 'file:/x@play/1',
            resource: 'file:/x',
            task: { id: 'play/1', name: 'x', place: { file: 'a', line: 1, column: 1 } },
            differences: [
              {
                attribute: 'mode',
                from: known('0644'),
                to: to === undefined ? unknown({ after: 'group:g', field: 'gid' }) : known(to),
              },
            ],
            ops: [],
            effects: [],
            disruptive: false,
            provisional: false,
            owes: [],
            settles: [],
          },
        ],
      },
    ],
  })
  expect(planHash(plan('0600'))).toBe(planHash(plan('0600', 7)))
  expect(new Set([planHash(plan('0600')), planHash(plan('0640')), planHash(plan(undefined))]).size).toBe(3)
})
