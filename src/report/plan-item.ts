import { showPlace } from '../errors/place.ts'
import type { Due } from '../model/plan.ts'
import type { Difference, TaskRef } from '../model/resource.ts'
import { styled, type Line, type Span, type Style } from './paint.ts'
import { problemLines } from './problem.ts'
import { textDiff } from './text-diff.ts'
import type { Action, ItemView } from './view.ts'
import { origins, showValue } from './words.ts'

export interface PlanTextOptions {
  /** Print the text diff of file contents. */
  readonly diff: boolean
  /** Print the place of every task. */
  readonly verbose: boolean
}

const marks: Readonly<Record<Action, { readonly mark: string; readonly style: Style }>> = {
  create: { mark: '+', style: 'add' },
  change: { mark: '~', style: 'change' },
  remove: { mark: '-', style: 'remove' },
}

/** One item of a plan: its line, then one line for each difference. */
export function itemLines(item: ItemView, options: PlanTextOptions): readonly Line[] {
  const place: readonly Line[] = options.verbose
    ? [['      ', styled('dim', showPlace(item.task.place))]]
    : []
  switch (item.item) {
    case 'change': {
      const { mark, style } = marks[item.action]
      const notes = item.disruptive ? [styled('warn', '  (interrupts a service)')] : []
      return [
        ['  ', styled(style, `${mark} ${item.resource}`), taskName(item.task), ...notes],
        ...place,
        ...differenceLines(item.resource, item.differences, options),
      ]
    }
    case 'check': {
      const says = item.state === 'unmet' ? '  (not met now)' : '  (checked after the changes before it)'
      const mark = item.state === 'unmet' ? '!' : '?'
      return [
        ['  ', styled('warn', `${mark} ${item.resource}`), taskName(item.task), styled('dim', says)],
        ...place,
        ...differenceLines(item.resource, item.differences, options),
      ]
    }
    case 'undecided':
      return [
        ['  ', styled('warn', `? ${undecided[item.what]}`), taskName(item.task)],
        ...place,
        [`      decided when ${origins(item.after)} is known`],
      ]
    case 'refused':
      return [
        [
          '  ',
          styled('bad', `x ${item.resource ?? 'refused'}`),
          taskName(item.task),
          styled('bad', '  (refused)'),
        ],
        ...problemLines({ place: item.task.place, ...item.problem }, '      '),
      ]
  }
}

/** What is left to others: its line says to whom. */
export function dueLines(
  { resource, task, by, differences }: Due,
  options: PlanTextOptions,
): readonly Line[] {
  return [
    ['  ', styled('warn', `* ${resource}`), taskName(task), styled('warn', `  (due: ${by})`)],
    ...(options.verbose ? [['      ', styled('dim', showPlace(task.place))]] : []),
    ...differenceLines(resource, differences, options),
  ]
}

const undecided = {
  condition: 'it is not known yet whether this task applies',
  arguments: 'the arguments of this task are not known yet',
  loop: 'the list that this task loops over is not known yet',
  state: 'it is not known yet what this task will find',
} as const

function taskName(task: TaskRef): Span {
  return styled('dim', `  ${task.name}`)
}

function differenceLines(
  resource: string,
  differences: readonly Difference[],
  options: PlanTextOptions,
): readonly Line[] {
  const width = Math.max(0, ...differences.map((difference) => difference.attribute.length))
  return differences.flatMap(({ attribute, from, to, text }): readonly Line[] => [
    [
      `      ${attribute.padEnd(width)}  `,
      styled('dim', showValue(from, resource)),
      ' → ',
      showValue(to, resource),
    ],
    ...(options.diff && text !== undefined ? textDiff(text.from, text.to, '        ') : []),
  ])
}
