import { describe, expect, test } from 'vitest'
import type { Check, HostProof, Rule, Step, Verdict, VerdictKind } from '../../src/model/access.ts'
import { plainLine } from '../../src/report/paint.ts'
import { proofDocument, proofJunit } from '../../src/report/proof-data.ts'
import { proofLines, proofRecap } from '../../src/report/proof-text.ts'

const rule = (actor: string, must: boolean, action: Rule['action'], object: string): Rule => ({
  ...{ actor, must, action, object, because: 'It is so', source: 'Access matrix' },
  place: { file: 'roles/r/access.yml', line: 7, column: 5 },
})
const step: Step = {
  ...{ path: '/etc/kms/pin', needs: 'read', allowed: true, decidedBy: 'other has r--', row: 'root:kms 0644' },
}
const verdict = (of: Rule, kind: VerdictKind, finding = ''): Verdict => ({
  ...{
    rule: of,
    verdict: kind,
    finding,
    attempt: { is: 'granted' },
    evaluation: { is: 'granted', steps: [step] },
  },
  selfReported: false,
})
const check = (kind: VerdictKind, finding = ''): Check => ({
  ...{ subject: 'socket', expected: 'the provider listens', verdict: kind, finding, source: 'KMS v2' },
})

const proof = (host: string, changes: Partial<HostProof> = {}): HostProof => ({
  host,
  actors: [
    {
      ...{ name: 'api', description: 'the API server', from: 'api.service, process 12' },
      identity: { uid: 997, gid: 997, groups: [996, 997], capabilities: new Set() },
    },
  ],
  verdicts: [
    verdict(rule('provider', true, 'read', '/etc/kms/pin'), 'pass'),
    verdict(rule('api', false, 'read', '/etc/kms/pin'), 'pass'),
    verdict(rule('api', false, 'write', '/etc/kms/pin'), 'pass'),
    verdict(rule('api', true, 'connect', '/run/kms.sock'), 'pass'),
  ],
  checks: [check('pass')],
  sockets: [],
  outside: [{ actor: 'administrator', statement: 'kept elsewhere', source: 's' }],
  cost: { milliseconds: 10, roundTrips: 1 },
  ...changes,
})

const bad = proof('h9', {
  verdicts: [
    verdict(rule('api', false, 'read', '/etc/kms/pin'), 'violated', 'api can read it, since other has r--'),
    verdict(rule('api', false, 'write', '/etc/kms/pin'), 'not-enforceable', 'it is root'),
    verdict(rule('api', false, 'replace', '/etc/kms/pin'), 'not-enforceable', 'it is root'),
    verdict(
      rule('api', true, 'connect', '/run/kms.sock'),
      'unknown',
      'it could not be tried: <no> "tool"\n::x',
    ),
  ],
  checks: [check('violated', 'found process 7')],
})

const text = (proofs: readonly HostProof[], verbose = false): string =>
  proofLines(proofs, { verbose }).map(plainLine).join('\n')

describe('as text', () => {
  test('hosts of which the same is to be said are told together, whatever their numbers', () => {
    const other = proof('h2', { actors: [], cost: { milliseconds: 99, roundTrips: 1 } })
    expect(text([proof('h1'), other, proof('h3')])).toBe(`h1–h3 (3 hosts)
  api: the API server (api.service)

                 provider  api
  /etc/kms/pin   +read     -read -write
  /run/kms.sock            +connect
  + must and can, - must not and cannot, ! violated, ? unknown, ~ not enforceable here


outside the proof, administrator: kept elsewhere
`)
  })

  test('what is not proved says why, why it matters and where that is written', () => {
    expect(text([bad])).toBe(`h9
  api: the API server (api.service, process 12; uid 997, gid 997, groups 996, 997, no capabilities)

                 api
  /etc/kms/pin   !read ~write ~replace
  /run/kms.sock  ?connect
  + must and can, - must not and cannot, ! violated, ? unknown, ~ not enforceable here

  VIOLATED api must not read /etc/kms/pin
      api can read it, since other has r--
      It is so (Access matrix; roles/r/access.yml:7:5)
  not enforceable api must not write to, replace /etc/kms/pin
      it is root
      It is so (Access matrix; roles/r/access.yml:7:5)
  UNKNOWN api must connect to /run/kms.sock
      it could not be tried: <no> "tool"\\n::x
      It is so (Access matrix; roles/r/access.yml:7:5)
  VIOLATED socket: the provider listens
      found process 7
      KMS v2

outside the proof, administrator: kept elsewhere
`)
  })

  test('the recap counts every kind', () => {
    expect(plainLine(proofRecap([proof('h1'), bad], 1234))).toBe(
      '2 hosts: proved 5, violated 2, unknown 1, not enforceable 2 (1.2 s)',
    )
  })

  test('checks that passed are shown on demand', () => {
    expect(text([proof('h1')], true)).toContain('  proved socket: the provider listens\n')
    expect(text([proof('h1')])).not.toContain('the provider listens')
  })
})

test('as JUnit: a violation is a failure, what is unknown an error, and so is a host that was not asked', () => {
  expect(proofJunit([bad], new Map([['h10', 'no route & "more"']])))
    .toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="kmsfleet verify">
  <testsuite name="h9" tests="5" failures="2" errors="1" skipped="2">
    <testcase name="must not read /etc/kms/pin" classname="api"><failure message="api can read it, since other has r--"/></testcase>
    <testcase name="must not write /etc/kms/pin" classname="api"><skipped message="it is root"/></testcase>
    <testcase name="must not replace /etc/kms/pin" classname="api"><skipped message="it is root"/></testcase>
    <testcase name="must connect /run/kms.sock" classname="api"><error message="it could not be tried: &lt;no&gt; &quot;tool&quot;\\n::x"/></testcase>
    <testcase name="the provider listens" classname="socket"><failure message="found process 7"/></testcase>
  </testsuite>
  <testsuite name="h10" tests="1" failures="0" errors="1" skipped="0">
    <testcase name="the host answers" classname="host"><error message="no route &amp; &quot;more&quot;"/></testcase>
  </testsuite>
</testsuites>
`)
})

test('as data: everything that was found, and hosts that were not asked', () => {
  const document = JSON.stringify(proofDocument([bad], new Map([['h10', 'no route']])))
  expect(JSON.parse(document)).toMatchObject({
    format: 'kmsfleet-verify/1',
    hosts: [
      {
        host: 'h9',
        asked: true,
        actors: [{ name: 'api', identity: { uid: 997, groups: [996, 997], capabilities: [] } }],
        verdicts: [
          {
            actor: 'api',
            must: false,
            action: 'read',
            verdict: 'violated',
            attempt: { is: 'granted' },
            place: 'roles/r/access.yml:7:5',
          },
          {},
          {},
          {},
        ],
        checks: [{ verdict: 'violated', finding: 'found process 7' }],
      },
      { host: 'h10', asked: false, problem: 'no route' },
    ],
  })
})
