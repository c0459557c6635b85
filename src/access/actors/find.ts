import type { ActingIdentity, Actor, ActorFound, Check } from '../../model/access.ts'
import type { Snapshot } from '../../model/facts.ts'
import type { ProcessState } from '../../model/process.ts'
import type { ReadAtom } from '../../model/wire.ts'
import type { Accounts } from './accounts.ts'
import { expectedOf, type Expected } from './expected.ts'
import {
  credentialDifferences,
  credentialsOf,
  idDifferences,
  identityOf,
  showCredentials,
} from './identity.ts'
import { nextStart, nextStartAtoms } from './next-start.ts'

/** An actor on a host: the process that runs, or the account where none does. */
export interface FoundActor {
  readonly actor: Actor
  readonly shown: ActorFound
  /** Whom accesses are worked out for; undefined where not even the account is there. */
  readonly identity?: ActingIdentity
  /** All that run, and the first of them. */
  readonly processes: readonly ProcessState[]
  readonly process?: ProcessState
  readonly checks: readonly Check[]
}

const source = 'Access matrix, actors; running process, next start and account are three truths'

/** What an actor is found by. */
export function actorAtoms(actor: Actor): readonly ReadAtom[] {
  const { name, running } = actor
  return running === undefined ? [] : [{ atom: 'process', key: name, of: running }, ...nextStartAtoms(actor)]
}

/** Finds an actor in three ways and compares them. */
export function findActor(actor: Actor, snapshot: Snapshot, accounts: Accounts): FoundActor {
  const { name, description, running } = actor
  const expected = expectedOf(actor, accounts)
  const fact = running === undefined ? undefined : snapshot.processes.get(name)
  const processes = fact?.is === 'present' ? fact.state : []
  const [process] = processes
  const check = checker(name)
  const account: ActingIdentity | undefined =
    expected.is === 'found'
      ? { ...expected.credentials, capabilities: capabilitiesOf(expected.credentials.uid) }
      : undefined
  const identity = process === undefined ? account : identityOf(process)
  const checks = [
    ...(expected.is === 'found'
      ? []
      : [check('its account is there', 'violated', `the host has no ${expected.what}`)]),
    ...(running === undefined ? [] : [runningCheck(check, fact, processes)]),
    ...(process === undefined ? [] : processChecks(check, actor, process, expected, accounts)),
    ...(running === undefined ? [] : nextStartChecks(check, actor, snapshot, expected, process, accounts)),
  ]
  const from = sourceOf(actor, process, processes.length)
  return {
    actor,
    shown: { name, description, from, ...(identity === undefined ? {} : { identity }) },
    ...(identity === undefined ? {} : { identity }),
    processes,
    ...(process === undefined ? {} : { process }),
    checks,
  }
}

type Checker = (expected: string, verdict: Check['verdict'], finding: string) => Check

function checker(subject: string): Checker {
  return (expected, verdict, finding) => ({ subject, expected, verdict, finding, source })
}

/** All capabilities that decide about files, for a root that nothing is known of but its account. */
function capabilitiesOf(uid: number): ReadonlySet<number> {
  return new Set(uid === 0 ? Array.from({ length: 41 }, (_, number) => number) : [])
}

function sourceOf({ running, user }: Actor, process: ProcessState | undefined, number: number): string {
  const where = running === undefined ? '' : running.by === 'unit' ? running.unit : `pod ${running.name}`
  if (process === undefined) {
    return running === undefined ? `account ${user}` : `account ${user}, since nothing of ${where} runs`
  }
  return number === 1 ? `${where}, process ${String(process.pid)}` : `${where}, ${String(number)} processes`
}

function runningCheck(
  check: Checker,
  fact: ReturnType<Snapshot['processes']['get']>,
  processes: readonly ProcessState[],
): Check {
  const expected = 'its process runs'
  if (fact?.is === 'unreadable') return check(expected, 'unknown', fact.problem.message)
  if (processes.length === 0) {
    return check(
      expected,
      'unknown',
      'nothing runs: what it could do is worked out and tried for its account',
    )
  }
  const kinds = new Set(
    processes.map((each) => JSON.stringify([credentialsOf(identityOf(each)), each.mountNamespace])),
  )
  if (kinds.size > 1) {
    return check(
      expected,
      'unknown',
      `${String(processes.length)} processes run, and not all as the same user and groups`,
    )
  }
  return check(expected, 'pass', '')
}

function processChecks(
  check: Checker,
  { capabilities, user }: Actor,
  process: ProcessState,
  expected: Expected,
  accounts: Accounts,
): readonly Check[] {
  const identity = identityOf(process)
  const found = credentialsOf(identity)
  const checks: Check[] = []
  if (expected.is === 'found') {
    const wanted = expected.credentials
    const differences = [
      ...credentialDifferences(found, wanted, accounts),
      ...idDifferences(process, accounts),
    ]
    const says = expected.exact
      ? `it runs as ${showCredentials(wanted, accounts)}, and in no other group`
      : `it runs as ${user}, in the groups of that account`
    checks.push(check(says, differences.length === 0 ? 'pass' : 'violated', differences.join('; ')))
  }
  if (capabilities === 'none') {
    const { effective, permitted, ambient } = process.capabilities
    const all = new Set([...effective, ...permitted, ...ambient])
    checks.push(
      check(
        'it has no capability',
        all.size === 0 ? 'pass' : 'violated',
        all.size === 0 ? '' : `it has ${String(all.size)}`,
      ),
    )
  }
  if (process.userNamespace !== 'initial') {
    checks.push(
      check(
        'it is in the user namespace of the host',
        'unknown',
        'its ids are mapped: what they may do on the host cannot be told',
      ),
    )
  }
  return checks
}

function nextStartChecks(
  check: Checker,
  actor: Actor,
  snapshot: Snapshot,
  expected: Expected,
  process: ProcessState | undefined,
  accounts: Accounts,
): readonly Check[] {
  const next = nextStart(actor, snapshot, accounts)
  const says = 'it will be the same when it is started next'
  if (next.is === 'unknown') return [check(says, 'unknown', next.because)]
  const differences =
    process === undefined
      ? expected.is === 'found'
        ? credentialDifferences(next.credentials, expected.credentials, accounts)
        : []
      : credentialDifferences(next.credentials, credentialsOf(identityOf(process)), accounts)
  const gained =
    actor.capabilities === 'none' && next.capabilities.length > 0
      ? [`gets capabilities ${next.capabilities.join(' ')}`]
      : []
  const all = [...differences, ...gained]
  return [
    check(
      says,
      all.length === 0 ? 'pass' : 'violated',
      all.length === 0 ? '' : `by ${next.from}: ${all.join('; ')}`,
    ),
  ]
}
