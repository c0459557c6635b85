import type {
  ActingIdentity,
  Attempt,
  Evaluation,
  HostProof,
  Matrix,
  Rule,
  Verdict,
  VerdictKind,
} from '../model/access.ts'
import type { Fact, PathState, Snapshot } from '../model/facts.ts'
import type { MountState, ProcessState } from '../model/process.ts'
import type { ReadAtom } from '../model/wire.ts'
import { accountsOf, type Accounts } from './actors/accounts.ts'
import { findActor, type FoundActor } from './actors/find.ts'
import { type Answer, type Answers, answerKey, answersOf, lateAtoms, triedBy } from './answers.ts'
import { firstAtoms } from './ask.ts'
import { hostChecks } from './checks/all.ts'
import { escapes } from './evaluate/capabilities.ts'
import { evaluate } from './evaluate/evaluate.ts'
import { ownGrant } from './evaluate/own-grant.ts'
import { evaluateReplacement, type Movable } from './evaluate/replacement.ts'
import { evaluateSignal } from './evaluate/signal.ts'
import type { Rows } from './evaluate/walk.ts'
import type { Names } from './evaluate/words.ts'
import { judge, type Evidence } from './judge.ts'
import { leftBehindChecks } from './left-behind.ts'
import { otherNames, rowsAsSeen } from './namespace.ts'
import { entriesAbove, movableIn, replacementAttempt } from './replacement.ts'
import { resolveRules } from './resolve.ts'

/** Sends one frame and gives what it found. */
export type Ask = (atoms: readonly ReadAtom[]) => Promise<Snapshot>

/** What is known of a host when its rules are judged. */
interface Known {
  readonly actors: ReadonlyMap<string, FoundActor>
  readonly answers: Answers
  readonly names: Names
  readonly paths: ReadonlyMap<string, Fact<PathState>>
  readonly mandatory?: string
}

export interface MatrixProof extends Pick<HostProof, 'actors' | 'verdicts' | 'checks' | 'outside'> {
  /** What the first frame found. */
  readonly first: Snapshot
}

/**
 * Proves the access matrix of one host; asks a second time only for what nobody knew to ask about.
 * @param more what the first frame is to ask for others too
 */
export async function verifyMatrix(
  matrix: Matrix,
  ask: Ask,
  more: readonly ReadAtom[] = [],
): Promise<MatrixProof> {
  const atoms = firstAtoms(matrix)
  const first = await ask([...atoms, ...more])
  const accounts = accountsOf(first)
  const actors = new Map([...matrix.actors].map(([name, actor]) => [name, findActor(actor, first, accounts)]))
  const { rules: plain, checks } = resolveRules(matrix, first)
  const rules = [...plain, ...plain.flatMap((rule) => underOtherNames(rule, actors, first))]
  const answers = answersOf(atoms, first)
  const late = lateAtoms(rules, actors, answers, first)
  const second = late.length === 0 ? undefined : await ask(late)
  const known: Known = {
    actors,
    answers: second === undefined ? answers : new Map([...answers, ...answersOf(late, second)]),
    names: namesOf(accounts),
    paths: second === undefined ? first.paths : new Map([...first.paths, ...second.paths]),
    ...(first.host.selinux === 'enforcing' ? { mandatory: 'SELinux' } : {}),
  }
  return {
    actors: [...actors.values()].map(({ shown }) => shown),
    verdicts: rules.map((rule) => verdictOf(rule, known)),
    checks: [
      ...[...actors.values()].flatMap((actor) => actor.checks),
      ...checks,
      ...leftBehindChecks(matrix.leftBehind, first),
      ...hostChecks(matrix, { ...first, paths: known.paths }, accounts, Date.now() / 1000),
    ],
    outside: matrix.outside,
    first,
  }
}

/**
 * What an actor must not do to something it must not do under another name either, which a mount of its own mount
 * namespace may give it.
 */
function underOtherNames(
  rule: Rule,
  actors: ReadonlyMap<string, FoundActor>,
  { paths }: Snapshot,
): readonly Rule[] {
  const foreign = (actors.get(rule.actor)?.processes ?? []).filter(
    ({ mountNamespace }) => mountNamespace === 'other',
  )
  if (rule.must || rule.action === 'signal' || foreign.length === 0) return []
  const names = foreign.flatMap(
    ({ mounts }) => otherNames(rule.object, (path) => paths.get(path), mounts) ?? [],
  )
  return [...new Set(names)].map((object) => ({
    ...rule,
    object,
    objectClass: `${rule.object} under another name`,
  }))
}

function namesOf({ userName, groupName }: Accounts): Names {
  return { user: userName, group: groupName }
}

const nobodyTried: Answer = {
  attempt: { is: 'unknown', detail: 'there is no account to try it as' },
  selfReported: false,
}

/** From the worst: an actor with several processes is judged by the one that may most, or least. */
const severity: readonly VerdictKind[] = ['violated', 'unknown', 'not-enforceable', 'pass']

