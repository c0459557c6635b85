import { actionWords } from '../model/access.ts'
import type { Attempt, Evaluation, Rule, Verdict, VerdictKind } from '../model/access.ts'

/** What was found out about one rule on one host. */
export interface Evidence {
  readonly attempt: Attempt
  readonly evaluation: Evaluation
  /** The actor could have answered in place of the kernel. */
  readonly selfReported: boolean
  /** Powers of the actor that owners and modes say nothing of: `it has CAP_SYS_ADMIN, by which it could ...`. */
  readonly escape?: string
  /** How the actor could give itself what it is denied. */
  readonly ownGrant?: string
  /** Mandatory access control that is active on the host, such as `SELinux`: it denies what modes allow. */
  readonly mandatory?: string
}

/**
 * The verdict on a rule. A pass needs the kernel's answer, and nothing that speaks against it; where the kernel's answer may
 * be the actor's own, it needs the evaluation too. What an actor could give itself is not denied to it.
 */
export function judge(rule: Rule, evidence: Evidence): Verdict {
  const { attempt, evaluation, selfReported, ownGrant } = evidence
  const said = (verdict: VerdictKind, finding: string): Verdict => ({
    ...{ rule, verdict, finding, attempt, evaluation, selfReported },
    ...(ownGrant === undefined ? {} : { ownGrant }),
  })
  if (rule.notEnforceable !== undefined) return said('not-enforceable', rule.notEnforceable)
  return rule.must ? judgeMust(rule, evidence, said) : judgeMustNot(rule, evidence, said)
}

type Said = (verdict: VerdictKind, finding: string) => Verdict

function judgeMust(rule: Rule, evidence: Evidence, said: Said): Verdict {
  const { attempt, evaluation, selfReported } = evidence
  switch (attempt.is) {
    case 'missing':
      return said('violated', `nothing is there to ${actionWords[rule.action]}`)
    case 'denied':
      return said(
        'violated',
        `${cannot(rule)}: ${attempt.errno}${deciding(attempt, evaluation)}${macNote(evidence)}`,
      )
    case 'unknown':
      return said('unknown', `it could not be tried: ${attempt.detail}${wouldSay(evaluation)}`)
    case 'granted':
      if (evaluation.is === 'denied' || evaluation.is === 'missing')
        return said('unknown', disagreement(evidence))
      if (selfReported && evaluation.is === 'unknown') return said('unknown', ownWord(evaluation.because))
      return said('pass', '')
  }
}

function judgeMustNot(rule: Rule, evidence: Evidence, said: Said): Verdict {
  const { attempt, evaluation, selfReported, ownGrant, escape } = evidence
  switch (attempt.is) {
    case 'granted':
      return said('violated', `${can(rule)}${deciding(attempt, evaluation)}`)
    case 'unknown':
      return said('unknown', `it could not be tried: ${attempt.detail}${wouldSay(evaluation)}`)
    case 'missing':
      if (evaluation.is !== 'missing') return said('unknown', disagreement(evidence))
      return escape === undefined ? said('pass', '') : said('unknown', escape)
    case 'denied':
      if (evaluation.is === 'granted' || evaluation.is === 'missing')
        return said('unknown', disagreement(evidence))
      if (ownGrant !== undefined) return said('violated', `${rule.actor} could give itself this: ${ownGrant}`)
      if (selfReported && evaluation.is === 'unknown') return said('unknown', ownWord(evaluation.because))
      return escape === undefined ? said('pass', '') : said('unknown', escape)
  }
}

const can = ({ actor, action }: Rule): string => `${actor} can ${actionWords[action]} it`
const cannot = ({ actor, action }: Rule): string => `${actor} cannot ${actionWords[action]} it`

/** What decided, where an evaluation comes to the same: the first step that denies, at which the kernel ends, or the last. */
function deciding(attempt: Attempt, evaluation: Evaluation): string {
  if (evaluation.is === 'unknown') return ''
  if (evaluation.is !== attempt.is) return `, though owners and modes say ${evaluation.is}`
  const step = evaluation.steps.find(({ allowed }) => !allowed) ?? evaluation.steps.at(-1)
  return step === undefined ? '' : `, since ${step.decidedBy} on ${step.path}`
}

function wouldSay(evaluation: Evaluation): string {
  return evaluation.is === 'unknown' ? '' : `; owners and modes alone say ${evaluation.is}`
}

function disagreement({ attempt, evaluation, mandatory }: Evidence): string {
  const cause =
    mandatory !== undefined && attempt.is === 'denied'
      ? `likely ${mandatory} denies it`
      : 'something moved meanwhile, or a rule is at work that kmsfleet does not know'
  return `the kernel says ${attempt.is}, owners and modes say ${evaluation.is}: ${cause}`
}

function macNote({ evaluation, mandatory }: Evidence): string {
  return mandatory !== undefined && evaluation.is === 'granted' ? ` (likely ${mandatory} denies it)` : ''
}

function ownWord(because: string): string {
  return `only its own word is there for it, and owners and modes do not say: ${because}`
}
