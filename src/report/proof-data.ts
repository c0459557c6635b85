import { escapeText } from './escape.ts'
import { showPlace } from '../errors/place.ts'
import type { Check, HostProof, Verdict } from '../model/access.ts'

/** Hosts that could not be asked, by name, each with what went wrong. */
export type NotAsked = ReadonlyMap<string, string>

/** The document of `--format json`. */
export function proofDocument(proofs: readonly HostProof[], notAsked: NotAsked): unknown {
  return {
    format: 'kmsfleet-verify/1',
    hosts: [
      ...proofs.map(({ host, actors, verdicts, checks, sockets, outside, cost }) => ({
        host,
        asked: true,
        actors: actors.map(({ identity, ...rest }) => ({
          ...rest,
          ...(identity === undefined
            ? {}
            : { identity: { ...identity, capabilities: [...identity.capabilities].sort((a, b) => a - b) } }),
        })),
        verdicts: verdicts.map(verdictData),
        checks,
        sockets,
        outside,
        cost,
      })),
      ...[...notAsked].map(([host, problem]) => ({ host, asked: false, problem })),
    ],
  }
}

function verdictData({
  rule,
  verdict,
  finding,
  attempt,
  evaluation,
  selfReported,
  ownGrant,
}: Verdict): unknown {
  return {
    actor: rule.actor,
    must: rule.must,
    action: rule.action,
    object: rule.object,
    ...(rule.objectClass === undefined ? {} : { class: rule.objectClass }),
    verdict,
    ...(finding === '' ? {} : { finding }),
    attempt,
    evaluation,
    ...(selfReported ? { selfReported } : {}),
    ...(ownGrant === undefined ? {} : { ownGrant }),
    because: rule.because,
    source: rule.source,
    place: showPlace(rule.place),
  }
}

/** The document of `--format junit`, as CI systems read it: a suite a host, a case for each rule and check. */
export function proofJunit(proofs: readonly HostProof[], notAsked: NotAsked): string {
  const suites = [
    ...proofs.map((proof) =>
      suite(proof.host, [...proof.verdicts.map(ruleCase), ...proof.checks.map(checkCase)]),
    ),
    ...[...notAsked].map(([host, problem]) =>
      suite(host, [
        `<testcase name="the host answers" classname="host"><error message="${xml(problem)}"/></testcase>`,
      ]),
    ),
  ]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="kmsfleet verify">',
    ...suites,
    '</testsuites>',
    '',
  ].join('\n')
}

function suite(host: string, cases: readonly string[]): string {
  const number = (tag: string): string => String(cases.filter((each) => each.includes(`<${tag} `)).length)
  const counts = `tests="${String(cases.length)}" failures="${number('failure')}" errors="${number('error')}" skipped="${number('skipped')}"`
  return [
    `  <testsuite name="${xml(host)}" ${counts}>`,
    ...cases.map((each) => `    ${each}`),
    '  </testsuite>',
  ].join('\n')
}

function ruleCase({ rule, verdict, finding }: Verdict): string {
  const name = `${rule.must ? 'must' : 'must not'} ${rule.action} ${rule.object}`
  return testCase(rule.actor, name, verdict, finding)
}

function checkCase({ subject, expected, verdict, finding }: Check): string {
  return testCase(subject, expected, verdict, finding)
}

/** What is unknown is an error, since nobody knows; what a shape cannot enforce is skipped, and says why. */
const outcomeTags = { violated: 'failure', unknown: 'error', 'not-enforceable': 'skipped' } as const

function testCase(group: string, name: string, verdict: Verdict['verdict'], finding: string): string {
  const start = `<testcase name="${xml(name)}" classname="${xml(group)}"`
  if (verdict === 'pass') return `${start}/>`
  return `${start}><${outcomeTags[verdict]} message="${xml(finding)}"/></testcase>`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** Text of hosts and files within an attribute; what XML cannot hold, or what a reader would obey, is shown as escaped. */
function xml(text: string): string {
  return escapeText(text).replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
