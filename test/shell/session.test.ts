import { describe, expect, it } from 'vitest'
import { rootCommand } from '../../src/shell/bootstrap.ts'
import { quote } from '../../src/shell/quote.ts'
import { compileRead } from '../../src/shell/read/compile.ts'
import { openSession } from '../../src/shell/session.ts'
import type { Frame, FrameMessage, Session } from '../../src/shell/session.ts'
import { commandFor, localChannel, shells } from './local-shell.ts'

const never = new AbortController().signal

/** A frame that does what no compiler emits, and then probes nothing. */
function frameOf(script: string, more: Partial<Frame> = {}): Frame {
  const probe = compileRead([])
  return {
    ...probe,
    access: 'write',
    script: (nonce) => `${script}\n${probe.script(nonce)}`,
    deadlineMs: 20_000,
    outputLimit: 1_000_000,
    ...more,
  }
}

async function collect(session: Session, frame: Frame, signal = never): Promise<readonly FrameMessage[]> {
  const messages: FrameMessage[] = []
  for await (const message of session.send(frame, signal)) messages.push(message)
  return messages
}

const open = (command = rootCommand): Promise<Session> => openSession(localChannel(command), never)

describe.each(shells)('$name', (shell) => {
  it('gives reports as they come, hands payloads over exactly, and stays open', async () => {
    await using session = await open(commandFor(shell))
    const payload = Buffer.alloc(200_003, 'payload\0\n')
    const script = `kf_mark doing 7
kf_x=$(dd bs=200003 count=1 iflag=fullblock 2>/dev/null | sha256sum)
kf_mark done 7 0 "\${kf_x%% *}"`
    const messages = await collect(
      session,
      frameOf(script, { payloads: [payload.subarray(0, 9), payload.subarray(9)] }),
    )
    expect(messages.slice(0, 2)).toEqual([
      { is: 'report', report: { change: 7, says: 'doing' } },
      {
        is: 'report',
        report: {
          change: 7,
          says: 'done',
          status: 0,
          output: (await import('node:crypto')).createHash('sha256').update(payload).digest('hex'),
        },
      },
    ])
    expect(messages[2]).toMatchObject({ is: 'snapshot', snapshot: { host: { uid: process.getuid?.() } } })
    const again = await collect(session, compileRead([{ atom: 'path', path: '/' }]))
    expect(again).toMatchObject([{ is: 'snapshot' }])
    expect(session.state).toBe('open')
    expect(session.roundTrips).toBe(2)
  })

  it('puts up with what a login file printed', async () => {
    const noise = `printf '\\033]0;x\\007KMSFLEET 1 BEG'; echo; printf 'no newline'; exec ${commandFor(shell)}`
    await using session = await open(`/bin/sh -c ${quote(noise)}`)
    expect(await collect(session, compileRead([]))).toHaveLength(1)
  })
})

it('sends nothing before the begin line', async () => {
  const channel = localChannel('cat')
  await expect(openSession(channel, AbortSignal.timeout(200))).rejects.toThrow()
  expect(channel.bytesSent).toBe(0)
})

it.each([
  ['a login that prints for ever', 'yes', 'host.no-shell'],
  [
    'a login that prints more than 64 KiB first',
    `/bin/sh -c ${quote(`head -c 70000 /dev/zero; ${rootCommand}`)}`,
    'host.no-shell',
  ],
  [
    'a login shell that refuses',
    '/bin/sh -c "echo This account is not available. >&2; exit 1"',
    'host.shell-ended',
  ],
])('says what is wrong with %s', async (_, command, code) => {
  await expect(open(command)).rejects.toMatchObject({ code })
})

it('shows what the shell complained of, on one line', async () => {
  const dying = open('/bin/sh -c "printf \'one\\ntwo\\n\' >&2; exit 3"')
  await expect(dying).rejects.toThrow(
    'expected the shell to answer, found that it ended with exit status 3; it said: one | two',
  )
})

describe('a frame that goes wrong', () => {
  it.each<[string, Frame, string]>([
    ['ends the shell', frameOf('exit 5'), 'host.shell-ended'],
    ['is no shell', frameOf('if then'), 'host.shell-ended'],
    ['hangs', frameOf('sleep 60', { deadlineMs: 300 }), 'host.deadline'],
    ['drips for ever', frameOf('while :; do kf_f x; sleep 0.05; done', { deadlineMs: 500 }), 'host.protocol'],
    [
      'prints too much',
      frameOf('kf_mark probe; while :; do kf_f xxxxxxxx; done', { outputLimit: 5000 }),
      'host.protocol',
    ],
    ['prints outside of records', frameOf('echo hello'), 'host.protocol'],
    ['reports nonsense', frameOf('kf_mark doing me'), 'host.protocol'],
  ])('%s: a typed error, and no second frame', async (_, frame, code) => {
    await using session = await open()
    await expect(collect(session, frame)).rejects.toMatchObject({ code })
    expect(session.state).toBe('poisoned')
    await expect(collect(session, compileRead([]))).rejects.toMatchObject({ code: 'host.shell-ended' })
  })

  it('is not extended by bytes that keep coming', async () => {
    await using session = await open()
    const drip = frameOf('kf_mark probe; while :; do kf_f owed x; sleep 0.05; done', { deadlineMs: 500 })
    await expect(collect(session, drip)).rejects.toMatchObject({ code: 'host.deadline' })
  })

  it('is dropped when the run is aborted, or the consumer leaves', async () => {
    await using session = await open()
    await expect(collect(session, frameOf('sleep 60'), AbortSignal.timeout(100))).rejects.toThrow()
    expect(session.state).toBe('poisoned')
    await using other = await open()
    for await (const message of other.send(frameOf('kf_mark doing 1; sleep 60'), never)) {
      expect(message.is).toBe('report')
      break
    }
    expect(other.state).toBe('poisoned')
  })
})

it('refuses a script that could not arrive as it was made', async () => {
  await using session = await open()
  const frame = frameOf('')
  await expect(collect(session, { ...frame, script: () => 'a\0b' })).rejects.toMatchObject({
    code: 'host.unsendable',
  })
})
