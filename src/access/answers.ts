import type { ActingIdentity, Attempt, Rule } from '../model/access.ts'
import type { Snapshot } from '../model/facts.ts'
import type { SeenState } from '../model/process.ts'
import type { ReadAtom } from '../model/wire.ts'
import { actorAtoms, type FoundActor } from './actors/find.ts'
import { attemptAtoms, triedKey, withEntriesAbove, type Tried } from './ask.ts'

/** What the kernel said to one identity of an actor. */
export interface Answer {
  readonly attempt: Attempt
  /** Who tried; absent where nobody did. */
  readonly identity?: ActingIdentity
  readonly selfReported: boolean
  /** What stands at the paths in the mount namespace of who tried, where that is another. */
  readonly seen?: ReadonlyMap<string, SeenState>
  /** The process that it was tried as. */
  readonly pid?: number
}

/** By actor and try: one answer for each identity that the actor's processes have. */
export type Answers = ReadonlyMap<string, readonly Answer[]>

type AttemptsAtom = Extract<ReadAtom, { readonly atom: 'attempts' }>

export function triedBy({ action, object }: Rule): Tried {
  return action === 'signal' ? { action, actor: object } : { action, path: object }
}

export function answerKey(actor: string, tried: Tried): string {
  return `${actor} ${triedKey(tried)}`
}

/** The answers of a frame to what it was asked; nothing where an actor has no process to try as. */
export function answersOf(asked: readonly ReadAtom[], { attempts }: Snapshot): Answers {
  const answers = new Map<string, readonly Answer[]>()
  for (const atom of asked) {
    if (atom.atom !== 'attempts') continue
    const fact = attempts.get(atom.key)
    if (fact === undefined || fact.is === 'absent') continue
    for (const [index, each] of atom.tries.entries()) {
      const tried: Tried = each.action === 'signal' ? { action: 'signal', actor: each.process } : each
      const own =
        fact.is === 'present'
          ? fact.state.map((trial): Answer => ({
              attempt: trial.attempts[index] ?? { is: 'unknown', detail: 'the host did not answer' },
              selfReported: trial.selfReported,
              ...(trial.identity === undefined ? {} : { identity: trial.identity }),
              ...(trial.seen === undefined ? {} : { seen: trial.seen }),
              ...(trial.pid === undefined ? {} : { pid: trial.pid }),
            }))
          : [{ attempt: { is: 'unknown', detail: fact.problem.message }, selfReported: false } as const]
      answers.set(answerKey(atom.key, tried), own)
    }
  }
  return answers
}

/** What a second frame asks: of paths that nobody knew, and as accounts of which nothing runs. */
export function lateAtoms(
  rules: readonly Rule[],
  actors: ReadonlyMap<string, FoundActor>,
  answers: Answers,
  { paths }: Snapshot,
): readonly ReadAtom[] {
  const open = (actor: string): readonly Tried[] =>
    rules
      .filter((rule) => rule.actor === actor)
      .flatMap((rule) => withEntriesAbove(triedBy(rule)))
      .filter((tried) => !answers.has(answerKey(actor, tried)))
  const tries = [...actors.values()].flatMap((found): readonly ReadAtom[] => {
    const as = asFound(found)
    return as === undefined ? [] : attemptAtoms(found.actor.name, as, open(found.actor.name))
  })
  const unknown = rules.filter(({ action, object }) => action !== 'signal' && !paths.has(object))
  if (tries.length === 0 && unknown.length === 0) return []
  const processes = [...actors.values()]
    .flatMap(({ actor }) => actorAtoms(actor))
    .filter(({ atom }) => atom === 'process')
  return [
    ...processes,
    ...[...new Set(unknown.map(({ object }) => object))].map((path): ReadAtom => ({ atom: 'path', path })),
    ...tries,
  ]
}

function asFound({ actor, process, identity }: FoundActor): AttemptsAtom['as'] | undefined {
  if (process !== undefined) return { by: 'process', key: actor.name }
  if (identity === undefined) return undefined
  const { uid, gid, groups } = identity
  return { by: 'number', uid, gid, groups }
}
