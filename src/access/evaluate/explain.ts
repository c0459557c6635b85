import type { Evaluation, Step } from '../../model/access.ts'

/** For those who know permissions from files only. */
const glosses: ReadonlyMap<string, string> = new Map([
  ['search', 'search (x, to pass through)'],
  ['write and search', 'write and search (wx, to change what is in it)'],
])

function explainStep({ path, needs, allowed, decidedBy, row }: Step): readonly string[] {
  const decided = `${allowed ? 'yes' : 'NO '}  ${path}`
  return [
    decided,
    ...(row === '' ? [] : [`     ${row}`]),
    `     needs ${glosses.get(needs) ?? needs}: ${decidedBy}`,
  ]
}

function blocking(evaluation: Evaluation): readonly Step[] {
  return evaluation.steps.filter(({ allowed }) => !allowed)
}

function verdictLine(evaluation: Evaluation): string {
  const [first] = blocking(evaluation)
  switch (evaluation.is) {
    case 'granted':
      return 'granted: every step is allowed'
    case 'denied':
      return `denied at ${first?.path ?? '/'}`
    case 'missing':
      return `missing: ${first === undefined ? '' : `${first.path} needs ${first.needs}, ${first.decidedBy}`}`
    case 'unknown':
      return `unknown: ${evaluation.because}`
  }
}

/** Component by component, a few lines each, and the verdict as the last line. */
export function explain(evaluation: Evaluation): readonly string[] {
  return [...evaluation.steps.flatMap(explainStep), verdictLine(evaluation)]
}

/**
 * One sentence on what would make the verdict the wanted one; empty where it is that already. For a person: a change
 * that turns the verdict is not always the one that should be made.
 */
export function whatWouldChange(evaluation: Evaluation, want: 'granted' | 'denied'): string {
  if (evaluation.is === want) return ''
  if (evaluation.is === 'unknown') return `Not known, because ${evaluation.because}.`
  if (evaluation.is === 'missing') {
    return want === 'denied' ? '' : 'Nothing can be granted before it is there.'
  }
  if (want === 'denied') {
    const last = evaluation.steps.findLast(({ otherwise }) => otherwise !== undefined)
    return last?.otherwise === undefined
      ? 'No single change of a group, an ACL entry, a mode or a capability would deny it.'
      : `Denied if ${last.otherwise}.`
  }
  const blocks = blocking(evaluation)
  const ways = blocks.flatMap(({ otherwise }) => (otherwise === undefined ? [] : [otherwise]))
  if (ways.length < blocks.length) {
    return 'No single change at each step would grant it: see the steps that say NO.'
  }
  return `Granted if ${[...new Set(ways)].join('; and if ')}.`
}
