import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FileCheck, WriteOp } from '../../../src/model/wire.ts'
import { shells } from '../local-shell.ts'
import { changesOf, detailOf, last, payloadOf, send, stages, testHost, type TestHost } from './host.ts'

/** Checks of a staged file: several in turn, single checks that are excused, and copies of a file that names it. */

function put(base: string, name: string, text: string, validate: readonly FileCheck[]): WriteOp {
  return {
    op: 'file-put',
    parent: { path: base, anchor: '/var/lib' },
    name,
    expect: { absent: true },
    payload: payloadOf(text),
    to: { owner: 'root', group: 'daemon', mode: 0o640 },
    validate,
  }
}

const check = (status: string, id: string, message = ''): string =>
  `{"id":"${id}","title":"t","status":"${status}","message":"${message}"}`
const report = (...checks: readonly string[]): string => `{"name":"doctor","checks":[${checks.join(',')}]}`
const spread = (...checks: readonly string[]): string =>
  JSON.stringify(JSON.parse(report(...checks)), undefined, 2)

/** A program that prints a report and ends with a status. */
function doctor(host: TestHost, text: string, status = 4): readonly string[] {
  const file = join(host.base, 'report')
  writeFileSync(file, text)
  return ['sh', '-c', `cat "$1"; echo "a check failed" >&2; exit ${String(status)}`, 'sh', file, '{}']
}

const down = check('fail', 'openbao.tls', 'no route')
const fine = check('pass', 'jwt.local')

/** What is printed, the exit status, and what is said of it; undefined: accepted, with `openbao.tls` excused. */
const reports: readonly (readonly [string, string, number, RegExp | undefined])[] = [
  ['only what is excused failed', report(fine, down), 4, undefined],
  ['the same, on several lines', spread(fine, down), 4, undefined],
  [
    'something else failed too',
    report(down, check('fail', 'jwt.local', 'file_missing')),
    4,
    /status 4: jwt.local \(file_missing\)$/,
  ],
  [
    'the same, on several lines',
    spread(check('fail', 'jwt.local', 'file_missing'), down),
    4,
    /status 4: jwt.local \(file_missing\)$/,
  ],
  [
    'a message that looks like a check',
    report(down, check('fail', 'a.b', '{\\"id\\":\\"openbao.tls\\"')),
    4,
    /status 4: a.b \(\)$/,
  ],
  ['a check without an id', report(down, '{"status":"fail"}'), 4, /status 4: \? \(\)$/],
  [
    'a brace in a message before the status',
    report('{"id":"a.b","message":"{","status":"fail"}'),
    4,
    /status 4: \? \(\)$/,
  ],
  ['another exit status', report(down), 5, /status 5: {"name"/],
  ['no report', 'openbao.tls', 4, /status 4: openbao.tls/],
  ['a report of nothing that failed', report(fine), 4, /status 4: {"name"/],
  [
    'a report that is cut short',
    report(down, check('pass', 'a', 'x'.repeat(70_000))),
    4,
    /status (4|141): {"name"/,
  ],
]

describe.each(shells)('$name', (shell) => {
  it.each(reports)('%s', async (_, text, status, said) => {
    await using host = await testHost(shell)
    await using session = await host.open()
    const argv = doctor(host, text, status)
    const end = await send(session, changesOf(put(host.base, 'f', 'x', [{ argv, excuse: ['openbao.tls'] }])))
    expect(existsSync(join(host.base, 'f'))).toBe(said === undefined)
    expect(stages('/var/lib')).toEqual([])
    if (said === undefined) return
    expect(last(end)).toMatchObject({ says: 'failed', step: 'validate' })
    expect(detailOf(end)).toMatch(said)
    expect(detailOf(end).length).toBeLessThan(4300)
  })

  it('excuses nothing where nothing is excused', async () => {
    await using host = await testHost(shell)
    await using session = await host.open()
    const end = await send(
      session,
      changesOf(put(host.base, 'f', 'x', [{ argv: doctor(host, report(down)) }])),
    )
    expect(detailOf(end)).toContain('exit status 4: openbao.tls (no route)')
  })

  it('runs several in turn, and passes over those whose files do not exist', async () => {
    await using host = await testHost(shell)
    const { base } = host
    await using session = await host.open()
    const log = (word: string, ifExist: readonly string[] = []): FileCheck => ({
      argv: ['sh', '-c', 'cat "$2" >/dev/null && echo "$0" >>"$1"', word, join(base, 'log'), '{}'],
      ifExist,
    })
    await send(
      session,
      changesOf(
        put(base, 'f', 'x', [
          log('one'),
          log('two', [base, join(base, 'none')]),
          log('three', [base]),
          { argv: ['grep', '-q', 'y', '{}'] },
          log('never'),
        ]),
      ),
    )
    expect(readFileSync(join(base, 'log'), 'utf8')).toBe('one\nthree\n')
    expect(readdirSync(base)).toEqual(['log'])
  })

  // busybox alone can become no identity that has no account
  it.skipIf(shell.name === 'busybox')('checks a copy of a file that names the new one', async () => {
    await using host = await testHost(shell)
    const { base } = host
    chmodSync(base, 0o755)
    await using session = await host.open()
    const as = { by: 'number', uid: 4242, gid: 1, groups: [1] } as const
    const through = join(base, 'config')
    // The copy names a file that has the new text, and is otherwise the file; both are read as the identity.
    const argv = [
      'sh',
      '-c',
      'grep -qx "a: 1" "$1" && f=$(sed -n "s/ca: //p" "$1") && [ "$f" != "$2" ] && grep -q new "$f"',
      'sh',
      '{}',
      join(base, 'ca'),
    ]
    const checks = [{ argv, as, through }]
    const config = (text: string, mode = 0o644): void => {
      writeFileSync(through, text)
      chmodSync(through, mode)
    }
    const says = async (text: string): Promise<string> => {
      const end = await send(session, changesOf(put(base, 'ca', text, checks)))
      host.run(`rm -f ${base}/ca`)
      expect(stages('/var/lib')).toEqual([])
      return last(end)?.says === 'done' ? 'done' : detailOf(end)
    }
    expect(await says('old')).toBe('done')
    config(`a: 1\nca: ${base}/other\n`)
    expect(await says('old')).toBe('done')
    config(`a: 1\nca: ${base}/ca\n`)
    expect(await says('new')).toBe('done')
    expect(await says('old')).toContain('as uid 4242, found exit status 1')
    config(`a: 1\nca: ${base}/ca\n`, 0o600)
    expect(await says('new')).toContain(`expected uid 4242 to read ${through}, found exit status 1`)
  })
})
