import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judge, type Evidence } from '../../src/access/judge.ts'
import type { Attempt, Evaluation, Rule, Step } from '../../src/model/access.ts'

const step: Step = {
  path: '/x',
  needs: 'read',
  allowed: true,
  decidedBy: 'other has r--',
  row: 'root:root 0644',
}
const attempts: Readonly<Record<Attempt['is'], Attempt>> = {
  granted: { is: 'granted' },
  denied: { is: 'denied', errno: 'EACCES' },
  missing: { is: 'missing' },
  unknown: { is: 'unknown', detail: 'no tool' },
}
const evaluations: Readonly<Record<Evaluation['is'], Evaluation>> = {
  granted: { is: 'granted', steps: [step] },
  denied: { is: 'denied', steps: [{ ...step, allowed: false, decidedBy: 'other has ---' }] },
  missing: { is: 'missing', steps: [] },
  unknown: { is: 'unknown', because: 'an ACL that cannot be read', steps: [] },
}
const rule = (must: boolean): Rule => ({
  ...{ actor: 'api', action: 'read', object: '/x', must, because: 'b', source: 's' },
  place: { file: 'access.yml', line: 1, column: 1 },
})
const evidence = (attempt: Attempt['is'], evaluation: Evaluation['is'], self = false): Evidence => ({
  attempt: attempts[attempt],
  evaluation: evaluations[evaluation],
  selfReported: self,
})

test('a denial is explained by the first step that denies, whatever the steps behind it would allow', () => {
  const steps: readonly Step[] = [
    { ...step, path: '/', decidedBy: 'other has r-x' },
    { ...step, path: '/run', allowed: false, decidedBy: 'other has ---' },
    { ...step, path: '/run/x', allowed: false, decidedBy: 'group kms has ---' },
    { ...step, path: '/run/x/y', decidedBy: 'group socket has rw-' },
  ]
  const { finding } = judge(rule(true), {
    ...evidence('denied', 'denied'),
    evaluation: { is: 'denied', steps },
  })
  expect(finding).toMatch(/: EACCES, since other has --- on \/run$/)
})

describe('a rule, what the kernel said and what owners and modes say', () => {
  test.each([
    [true, 'granted', 'granted', 'pass', ''],
    [true, 'granted', 'unknown', 'pass', ''],
    [
      true,
      'granted',
      'denied',
      'unknown',
      'the kernel says granted, owners and modes say denied: something moved meanwhile, or a rule is at work that kmsfleet does not know',
    ],
    [true, 'denied', 'denied', 'violated', 'api cannot read it: EACCES, since other has --- on /x'],
    [true, 'denied', 'unknown', 'violated', 'api cannot read it: EACCES'],
    [true, 'missing', 'missing', 'violated', 'nothing is there to read'],
    [
      true,
      'unknown',
      'granted',
      'unknown',
      'it could not be tried: no tool; owners and modes alone say granted',
    ],
    [true, 'unknown', 'unknown', 'unknown', 'it could not be tried: no tool'],
    [false, 'granted', 'granted', 'violated', 'api can read it, since other has r-- on /x'],
    [false, 'granted', 'denied', 'violated', 'api can read it, though owners and modes say denied'],
    [false, 'granted', 'unknown', 'violated', 'api can read it'],
    [false, 'denied', 'denied', 'pass', ''],
    [false, 'denied', 'unknown', 'pass', ''],
    [
      false,
      'denied',
      'granted',
      'unknown',
      'the kernel says denied, owners and modes say granted: something moved meanwhile, or a rule is at work that kmsfleet does not know',
    ],
    [false, 'missing', 'missing', 'pass', ''],
    [
      false,
      'missing',
      'denied',
      'unknown',
      'the kernel says missing, owners and modes say denied: something moved meanwhile, or a rule is at work that kmsfleet does not know',
    ],
    [
      false,
      'unknown',
      'denied',
      'unknown',
      'it could not be tried: no tool; owners and modes alone say denied',
    ],
  ] as const)('must %s, kernel %s, modes %s: %s', (must, attempt, evaluation, verdict, finding) => {
    expect(judge(rule(must), evidence(attempt, evaluation))).toMatchObject({ verdict, finding })
  })

  test('mandatory access control is named where it is likely the cause', () => {
    const found = { ...evidence('denied', 'granted'), mandatory: 'SELinux' }
    expect(judge(rule(false), found)).toMatchObject({
      verdict: 'unknown',
      finding: expect.stringContaining('likely SELinux denies it') as string,
    })
    expect(judge(rule(true), found)).toMatchObject({
      verdict: 'violated',
      finding: expect.stringContaining('likely SELinux denies it') as string,
    })
  })

  test('a denial that the actor could undo is none, but for what it must', () => {
    const owned = { ...evidence('denied', 'denied'), ownGrant: 'it owns /x' }
    const finding = 'api could give itself this: it owns /x'
    expect(judge(rule(false), owned)).toMatchObject({ verdict: 'violated', finding, ownGrant: 'it owns /x' })
    expect(judge(rule(true), owned)).toMatchObject({
      verdict: 'violated',
      finding: 'api cannot read it: EACCES, since other has --- on /x',
    })
    expect(judge({ ...rule(false), notEnforceable: 'it is root' }, owned).verdict).toBe('not-enforceable')
  })

  test.each(['denied', 'missing'] as const)('%s passes nothing for who could get around it', (is) => {
    const escape = 'it has CAP_SYS_ADMIN, by which it could mount file systems'
    const found = { ...evidence(is, is), escape }
    expect(judge(rule(false), found)).toMatchObject({ verdict: 'unknown', finding: escape })
    expect(judge({ ...rule(false), notEnforceable: 'it is root' }, found).verdict).toBe('not-enforceable')
  })

  test('what a shape cannot enforce is neither pass nor violation', () => {
    const excused = { ...rule(false), notEnforceable: 'it is root' }
    expect(judge(excused, evidence('granted', 'granted'))).toMatchObject({
      verdict: 'not-enforceable',
      finding: 'it is root',
    })
  })
})

const kinds = ['granted', 'denied', 'missing', 'unknown'] as const

test('law: no pass without the kernel; an own word passes nothing that the evaluation does not say too', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.constantFrom(...kinds),
      fc.constantFrom(...kinds),
      fc.boolean(),
      (must, attempt, evaluation, self) => {
        const { verdict, finding } = judge(rule(must), evidence(attempt, evaluation, self))
        expect(finding === '').toBe(verdict === 'pass')
        if (verdict !== 'pass') return
        expect(attempt).not.toBe('unknown')
        expect(attempt === 'granted').toBe(must)
        if (self) expect(evaluation).toBe(attempt)
        else expect([attempt, 'unknown']).toContain(evaluation)
      },
    ),
  )
})
