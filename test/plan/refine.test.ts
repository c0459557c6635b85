import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Change, Item, Plan } from '../../src/model/plan.ts'
import { known, unknown, type Value } from '../../src/model/value.ts'
import { widenings } from '../../src/plan/refine.ts'

const place = { file: 'play.yml', line: 1, column: 1 }

function change(path: string, to: Value<string> = known('0750')): Change {
  return {
    item: 'change',
    key: `file:${path}@play/${path}`,
    resource: `file:${path}`,
    task: { id: `play/${path}`, name: path, place },
    differences: [{ attribute: 'mode', from: known('0700'), to }],
    ops: [],
    effects: [],
    disruptive: false,
    provisional: !to.known,
    owes: [],
    settles: [],
  }
}

function undecided(id: string): Item {
  return {
    item: 'undecided',
    key: `undecided@${id}`,
    task: { id, name: id, place },
    what: 'condition',
    after: [{ after: 'group:g', field: 'gid' }],
  }
}

function check(state: 'pending' | 'unmet'): Item {
  const task = { id: 'play/9', name: 'wait', place }
  const differences = state === 'unmet' ? [{ attribute: 'exists', from: known('no'), to: known('yes') }] : []
  return { item: 'check', key: 'exists:/x@play/9', resource: 'exists:/x', task, state, differences, ops: [] }
}

function plan(...items: readonly Item[]): Plan {
  return { host: 'h1', stages: [{ items, needs: [] }], due: [], unchanged: 0, notCompared: [], remarks: [] }
}

const later = unknown({ after: 'group:g', field: 'gid' })

it.each<[string, Plan, Plan, readonly string[]]>([
  ['the same plan', plan(change('/a')), plan(change('/a')), []],
  ['an unknown filled in', plan(change('/a', known('7'))), plan(change('/a', later)), []],
  ['a change dropped', plan(change('/b')), plan(change('/a'), change('/b')), []],
  ['a check that can be judged now', plan(check('unmet')), plan(change('/a'), check('pending')), []],
  ['an undecided task decided', plan(change('/a')), plan(undecided('play//a')), []],
  ['a change more', plan(change('/a'), change('/b')), plan(change('/a')), ['was not shown']],
  [
    'another order',
    plan(change('/b'), change('/a')),
    plan(change('/a'), change('/b')),
    ['comes in another order than was shown'],
  ],
  [
    'another value',
    plan(change('/a', known('0777'))),
    plan(change('/a')),
    ['mode becomes 0777, shown was 0750'],
  ],
])('%s', (_, next, shown, why) => {
  expect(widenings(next, shown).map((widening) => widening.why)).toEqual(why)
})

it('accepts every plan that only leaves things out, and no other selection of shown things in another order', () => {
  const paths = fc.uniqueArray(fc.stringMatching(/^\/[a-z]{1,3}$/), { minLength: 2, maxLength: 8 })
  fc.assert(
    fc.property(paths, fc.infiniteStream(fc.boolean()), (all, keep) => {
      const shown = plan(...all.map((path) => change(path)))
      const left = all.filter(() => keep.next().value)
      expect(widenings(plan(...left.map((path) => change(path))), shown)).toEqual([])
      const turned = [...left].reverse()
      if (left.length > 1) {
        expect(widenings(plan(...turned.map((path) => change(path))), shown)).not.toEqual([])
      }
    }),
  )
})
