import { describe, expect, it } from 'vitest'
import { planItems } from '../../src/model/plan.ts'
import type { DoneResult } from '../../src/plan/registers.ts'
import { widenings } from '../../src/plan/refine.ts'
import { problemsOf } from '../document/problems.ts'
import { outline, play } from './drive.ts'

const asking = (guard: string): string => `
- command: {argv: [ask], ${guard}}
  register: answer
  until: [answer.rc == 0, "'yes' in answer.stdout"]
  retries: 2
  delay: 7
- directory: {path: /etc/b, owner: root, group: root, mode: "0755"}
`
const planned = play(asking('always: true'))
const key = planItems(planned.plan({}).plan)[0]?.key ?? ''
const again = (result: DoneResult): readonly string[] =>
  outline(planned.plan({}, { done: new Map([[key, result]]) }).plan)

type Tests = NonNullable<Parameters<typeof planned.plan>[0]['tests']>
const yes: Tests = { 'exists:/etc/made': { answer: 'yes' } }
const no: Tests = { 'exists:/etc/made': { answer: 'no', detail: '' } }
const checked: Tests = { 'run:["check"]': { answer: 'yes' } }
const right: DoneResult = { status: 0, output: 'yes', runs: 1 }
const wrong: DoneResult = { status: 1, output: 'no', runs: 1 }
const command = '+ command:play/1'
const refused = '! command:play/1 host.change-failed'
const follows = '+ directory:/etc/b'

describe('a command with until', () => {
  it('ends its stage: what follows waits for its success', () => {
    const { plan } = planned.plan({})
    expect(outline(plan)).toEqual(['+ command:play/1', '--', '+ directory:/etc/b'])
    expect(plan.stages.map(({ needs }) => needs)).toEqual([[{ after: 'task:play/1', field: 'result' }], []])
    expect(planItems(plan)[0]).toMatchObject({ ops: [{ op: 'command', anyStatus: true }] })
    expect(planItems(plan)[0]).not.toHaveProperty('again')
  })

  it.each<[string, DoneResult, readonly string[]]>([
    ['is done once all holds', { status: 0, output: 'yes', runs: 1 }, ['+ directory:/etc/b']],
    [
      'is run again where the status is wrong',
      { status: 1, output: 'yes', runs: 1 },
      ['+ command:play/1', '--', '+ directory:/etc/b'],
    ],
    [
      'is run again where the text is wrong',
      { status: 0, output: 'no', runs: 2 },
      ['+ command:play/1', '--', '+ directory:/etc/b'],
    ],
    [
      'refuses once no run is left',
      { status: 1, output: 'no', runs: 3 },
      ['! command:play/1 host.change-failed', '--', '+ directory:/etc/b'],
    ],
  ])('%s', (_, result, expected) => {
    expect(again(result)).toEqual(expected)
  })

  it('waits between two runs, and widens nothing', () => {
    const shown = planned.plan({}).plan
    const { plan } = planned.plan({}, { done: new Map([[key, { status: 1, output: '', runs: 1 }]]) })
    expect(planItems(plan)[0]).toMatchObject({ key, again: { delay: 7 } })
    expect(widenings(plan, shown)).toEqual([])
  })

  it('says what the last run gave', () => {
    const { plan } = planned.plan({}, { done: new Map([[key, { status: 4, output: 'not yet', runs: 3 }]]) })
    expect(planItems(plan)[0]).toMatchObject({
      problem: { message: 'expected `answer.rc == 0` within 3 runs, found exit status 4; output: not yet' },
    })
  })

  it('is not run where its own guard says that it need not', () => {
    const guarded = play(asking('creates: /etc/made'))
    expect(outline(guarded.plan({ tests: { 'exists:/etc/made': { answer: 'yes' } } }).plan)).toEqual([
      '+ directory:/etc/b',
    ])
  })

  it.each<[string, string, Tests, DoneResult, readonly string[]]>([
    ['runs again what did not do its part', 'creates: /etc/made', no, wrong, [command, '--', follows]],
    ['goes on once both are content', 'creates: /etc/made', yes, right, [follows]],
    [
      'refuses where its guard forbids another run: what the last one gave is no success',
      'creates: /etc/made',
      yes,
      wrong,
      [refused, '--', follows],
    ],
    ['so too by a command', 'unless: [check]', checked, wrong, [refused, '--', follows]],
  ])('with a guard of its own: %s', (_, guard, tests, result, expected) => {
    const guarded = play(asking(guard))
    const done = new Map([[planItems(guarded.plan({}).plan)[0]?.key ?? '', result]])
    expect(outline(guarded.plan({ tests }, { done }).plan)).toEqual(expected)
  })

  it('is checked before any contact', () => {
    const book = (until: string): string =>
      `- {command: {argv: [x], always: true}, register: r, until: ${JSON.stringify(until)}}`
    expect(problemsOf(() => play(book('q.rc == 0'))).join()).toContain('template.undefined')
    expect(problemsOf(() => play(book('r.rc =='))).join()).toContain('template.syntax')
  })
})
