import type { KeyLocated } from '../document/issues.ts'
import { KmsfleetError } from '../errors/error.ts'
import type { TaskWords } from './keywords.ts'
import type { TaskContext } from './reading.ts'
import type { Until } from './types.ts'

/** As in Ansible, where nothing is said. */
const usualRetries = 3
const usualDelay = 5

/** A keyword that has no meaning where it stands. */
interface Misplaced {
  readonly key: keyof TaskWords
  readonly expected: string
  readonly hint: string
}

/** `until` with `retries` and `delay`; an error where they have no meaning together, or on this task. */
export function readUntil(
  module: string,
  keywords: TaskWords,
  part: KeyLocated,
  errors: KmsfleetError[],
): Until | undefined {
  const wrong = wrongUntil(module, keywords)
  if (wrong !== undefined) errors.push(misplaced(wrong, part))
  const { until, retries = usualRetries, delay = usualDelay } = keywords
  if (wrong !== undefined || until === undefined) return undefined
  const conditions = until.map((expression, index) => ({ expression, place: part.place(['until', index]) }))
  return { conditions, retries, delay }
}

function wrongUntil(module: string, keywords: TaskWords): Misplaced | undefined {
  if (keywords.until === undefined) {
    const key = (['retries', 'delay'] as const).find((each) => keywords[each] !== undefined)
    const hint = 'say what shall hold: `until: NAME.rc == 0`'
    return key === undefined ? undefined : { key, expected: 'an `until` beside it', hint }
  }
  const key = 'until'
  if (module !== 'command') {
    const expected = `\`until\` on \`command\` only, not on \`${module}\``
    return { key, expected, hint: 'wait with the module `wait_for`' }
  }
  if (keywords.register === undefined) {
    const hint = 'such as `register: answer` with `until: answer.rc == 0`'
    return { key, expected: 'a `register`, whose name `until` reads', hint }
  }
  if (keywords.loop === undefined) return undefined
  return { key, expected: '`until` without `loop`', hint: 'write a task for each element' }
}

/** What `run_once` cannot give: results on hosts that did nothing, and handlers that a host owes itself. */
export function refuseOnce(
  context: TaskContext,
  keywords: TaskWords,
  part: KeyLocated,
  errors: KmsfleetError[],
): void {
  if (context.kind === 'handler') {
    const expected = 'a handler that runs wherever it is owed'
    errors.push(
      misplaced({ key: 'run_once', expected, hint: 'write `run_once` at the task that notifies it' }, part),
    )
  }
  if (keywords.register !== undefined) {
    const hint = 'the other hosts would not have the result; make a play whose `hosts` is one host'
    errors.push(misplaced({ key: 'register', expected: '`run_once` without `register`', hint }, part))
  }
}

/** What is due is not done by the play, so a handler would be taken for done that was not. */
export function refuseDue(
  context: TaskContext,
  keywords: TaskWords,
  part: KeyLocated,
  errors: KmsfleetError[],
): void {
  if (context.kind === 'task' || keywords.due === undefined) return
  const hint = 'write `due` at a task; a handler that is owed is done by the play'
  errors.push(misplaced({ key: 'due', expected: 'a handler without `due`', hint }, part))
}

function misplaced({ key, expected, hint }: Misplaced, part: KeyLocated): KmsfleetError {
  return new KmsfleetError('playbook.invalid', `expected ${expected}, found \`${key}\``, {
    place: part.keyPlace([key]),
    hint,
  })
}
