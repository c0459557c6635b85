import { describe, expect, it } from 'vitest'
import { type Plan, planItems } from '../../src/model/plan.ts'
import { widenings } from '../../src/plan/refine.ts'
import { directory, file, group, unit } from '../resources/world.ts'
import { outline, play, type PlannedPlay } from './drive.ts'

/** A directory that is made, or not, as the text says that stands behind `when`. */
const folder = (path: string, more = ''): string => `
- name: folder ${path}
  directory:
    path: ${path}
    owner: root
    group: root
    mode: "0755"
${more}`
const sock = `
- group:
    name: sock
`
const settles = (plan: Plan): readonly (readonly string[])[] =>
  planItems(plan).map((item) => (item.item === 'change' ? item.settles : []))

describe('handlers', () => {
  const restartTwo = `
- name: restart
  unit:
    name: "{{ item }}.service"
    state: restarted
  loop: [a, b]
`
  const units = { 'a.service': unit(), 'b.service': unit() }

  it('are paid for by their last change: a run that dies before it still owes', () => {
    const { plan } = play(folder('/etc/x', '  notify: restart'), { handlers: restartTwo }).plan({ units })
    expect(outline(plan)).toEqual([
      '+ directory:/etc/x',
      '+ unit-restarted:a.service',
      '+ unit-restarted:b.service',
    ])
    expect(settles(plan)).toEqual([[], [], ['play.all.restart']])
  })

  const late = `
- name: late
  directory:
    path: /etc/late
    owner: root
    group: root
    mode: "0755"
  when: host.group('sock').gid > 100
`
  it('stay owed while they are undecided', () => {
    const { plan } = play(sock, { handlers: late }).plan({}, { owed: ['play.all.late'] })
    expect(outline(plan)).toEqual(['+ group:sock', '--', '… play/handler/1 condition'])
    expect(settles(plan).flat()).toEqual([])
  })

  it('that find nothing to do clear the debt', () => {
    const planned = play(sock, { handlers: late }).plan(
      { groups: { sock: group(7) } },
      { owed: ['play.all.late'] },
    )
    expect(settles(planned.plan)).toEqual([['play.all.late']])
  })

  const maybe = play(
    `${sock}${folder('/etc/maybe', "  when: host.group('sock').gid > 100\n  notify: late")}`,
    {
      handlers: `
- name: late
  command:
    argv: [touch, /x]
    always: true
  notify: later
- name: later
  command:
    argv: [touch, /y]
    always: true
`,
    },
  )
  it('that an undecided task may notify are shown, and so may be done in an approved run', () => {
    const shown = maybe.plan({}).plan
    expect(outline(shown)).toEqual([
      '+ group:sock',
      '--',
      '… play/2 condition',
      '… play/handler/1 condition',
      '… play/handler/2 condition',
    ])
    const decided = maybe.plan({ groups: { sock: group(101) } }).plan
    expect(outline(decided)).toEqual([
      '+ directory:/etc/maybe',
      '+ command:play/handler/1',
      '+ command:play/handler/2',
    ])
    expect(widenings(decided, shown)).toEqual([])
  })

  it('that nobody can notify are not shown', () => {
    expect(outline(maybe.plan({ groups: { sock: group(7) } }).plan)).toEqual([])
  })
})

it('an assertion that hangs on a change is judged before anything behind it is done', () => {
  const tasks = `${sock}
- assert:
    that: [host.group('sock').gid > 100]
${folder('/etc/after')}`
  expect(outline(play(tasks).plan({}).plan)).toEqual([
    '+ group:sock',
    '--',
    '? assert:play/2 pending',
    '+ directory:/etc/after',
  ])
})

describe('what a command makes or removes', () => {
  const keygen = (guard: string): string => `
- command:
    argv: [keygen]
    ${guard}
`
  const owned = `
- file:
    path: /etc/keys/one
    owner: root
    group: root
    mode: "0600"
`
  const after = (planned: PlannedPlay, world: Parameters<PlannedPlay['plan']>[0]): readonly string[] =>
    outline(planned.plan(world).plan)

  it('is looked at once the command has run, by whoever manages it', () => {
    const planned = play(`${keygen('creates: /etc/keys/one')}${owned}${folder('/etc/after')}`)
    const keys = { '/etc/keys': directory() }
    expect(after(planned, { paths: { ...keys, '/etc/keys/one': null } })).toEqual([
      '+ command:play/1',
      '--',
      '… play/2 state',
      '+ directory:/etc/after',
    ])
    expect(
      after(planned, {
        paths: { ...keys, '/etc/keys/one': file({ mode: 0o644 }) },
        tests: made('/etc/keys/one'),
      }),
    ).toEqual(['+ file:/etc/keys/one', '+ directory:/etc/after'])
  })

  it('may be a folder that was missing, or what lies below it', () => {
    const planned = play(
      `${keygen('creates: /etc/keys/deep/x')}${folder('/etc/keys')}${folder('/etc/keys/deep/x/y')}`,
    )
    expect(after(planned, { paths: { '/etc/keys': null } })).toEqual([
      '+ command:play/1',
      '--',
      '… play/2 state',
      '… play/3 state',
    ])
  })

  it('or that is gone then', () => {
    const planned = play(`${keygen('removes: /etc/old')}${folder('/etc/old')}`)
    expect(after(planned, { paths: { '/etc/old': file() } })).toEqual([
      '+ command:play/1',
      '--',
      '… play/2 state',
    ])
  })

  const made = (path: string): Record<string, { answer: 'yes' }> => ({
    [`exists:${path}`]: { answer: 'yes' },
  })
})

it('a play is planned on what the plays before it will have done', () => {
  const first = planItems(play(sock).plan({}).plan)
  const before = first.flatMap((item) => (item.item === 'change' ? item.effects : []))
  const second = play(`
- directory:
    path: /etc/of-sock
    owner: root
    group: sock
    mode: "0750"
`)
  expect(outline(second.plan({}).plan)).toEqual(['! directory:/etc/of-sock resource.unknown-account'])
  expect(outline(second.plan({}, { before }).plan)).toEqual(['+ directory:/etc/of-sock'])
})
