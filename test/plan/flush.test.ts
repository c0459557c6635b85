import { describe, expect, it } from 'vitest'
import { planItems, type Plan } from '../../src/model/plan.ts'
import type { DoneResult } from '../../src/plan/registers.ts'
import { widenings } from '../../src/plan/refine.ts'
import { directory, group, unit } from '../resources/world.ts'
import { outline, play } from './drive.ts'

const folder = (path: string, more = ''): string => `
- directory:
    path: ${path}
    owner: root
    group: root
    mode: "0755"
${more}`
const indented = (yaml: string): string => yaml.replaceAll(/^(?=.)/gm, '    ')
const flush = `
- meta: flush_handlers
`
const handlers = `
- name: log
  command:
    argv: [logger, changed]
    always: true
`
const owed = 'play.all.log'
const notify = '  notify: log\n'

/** What a run did of the first items of a plan, as a later plan of it is told. */
function doneOf(plan: Plan, count: number): ReadonlyMap<string, DoneResult> {
  return new Map(
    planItems(plan)
      .slice(0, count)
      .flatMap((item) =>
        item.item === 'change' ? [[item.key, { status: 0, owes: item.owes, settles: item.settles }]] : [],
      ),
  )
}

describe('handlers that are flushed', () => {
  const twice = play(`${folder('/etc/a', notify)}${flush}${folder('/etc/b', notify)}${folder('/etc/c')}`, {
    handlers,
  })

  it('run in place, and again at the end where they are notified again', () => {
    const { plan } = twice.plan({})
    expect(outline(plan)).toEqual([
      '+ directory:/etc/a',
      '+ command:play/handler/1~1',
      '+ directory:/etc/b',
      '+ directory:/etc/c',
      '+ command:play/handler/1',
    ])
    const shown = planItems(plan).map((item) => (item.item === 'change' ? [item.owes, item.settles] : []))
    expect(shown).toEqual([
      [[owed], []],
      [[], [owed]],
      [[owed], []],
      [[], []],
      [[], [owed]],
    ])
  })

  it('that nothing notified before do not run', () => {
    const paths = { '/etc/a': directory() }
    expect(outline(twice.plan({ paths }).plan)).toEqual([
      '+ directory:/etc/b',
      '+ directory:/etc/c',
      '+ command:play/handler/1',
    ])
  })

  it('of a run that died are made up for at the first flush', () => {
    const paths = { '/etc/a': directory(), '/etc/b': directory(), '/etc/c': directory() }
    expect(outline(twice.plan({ paths }, { owed: [owed] }).plan)).toEqual(['+ command:play/handler/1~1'])
  })

  const { plan: shown } = twice.plan({})
  it.each([
    ['before the flush', 1, ['/etc/a'], [owed], 1],
    ['behind the flush', 2, ['/etc/a'], [], 2],
    ['behind what notifies again', 3, ['/etc/a', '/etc/b'], [owed], 3],
    ['before the end', 4, ['/etc/a', '/etc/b', '/etc/c'], [owed], 4],
  ])('keep their order when a stage ends %s', (_, count, made, debts, left) => {
    const paths = Object.fromEntries(made.map((path) => [path, directory()]))
    const later = twice.plan({ paths }, { owed: debts, done: doneOf(shown, count) }).plan
    expect(outline(later)).toEqual(outline(shown).slice(left))
    expect(widenings(later, shown)).toEqual([])
  })

  it('that an undecided task may notify stand where they would run, once', () => {
    const maybe = play(
      `- group: {name: sock}\n${folder('/etc/a', `  when: host.group('sock').gid > 100\n${notify}`)}${flush}${folder('/etc/b')}`,
      { handlers },
    )
    const { plan } = maybe.plan({})
    expect(outline(plan)).toEqual([
      '+ group:sock',
      '--',
      '… play/2 condition',
      '… play/handler/1~1 condition',
      '+ directory:/etc/b',
    ])
    const later = maybe.plan({ groups: { sock: group(101) } }, { done: doneOf(plan, 1) }).plan
    expect(outline(later)).toEqual(['+ directory:/etc/a', '+ command:play/handler/1~1', '+ directory:/etc/b'])
    expect(widenings(later, plan)).toEqual([])
  })

  it('act for what changed since an equal task was looked at', () => {
    const start = 'unit: {name: x.service, state: started, restart_on: [/etc/conf]}'
    const planned = play(
      `- ${start}
- copy: {dest: /etc/conf, content: new, owner: root, group: root, mode: "0644"}
  notify: start`,
      { handlers: `- name: start\n  ${start}` },
    )
    const { plan } = planned.plan({ units: { 'x.service': unit() } })
    expect(outline(plan)).toEqual(['+ file:/etc/conf', '+ unit:x.service'])
  })

  it('come between pre_tasks, tasks and post_tasks', () => {
    const planned = play(folder('/etc/b', notify), {
      handlers,
      more: `  pre_tasks:${indented(folder('/etc/a', notify))}  post_tasks:${indented(folder('/etc/c', notify))}`,
    })
    expect(outline(planned.plan({}).plan)).toEqual([
      '+ directory:/etc/a',
      '+ command:play/handler/1~1',
      '+ directory:/etc/b',
      '+ command:play/handler/1~2',
      '+ directory:/etc/c',
      '+ command:play/handler/1',
    ])
  })
})

it('makes all wait that a result reaches, through variables and templates too', () => {
  const tasks = `
- command: {argv: [id], always: true}
  register: me
- copy: {dest: /etc/b, content: "{{ indirect }}", owner: root, group: root, mode: "0644"}
  vars: {indirect: "{{ me.stdout }}"}
- template: {src: t.j2, dest: /etc/c, owner: root, group: root, mode: "0644"}
`
  const planned = play(tasks, { files: { 't.j2': '{{ me.rc }}\n' } })
  const { plan } = planned.plan({})
  expect(outline(plan)).toEqual(['+ command:play/1', '--', '~ file:/etc/b', '~ file:/etc/c'])
  const done = new Map([[planItems(plan)[0]?.key ?? '', { status: 0, output: 'root' }]])
  expect(outline(planned.plan({}, { done }).plan)).toEqual(['+ file:/etc/b', '+ file:/etc/c'])
})

describe('what a task registers', () => {
  const shows = (template: string): string =>
    `- copy: {dest: /etc/out, content: "${template}", owner: root, group: root, mode: "0644"}\n`
  const folders = (list: string): string =>
    `- directory: {path: "{{ item }}", owner: root, group: root, mode: "0755"}\n  loop: ${list}\n  register: made\n`
  const same = '- directory: {path: /etc/a, owner: root, group: root, mode: "0755"}\n  register: made\n'
  const twice = '{{ made.results | length }} {{ made.changed }}'

  it.each([
    ['of a loop over nothing is an empty list', folders('[]') + shows(twice), '0 false'],
    ['of a loop over one element is a list', folders('[/etc/b]') + shows(twice), '1 true'],
    ['of a loop over two is a list', folders('[/etc/a, /etc/b]') + shows(twice), '2 true'],
    [
      'under a name that was taken is what the last task left',
      folders('[/etc/b]') + same + shows('changed {{ made.changed }}'),
      'changed false',
    ],
  ])('%s', (_, tasks, text) => {
    const planned = play(tasks).plan({ paths: { '/etc/a': directory() } })
    const [change] = planItems(planned.plan).slice(-1)
    expect(JSON.stringify(change)).toContain(JSON.stringify({ from: '', to: text }))
  })
})