function verdictOf(rule: Rule, known: Known): Verdict {
  const found = known.answers.get(answerKey(rule.actor, triedBy(rule))) ?? []
  const verdicts = (found.length === 0 ? [nobodyTried] : found).map((answer) =>
    judge(rule, {
      attempt: attemptOf(rule, answer, known),
      ...worked(rule, answer, known),
      ...escapeOf(rule, answer, known),
      selfReported: answer.selfReported,
      ...(known.mandatory === undefined ? {} : { mandatory: known.mandatory }),
    }),
  )
  const [first, ...others] = verdicts
  if (first === undefined) throw new Error(`no verdict on ${rule.object}`)
  return others.reduce(
    (worst, each) => (severity.indexOf(each.verdict) < severity.indexOf(worst.verdict) ? each : worst),
    first,
  )
}

function movable(rule: Rule, answer: Answer, { actors, paths }: Known): Movable {
  const { seen } = answer
  const mounts = mountsOf(rule, answer, actors)
  return movableIn({
    paths,
    ...(seen === undefined ? {} : { seen }),
    ...(mounts === undefined ? {} : { mounts }),
  })
}

/** What the kernel said to all that the rule forbids with this one access. */
function attemptOf(rule: Rule, answer: Answer, known: Known): Attempt {
  if (rule.action !== 'replace') return answer.attempt
  const above = entriesAbove(rule.object).filter(movable(rule, answer, known))
  return replacementAttempt(
    answer.attempt,
    above.map((path) => {
      const answers = known.answers.get(answerKey(rule.actor, { action: 'replace', path })) ?? []
      return [path, (answers.find(({ pid }) => pid === answer.pid) ?? nobodyTried).attempt]
    }),
  )
}

/** What an actor has, effective or to be made so, by which owners, modes and mounts could be passed by. */
function escapeOf(rule: Rule, answer: Answer, { actors, paths }: Known): Pick<Evidence, 'escape'> {
  const found = actors.get(rule.actor)
  const process = found?.processes.find(({ pid }) => pid === answer.pid)
  // what is not on the host is to be had by nobody
  if (answer.attempt.is === 'missing' && paths.get(rule.object)?.is !== 'present') return {}
  const apart = process?.mountNamespace === 'other'
  const { effective, permitted, ambient } = process?.capabilities ?? {
    ...{ effective: found?.identity?.capabilities ?? new Set(), permitted: new Set(), ambient: new Set() },
  }
  const held = escapes(
    new Set<number>([...effective, ...permitted, ...ambient]),
    answer.attempt.is === 'missing' ? 'mounts' : 'owners',
    apart && found?.actor.running?.by === 'pod',
  )
  if (held.length === 0) return {}
  return { escape: held.map(({ name, could }) => `it has ${name}, by which it could ${could}`).join('; ') }
}

/** The mounts of the process that tried. */
function mountsOf(
  { actor }: Rule,
  { pid }: Answer,
  actors: Known['actors'],
): readonly MountState[] | undefined {
  return actors.get(actor)?.processes.find((process) => process.pid === pid)?.mounts
}

/** What owners, modes, ACLs, groups and capabilities say of it. */
function worked(rule: Rule, answer: Answer, known: Known): Pick<Evidence, 'evaluation' | 'ownGrant'> {
  const { actors, names, paths } = known
  const identity = answer.identity ?? actors.get(rule.actor)?.identity
  if (identity === undefined) {
    return { evaluation: { is: 'unknown', because: 'it is not known who the actor is', steps: [] } }
  }
  const { action, object } = rule
  if (action === 'signal') {
    return { evaluation: signalled(identity, object, actors.get(object)?.process, names) }
  }
  const host: Rows = (path) => paths.get(path)
  const rows =
    answer.seen === undefined ? host : rowsAsSeen(answer.seen, mountsOf(rule, answer, actors), host)
  const asked = (through: Rows): Evaluation =>
    action === 'replace'
      ? evaluateReplacement(identity, object, through, names, movable(rule, answer, known))
      : evaluate(identity, action, object, through, names)
  const found = asked(rows)
  // Root sees that nothing is there: whoever may or may not look for it, there is nothing to be had.
  const gone = answer.attempt.is === 'missing' && rows(object)?.is === 'absent'
  const evaluation: Evaluation =
    gone && found.is === 'unknown' ? { is: 'missing', steps: found.steps } : found
  const own = ownGrant(identity, rows, evaluation, asked)
  return { evaluation, ...(own === undefined ? {} : { ownGrant: own }) }
}

function signalled(
  identity: ActingIdentity,
  name: string,
  target: ProcessState | undefined,
  names: Names,
): Evaluation {
  if (target === undefined) return { is: 'missing', steps: [] }
  return evaluateSignal(identity, { name, uid: target.uids.real, savedUid: target.uids.saved }, names)
}
