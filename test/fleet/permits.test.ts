import { expect, test } from 'vitest'
import { createPermits } from '../../src/fleet/permits.ts'

test('no more than the limit are at work at once, in the order in which they came', async () => {
  const permits = createPermits()
  const log: string[] = []
  let at = 0
  let most = 0
  const work = (name: string) => async (): Promise<void> => {
    at += 1
    most = Math.max(most, at)
    log.push(name)
    await new Promise((resolve) => setImmediate(resolve))
    at -= 1
    if (name === 'b') throw new Error('b failed')
  }
  const waited: string[] = []
  const ends = await Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e'].map((name) => permits.hold('task', 2, work(name), () => waited.push(name))),
  )
  expect(most).toBe(2)
  expect(log).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(waited).toEqual(['c', 'd', 'e'])
  expect(ends.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ])
})

test('another task has places of its own', async () => {
  const permits = createPermits()
  const waited: string[] = []
  const inner = (): Promise<void> =>
    permits.hold(
      'two',
      1,
      () => Promise.resolve(),
      () => waited.push('two'),
    )
  await permits.hold('one', 1, inner, () => waited.push('one'))
  expect(waited).toEqual([])
})
