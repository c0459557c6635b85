import { KmsfleetError } from '../errors/error.ts'
import { suggestion } from '../document/suggest.ts'
import { reservedTags } from './keywords.ts'
import type { Play, Task } from './types.ts'

/** What `--tags` and `--skip-tags` say; empty: all, and none. */
export interface TagChoice {
  readonly tags: readonly string[]
  readonly skipTags: readonly string[]
}

/**
 * The tasks that a choice leaves, as in Ansible: `always` runs whatever is chosen, unless it is skipped by name;
 * `never` runs only where one of the task's tags is chosen; `tagged`, `untagged` and `all` may be chosen too.
 */
export function chosenTasks(tasks: readonly Task[], choice: TagChoice): readonly Task[] {
  return tasks.filter((task) => isChosen(task, choice.tags) && !isSkipped(task, choice.skipTags))
}

function isChosen({ tags }: Task, chosen: readonly string[]): boolean {
  if (tags.includes('always') || tags.some((tag) => chosen.includes(tag))) return true
  if (tags.includes('never')) return false
  return chosen.length === 0 || chosen.some((word) => meansGroup(word, tags))
}

function isSkipped({ tags }: Task, skipped: readonly string[]): boolean {
  if (tags.some((tag) => skipped.includes(tag))) return true
  return !tags.includes('always') && skipped.some((word) => meansGroup(word, tags))
}

function meansGroup(word: string, tags: readonly string[]): boolean {
  return (
    word === 'all' || (word === 'tagged' && tags.length > 0) || (word === 'untagged' && tags.length === 0)
  )
}

/** A misspelt tag would silently do nothing, or skip nothing. */
export function checkTags(plays: readonly Play[], { tags, skipTags }: TagChoice): void {
  const known = new Set(plays.flatMap((play) => play.tasks.flatMap((task) => task.tags)))
  const unknown = [...tags, ...skipTags].filter(
    (tag) => !known.has(tag) && !reservedTags.has(tag) && tag !== 'always' && tag !== 'never',
  )
  const [first] = unknown
  if (first === undefined) return
  throw new KmsfleetError('run.usage', `expected tags that tasks have, found '${unknown.join("', '")}'`, {
    hint:
      known.size === 0
        ? 'No task has a tag.'
        : (suggestion(first, known) ?? `Tags here: ${[...known].sort().join(', ')}`),
  })
}
