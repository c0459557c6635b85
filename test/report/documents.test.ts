import { describe, expect, test } from 'vitest'
import type { RunEventBody } from '../../src/model/event.ts'
import { createRedactor } from '../../src/model/redact.ts'
import { Digest, Secret } from '../../src/model/secret.ts'
import { createJson } from '../../src/report/json.ts'
import { createJsonl } from '../../src/report/jsonl.ts'
import { createOutput, type Redact } from '../../src/report/output.ts'
import type { Report } from '../../src/report/report.ts'
import { EventSchema, RunDocumentSchema } from '../../src/report/schema.ts'
import { change, check, cost, differs, events, planOf, refused, socketGid, undecided } from './fixtures.ts'

const planted = 's3cret"\nwith a line break'
const redact = createRedactor([new Secret('pin', Buffer.from(planted))])

const put = change('file:/etc/pin', [differs('content', 'absent', `oops ${planted}`)], {
  ops: [
    {
      op: 'file-put',
      parent: { path: '/etc' },
      name: 'pin',
      expect: { absent: true },
      payload: { digest: Digest.of(Buffer.from(planted), true), bytes: Buffer.from(planted), secret: true },
      to: { owner: 'root', group: 'root', mode: 0o600 },
    },
  ],
})

const problem = {
  code: 'host.change-failed',
  message: `found ${planted}`,
  hint: 'Free some.',
  place: { file: 'p.yml', line: 1, column: 1 },
  subject: '/etc/pin\u202e\u001b[2J',
} as const

/** Every type of event, with everything optional once there. */
const everything: readonly RunEventBody[] = [
  {
    type: 'run-started',
    run: 'r',
    command: 'converge',
    playbook: 'p.yml',
    hosts: ['h1', 'h2'],
    version: '1.0.0',
  },
  { type: 'play-started', play: 'p', hosts: ['h1', 'h2'] },
  { type: 'batch-started', hosts: ['h1'] },
  { type: 'paused', seconds: 30 },
  { type: 'connecting', host: 'h1' },
  { type: 'connected', host: 'h1' },
  {
    type: 'planned',
    host: 'h1',
    plan: planOf('h1', [
      [put, check('a:b', 'unmet', [differs('x', '', socketGid)])],
      [undecided('loop', [socketGid]), refused('c:d', 'm', 'h')],
    ]),
  },
  { type: 'waiting', host: 'h1', for: 'h2' },
  { type: 'acting', host: 'h1', change: put.key },
  { type: 'done', host: 'h1', change: put.key },
  { type: 'stopped', host: 'h1', change: 'x:y@play/9' },
  { type: 'failed', host: 'h1', change: put.key, problem },
  { type: 'conflict', host: 'h1', problem },
  { type: 'proved', host: 'h1', stage: 1, left: [differs('mode', '1', '2')] },
  { type: 'widened', host: 'h1', changes: ['z:z@play/1'] },
  {
    type: 'host-ended',
    host: 'h1',
    outcome: 'failed',
    changed: 1,
    differing: 2,
    due: [],
    unchanged: 3,
    problem,
    cost,
  },
  { type: 'rail', problem: { code: 'run.rail', message: 'too many' } },
  { type: 'run-ended', exitCode: 20, milliseconds: 12.5 },
]

async function printed(
  make: (output: ReturnType<typeof createOutput>) => Report,
  using: Redact,
): Promise<string> {
  let out = ''
  const report = make(createOutput({ write: (part) => (out += part) }, { color: false, redact: using }))
  for (const event of events(everything)) report.take(event)
  await report.close()
  return out
}

describe('--format jsonl', () => {
  test('is one object a line, each of the published schema', async () => {
    const lines = (await printed(createJsonl, redact)).trimEnd().split('\n')
    const parsed = lines.map((line) => EventSchema.parse(JSON.parse(line)))
    expect(parsed.map(({ type }) => type)).toEqual(everything.map(({ type }) => type))
    expect(parsed.map(({ seq }) => seq)).toEqual(everything.map((_, index) => index + 1))
  })
})

describe('--format json', () => {
  test('is one document of the published schema that says it all', async () => {
    const document = RunDocumentSchema.parse(JSON.parse(await printed(createJson, redact)))
    expect(document).toMatchObject({
      format: 'kmsfleet-run/1',
      run: 'r',
      exitCode: 20,
      hosts: [
        {
          host: 'h1',
          outcome: 'failed',
          changed: 1,
          done: [put.key],
          stopped: ['x:y@play/9'],
          widened: ['z:z@play/1'],
          problems: [{ change: put.key, problem: { code: 'host.change-failed' } }],
        },
        { host: 'h2', outcome: 'not-run', plans: [] },
      ],
      problems: [{ code: 'run.rail' }],
    })
  })

  test('says null where the run broke off', async () => {
    let out = ''
    const report = createJson(createOutput({ write: (part) => (out += part) }, { color: false, redact }))
    await report.close()
    expect(
      RunDocumentSchema.safeParse({ ...Object(JSON.parse(out)), started: '2026-01-01T00:00:00Z' }).success,
    ).toBe(true)
    expect(out).toContain('"exitCode": null')
  })
})

test.each([
  ['json', createJson],
  ['jsonl', createJsonl],
] as const)('%s redacts by value before it serialises, and never holds a payload', async (_name, make) => {
  const open = await printed(make, (text) => text)
  const redacted = await printed(make, redact)
  const serialised = JSON.stringify(planted).slice(1, -1)
  expect(open, 'the test plants something').toContain(serialised)
  expect(redacted).not.toContain(serialised)
  expect(redacted).toContain('oops [secret pin]')
  for (const form of [
    Buffer.from(planted).toString('base64'),
    Buffer.from(planted).toString('hex'),
    'file-put',
    'bytes":',
  ]) {
    expect(open, form).not.toContain(form)
  }
  expect(open).not.toMatch(/[\u001b\u202e]/)
})
